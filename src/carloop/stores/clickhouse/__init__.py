"""The event store: ClickHouse in process (chDB) or over HTTP, chosen by one URL."""

from __future__ import annotations

from pathlib import Path

from carloop.kit.errors import InvalidInput
from carloop.stores.clickhouse.store import ClickHouseStore, Limits

__all__ = ["ClickHouseStore", "Limits", "open_event_store"]


def open_event_store(url: str, limits: Limits | None = None) -> ClickHouseStore:
    """Open the store at ``chdb:///path`` or ``http(s)://user:password@host:port/database``.

    Raises:
        InvalidInput: ``event_store_url``.
    """
    if url.startswith("chdb://"):
        from carloop.stores.clickhouse.chdb import ChdbStore

        return ChdbStore(Path(url.removeprefix("chdb://")), limits)
    if url.startswith(("http://", "https://")):
        from carloop.stores.clickhouse.http import HttpStore

        return HttpStore(url, limits)
    raise InvalidInput("chdb:///path or http(s)://…", code="event_store_url")
