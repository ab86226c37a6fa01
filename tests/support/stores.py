"""Which stores a test server lives in: ``CARLOOP_TEST_STATE``, ``CARLOOP_TEST_EVENT_STORE``.

With ``postgres`` every data directory has a database of its own, dropped when the process ends;
with ``http`` a facade over its ``events`` directory. Commands on that directory find the same ones.
"""

from __future__ import annotations

import atexit
import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.support.clickhouse_facade import facade
from tests.support.postgres import postgres_url

STATE = os.environ.get("CARLOOP_TEST_STATE", "both")
EVENT_STORE = os.environ.get("CARLOOP_TEST_EVENT_STORE", "chdb")


@dataclass
class Place:
    """The stores of one data directory; ``users`` hold the facade open."""

    environment: dict[str, str]
    users: int = 0
    open: ExitStack = field(default_factory=ExitStack)


_places: dict[Path, Place] = {}
_lock = threading.Lock()


def postgres_absent(state: str = STATE) -> bool:
    """Whether a PostgreSQL is asked for and none answers."""
    return state == "postgres" and postgres_url() is None


@contextmanager
def stores_of(
    data: Path, *, state: str | None = None, event_store: str | None = None
) -> Iterator[Mapping[str, str]]:
    """``CARLOOP_*_URL`` of a data directory's stores, which stay open meanwhile.

    Args:
        data: the directory.
        state: ``postgres``, or ``sqlite`` under the directory; chosen once, by whoever is first.
        event_store: ``http`` or ``chdb``; it is chosen once too.
    """
    with _lock:
        place = _places.get(data)
        if place is None:
            place = _places[data] = Place(_chosen(state or STATE, event_store or EVENT_STORE))
        if not place.users and "CARLOOP_EVENT_STORE_URL" in place.environment:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            url = place.open.enter_context(facade(data / "events"))
            place.environment["CARLOOP_EVENT_STORE_URL"] = url
        place.users += 1
    try:
        yield dict(place.environment)
    finally:
        with _lock:
            place.users -= 1
            if not place.users:
                place.open.close()


def _chosen(state: str, event_store: str) -> dict[str, str]:
    environment = {}
    if state == "postgres":
        environment["CARLOOP_STATE_URL"] = _new_database()
    if event_store == "http":
        environment["CARLOOP_EVENT_STORE_URL"] = ""
    return environment


def _new_database() -> str:
    server = postgres_url()
    assert server is not None, "no PostgreSQL answers"
    name = f"carloop_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    atexit.register(_drop, server, name)
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
