"""An engine in this process whose feeds are watched from inside.

Its event store is a process of its own: one process holds one chDB, and tests share theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from carloop.bootstrap.engine import Engine, build_engine
from carloop.bootstrap.settings import Settings
from tests.support.stores import stores_of


class Reading:
    """A running engine, its API, and what it reads from."""

    def __init__(self, engine: Engine, database: Any) -> None:
        self.engine, self.database = engine, database
        token = engine.settings.local_token_file.read_text("ascii")
        self.api = TestClient(
            engine.app(), base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {token}"}
        )

    def get(self, feed: str) -> dict[str, Any]:
        """The feed as the API tells it."""
        return dict(self.api.get(f"/api/feeds/{feed}").json())

    def run(self, feed: str, *, again: bool = False) -> dict[str, Any]:
        """One run to its end, and everything loaded."""
        answer = self.api.post(f"/api/feeds/{feed}/run", json={"again": again})
        assert answer.status_code == 202, answer.text
        return self.ended(feed)

    def ended(self, feed: str) -> dict[str, Any]:
        """The last run, once it is over and loaded."""
        until(lambda: not self.get(feed)["running"])
        self.loaded()
        return dict(self.get(feed)["last_run"])

    def loaded(self) -> None:
        """Wait until everything acknowledged is stored."""
        until(lambda: self.engine.lag().batches == 0)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come, a minute at most."""
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it does not come")


@contextmanager
def started(data: Path) -> Iterator[Engine]:
    """A running engine that may reach this machine and the folder beside its data."""
    with stores_of(data, event_store="http") as stores:
        environment = {
            **stores,
            "CARLOOP_ALLOWED_HOSTS": "127.0.0.1",
            "CARLOOP_ALLOWED_FOLDERS": str(data.parent),
        }
        engine = build_engine(Settings.from_env(environment, data=data))
        engine.start()
        try:
            yield engine
        finally:
            engine.close()
