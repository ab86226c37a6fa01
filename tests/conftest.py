"""Shared fixtures: real stores, thrown away after use.

``CARLOOP_TEST_STATE`` = ``sqlite`` | ``postgres`` | ``both`` (default) picks the state store,
``CARLOOP_TEST_EVENT_STORE`` = ``chdb`` (default) | ``http`` the event store. There is one event
store per test process: tests keep apart by a fresh ``tenant`` number. Servers that tests start obey
the same two (``tests.support.stores``); ``both`` means SQLite there.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore, Limits, errors, open_event_store
from carloop.stores.state.schema import metadata
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import MasterKey
from tests.support.clickhouse_facade import facade
from tests.support.postgres import PostgresSchema, postgres_url
from tests.support.stores import EVENT_STORE, STATE

errors.KEEP_CAUSE = True
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LIMITS = Limits(memory_bytes=1 << 30, spill_bytes=1 << 28)
_STATE = STATE
_EVENT_STORE = EVENT_STORE
_tenants = itertools.count(1)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at 2026-11-22 08:00 UTC until the test moves it."""
    return ManualClock(NOW)


@pytest.fixture
def tenant() -> int:
    """A tenant number nobody else has used in this process."""
    return next(_tenants)


@pytest.fixture(scope="session")
def cipher() -> VaultCipher:
    """The vault's cipher under a fixed master key."""
    return VaultCipher(MasterKey(bytes(range(32))))


@pytest.fixture
def day_keys(tmp_path: Path, cipher: VaultCipher) -> DayKeys:
    """Daily keys in an empty directory."""
    return DayKeys(tmp_path / "journal-keys", cipher)


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "empty.db"
    state = SqlState(f"sqlite:///{path}")
    state.migrate()
    state.close()
    return path


@pytest.fixture(scope="session")
def _postgres() -> Iterator[PostgresSchema | None]:
    url = postgres_url()
    if url is None:
        yield None
        return
    schema = PostgresSchema.create(url)
    try:
        schema.state.migrate()
        yield schema
    finally:
        schema.drop()


@pytest.fixture
def sqlite_state(_empty_sqlite: Path, tmp_path: Path) -> Iterator[SqlState]:
    """An empty state store on SQLite."""
    path = tmp_path / "state.db"
    shutil.copyfile(_empty_sqlite, path)
    state = SqlState(f"sqlite:///{path}")
    yield state
    state.close()


@pytest.fixture
def postgres_state(_postgres: PostgresSchema | None) -> Iterator[SqlState]:
    """An empty state store on PostgreSQL; skips where none answers."""
    if _postgres is None:
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    yield _postgres.state
    _postgres.empty(metadata)


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def state(request: pytest.FixtureRequest) -> SqlState:
    """An empty state store: every test runs on SQLite and on PostgreSQL."""
    if _STATE not in ("both", request.param):
        pytest.skip(f"CARLOOP_TEST_STATE={_STATE}")
    store: SqlState = request.getfixturevalue(f"{request.param}_state")
    return store


@pytest.fixture
def any_state(request: pytest.FixtureRequest) -> SqlState:
    """One empty state store: SQLite, unless PostgreSQL was asked for."""
    name = "postgres" if _STATE == "postgres" else "sqlite"
    store: SqlState = request.getfixturevalue(f"{name}_state")
    return store


@pytest.fixture(scope="session")
def chdb_store() -> Iterator[ClickHouseStore]:
    """The one chDB of this process, migrated."""
    with tempfile.TemporaryDirectory(prefix="carloop-chdb-") as directory:
        store = open_event_store(f"chdb://{directory}/events", LIMITS)
        store.migrate()
        yield store
        store.close()


@pytest.fixture(scope="session")
def http_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStore]:
    """A ClickHouse over HTTP (the facade), migrated."""
    with facade(tmp_path_factory.mktemp("facade") / "events") as url:
        store = open_event_store(url, LIMITS)
        store.migrate()
        yield store
        store.close()


@pytest.fixture(scope="session")
def event_store(request: pytest.FixtureRequest) -> ClickHouseStore:
    """The event store, migrated; isolate by ``tenant`` (``ensure_tenant`` before ``person``)."""
    store: ClickHouseStore = request.getfixturevalue(f"{_EVENT_STORE}_store")
    return store


_SERVICES = ("postgres", "browser", "node")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``CARLOOP_REQUIRE_SERVICES=1`` a test skipped for want of a service is a failure."""
    report = yield
    needed = [name for name in _SERVICES if item.get_closest_marker(name)]
    if report.skipped and needed and os.environ.get("CARLOOP_REQUIRE_SERVICES") == "1":
        report.outcome = "failed"
        report.longrepr = f"needs {', '.join(needed)}, which is absent: {report.longrepr}"
    return report
