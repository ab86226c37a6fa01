"""The event store: ClickHouse, in process or over HTTP, behind one port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from carloop.core.scope import Scope
from carloop.sql import Query


class EventStore(Protocol):
    """Runs the SQL of the engines. Thread-safe: one client per (thread, scope) inside."""

    def query(self, query: Query, scope: Scope, *, timeout_seconds: float = 30) -> Rows:
        """Run one read on a read-only handle.

        The text must already hold the scope (``sql.scoped``); ``scope`` adds the second lock and
        picks the client.

        Raises:
            InvalidInput: the engine refused the query (``query_refused``).
            Unavailable: timeout or memory limit (``query_timeout``, ``query_memory``).
        """
        ...

    def insert(self, table: str, rows: bytes) -> None:
        """Insert rows given as newline-separated JSON; durable when it returns."""
        ...

    def delete_after(self, table: str, seq: int) -> int:
        """Delete rows with ``seq`` above the cursor; returns how many there were."""
        ...

    def command(self, query: Query) -> None:
        """Run one write or DDL statement of our own (never user text)."""
        ...

    def migrate(self) -> Sequence[str]:
        """Apply numbered migrations that are not applied yet; returns their names."""
        ...

    def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        ...

    def close(self) -> None:
        """Release the handles."""
        ...


class Rows(Protocol):
    """The rows of one answer, in columns or rows, plus what it cost."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def dicts(self) -> list[dict[str, Any]]:
        """One dict per row."""
        ...
