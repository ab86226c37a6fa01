"""An engine in this process whose feeds are watched from inside.

Its event store is a process of its own: one process holds one chDB, and tests share theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from carloop.bootstrap.engine import Engine, build_engine
from carloop.bootstrap.settings import Settings
from tests.support.stores import stores_of
from tests.support.waiting import until


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
        until(lambda: not self.get(feed)["running"], "the run does not end", every=0.05)
        self.loaded()
        return dict(self.get(feed)["last_run"])

    def loaded(self) -> None:
        """Wait until everything acknowledged is stored."""
        until(lambda: self.engine.lag().batches == 0, "the loader did not catch up", every=0.05)


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
