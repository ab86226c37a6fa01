"""ClickHouse in this process, through chDB: one process per path, one path per process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import clickhouse_connect

from carloop.stores.clickhouse.store import ClickHouseStore, Client, Limits


class ChdbStore(ClickHouseStore):
    """An event store in a directory of ours."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def connect(self, settings: Mapping[str, str]) -> Client:
        """A client with its own handle on the engine; settings are applied in this order."""
        client = clickhouse_connect.get_client(dsn=f"chdb://{self.path}")
        for name, value in settings.items():
            client.set_client_setting(name, value)
        return client

    def dictionary_source(self) -> str:
        """In process there is no one to log in to."""
        return ""
