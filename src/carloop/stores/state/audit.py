"""The audit log in the state store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, insert, select

from carloop.core.ports.audit import AuditEntry
from carloop.stores.state.tables.audit import audit as t

_CHUNK = 1000


class SqlAudit:
    """The :class:`~carloop.core.ports.audit.AuditRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def last(self) -> AuditEntry | None:
        """The newest entry."""
        row = self._db.execute(select(t).order_by(t.c.id.desc()).limit(1)).mappings().first()
        return AuditEntry(**row) if row else None

    def append(self, entry: AuditEntry) -> None:
        """Store one entry."""
        self._db.execute(
            insert(t).values(
                id=entry.id,
                at=entry.at,
                tenant=entry.tenant,
                caller=entry.caller,
                action=entry.action,
                object=entry.object,
                detail=entry.detail,
                mac=entry.mac,
            )
        )

    def walk(self) -> Iterator[AuditEntry]:
        """All entries, oldest first."""
        after = None
        while True:
            query = select(t).order_by(t.c.id).limit(_CHUNK)
            if after is not None:
                query = query.where(t.c.id > after)
            rows = self._db.execute(query).mappings().all()
            yield from (AuditEntry(**row) for row in rows)
            if len(rows) < _CHUNK:
                return
            after = rows[-1]["id"]

    def page(
        self,
        tenant: int,
        *,
        before: int | None,
        limit: int,
        caller: str | None = None,
        action: str | None = None,
    ) -> Sequence[AuditEntry]:
        """Entries of a tenant, newest first."""
        query = select(t).where(t.c.tenant == tenant).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(t.c.id < before)
        if caller is not None:
            query = query.where(t.c.caller == caller)
        if action is not None:
            query = query.where(t.c.action == action)
        return [AuditEntry(**row) for row in self._db.execute(query).mappings()]
