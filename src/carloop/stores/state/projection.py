"""The projection queue in the state store."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, func, select

from carloop.core.ports.projection import Change, QueuedChange
from carloop.stores.state.lists import insert_rows, pieces
from carloop.stores.state.tables.projection import projection_queue as t


class SqlProjection:
    """The :class:`~carloop.core.ports.projection.ProjectionRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def queue(self, tenant: int, changes: Iterable[Change]) -> None:
        """Append changes."""
        names = ("tenant", *Change._fields)
        insert_rows(self._db, t, names, [(tenant, *change) for change in changes])

    def next(self, limit: int) -> list[QueuedChange]:
        """The oldest changes."""
        query = select(t.c.id, t.c.tenant, t.c.kind, t.c.a, t.c.b, t.c.name)
        rows = self._db.execute(query.order_by(t.c.id).limit(limit))
        return [QueuedChange(row[0], row[1], Change(*row[2:])) for row in rows]

    def done(self, ids: Collection[int]) -> None:
        """Remove changes that have arrived."""
        for piece in pieces(ids):
            self._db.execute(delete(t).where(t.c.id.in_(piece)))

    def waiting(self) -> int:
        """How many changes have not arrived yet."""
        return int(self._db.scalar(select(func.count()).select_from(t)) or 0)
