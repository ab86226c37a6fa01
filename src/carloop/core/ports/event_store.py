"""The event store: ClickHouse, in process or over HTTP, behind one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

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

    def query_numbers(
        self, query: Query, scope: Scope, *, timeout_seconds: float = 30
    ) -> npt.NDArray[np.uint32]:
        """Run one read whose only column is ``UInt32``, for long lists of persons.

        Raises:
            InvalidInput, Unavailable: as :meth:`query`.
        """
        ...

    def insert(self, table: str, rows: bytes) -> None:
        """Insert rows given as newline-separated JSON; durable when it returns."""
        ...

    def delete_after(self, table: str, seq: int) -> int:
        """Delete rows with ``seq`` above the cursor; returns how many there were."""
        ...

    def delete(self, table: str, where: str, params: Mapping[str, Any] | None = None) -> None:
        """Delete rows on every node of a cluster; nothing reads them when this returns.

        Args:
            table: its name.
            where: a condition of our own, values bound or checked integers.
            params: what is bound.
        """
        ...

    def command(self, query: Query) -> None:
        """Run one write or DDL statement of our own (never user text)."""
        ...

    def migrate(self) -> Sequence[str]:
        """Apply numbered migrations that are not applied yet; returns their names.

        Raises:
            Conflict: ``event_store_newer``: a newer version has been here.
        """
        ...

    def ensure_tenant(self, tenant: int) -> None:
        """Create what a tenant's queries need (``person_of_<tenant>``); harmless to repeat."""
        ...

    def reload_persons(self, tenant: int) -> None:
        """Load the newest fragment → person mapping; reads see it when this returns."""
        ...

    def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        ...

    def close(self) -> None:
        """Release the handles."""
        ...


class Rows(Protocol):
    """The rows of one answer, in columns or rows, plus what it cost."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns."""
        ...

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The rows, values as Python's own types."""
        ...

    def dicts(self) -> list[dict[str, Any]]:
        """One dict per row."""
        ...
