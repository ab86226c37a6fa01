"""A ClickHouse server or cluster over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.httputil import get_pool_manager

from carloop.sql import ident
from carloop.stores.clickhouse.errors import translated
from carloop.stores.clickhouse.migrate import render
from carloop.stores.clickhouse.store import ClickHouseStore, Client, Limits


class HttpStore(ClickHouseStore):
    """An event store behind ``http(s)://user:password@host:port/database?cluster=name``."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        super().__init__(limits)
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        self.cluster = ident(options["cluster"][0]) if "cluster" in options else None
        self.database = ident(parts.path.strip("/") or "default")
        self._pool = get_pool_manager(maxsize=32)
        self.port = parts.port or (8443 if parts.scheme == "https" else 8123)
        self._address = {
            "interface": parts.scheme,
            "host": parts.hostname or "127.0.0.1",
            "port": self.port,
            "username": unquote(parts.username or "default"),
            "password": unquote(parts.password or ""),
            "database": self.database,
        }

    def connect(self, settings: Mapping[str, str]) -> Client:
        """A client that sends these settings with every request."""
        seconds = float(settings.get("max_execution_time", "3600"))
        return clickhouse_connect.get_client(
            **self._address,
            settings=dict(settings),
            pool_mgr=self._pool,
            autogenerate_session_id=False,
            send_receive_timeout=int(seconds) + 30,
            compress=False,
            tz_mode="aware",
        )

    def delete_after(self, table: str, seq: int) -> int:
        """Delete rows above the cursor, also those that a dead process has just sent.

        A server goes on with an insert whose sender is gone: it is stopped first, or it would come
        to its end after the deletion.
        """
        text = (
            "KILL QUERY {on_cluster} WHERE query_kind = 'Insert' "
            f"AND current_database = '{self.database}' "
            f"AND query ILIKE 'INSERT INTO {ident(table)} %' SYNC"
        )
        with translated():
            self.writer().command(render(text, self.cluster)[0])
        return super().delete_after(table, seq)

    def dictionary_source(self) -> str:
        """The server reads its own table, as the user we came as."""
        user, password = self._address["username"], self._address["password"]
        return f"USER '{_escape(str(user))}' PASSWORD '{_escape(str(password))}'"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
