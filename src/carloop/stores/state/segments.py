"""Segments, their snapshots and saved funnels in the state store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from carloop.core.ports.segments import SavedFunnel, Segment, Snapshot
from carloop.kit.errors import Conflict
from carloop.stores.state.tables.segments import saved_funnel, segment_snapshot
from carloop.stores.state.tables.segments import segment as t


class SqlSegments:
    """The :class:`~carloop.core.ports.segments.SegmentRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, segment: Segment) -> Segment:
        """Store a new segment; the next free number is given."""
        self._refuse_taken(segment)
        top = self._db.scalar(select(func.max(t.c.id)).where(t.c.tenant == segment.tenant))
        segment = replace(segment, id=int(top or 0) + 1)
        self._db.execute(insert(t).values(asdict(segment)))
        return segment

    def save(self, segment: Segment) -> Segment:
        """Store a changed segment under optimistic locking; its version goes up."""
        if segment.deleted_at is None:
            self._refuse_taken(segment)
        saved = replace(segment, version=segment.version + 1)
        done = self._db.execute(
            update(t)
            .where(t.c.tenant == segment.tenant, t.c.id == segment.id)
            .where(t.c.version == segment.version)
            .values(asdict(saved))
        )
        if done.rowcount == 0:
            raise Conflict("the segment changed since it was read", code="stale")
        return saved

    def by_uuid(self, tenant: int, uuid: str) -> Segment | None:
        """One segment by public id, deleted ones too."""
        found = self._all(t.c.tenant == tenant, t.c.uuid == uuid)
        return found[0] if found else None

    def get(self, tenant: int, id: int) -> Segment | None:
        """One segment by number, deleted ones too."""
        found = self._all(t.c.tenant == tenant, t.c.id == id)
        return found[0] if found else None

    def all(self, tenant: int, *, deleted: bool = False) -> Sequence[Segment]:
        """All that are not deleted (or all that are), by number."""
        gone = t.c.deleted_at.is_not(None) if deleted else t.c.deleted_at.is_(None)
        return self._all(t.c.tenant == tenant, gone)

    def page(
        self, tenant: int, *, deleted: bool, before: int | None, limit: int
    ) -> Sequence[Segment]:
        """Newest first."""
        gone = t.c.deleted_at.is_not(None) if deleted else t.c.deleted_at.is_(None)
        query = select(t).where(t.c.tenant == tenant, gone)
        if before is not None:
            query = query.where(t.c.id < before)
        rows = self._db.execute(query.order_by(t.c.id.desc()).limit(limit)).mappings()
        return [Segment(**row) for row in rows]

    def snapshot(self, tenant: int, id: int) -> Snapshot | None:
        """The newest snapshot."""
        s = segment_snapshot
        query = select(s.c.members, s.c.count, s.c.refreshed_at, s.c.rule_version, s.c.seq).where(
            s.c.tenant == tenant, s.c.segment == id
        )
        row = self._db.execute(query).one_or_none()
        return Snapshot(*row) if row else None

    def put_snapshot(self, tenant: int, id: int, snapshot: Snapshot) -> None:
        """Replace the snapshot."""
        s = segment_snapshot
        self._db.execute(delete(s).where(s.c.tenant == tenant, s.c.segment == id))
        row = {"tenant": tenant, "segment": id, **asdict(snapshot)}
        self._db.execute(insert(s).values(row))

    def add_funnel(self, funnel: SavedFunnel) -> None:
        """Keep a funnel."""
        f = saved_funnel
        same = (f.c.tenant == funnel.tenant, f.c.name == funnel.name)
        if self._db.scalar(select(f.c.uuid).where(*same)) is not None:
            raise Conflict("there is a funnel of that name", code="name_taken", path="name")
        self._db.execute(insert(f).values(asdict(funnel)))

    def funnels(self, tenant: int) -> Sequence[SavedFunnel]:
        """Kept funnels by name."""
        query = select(saved_funnel).where(saved_funnel.c.tenant == tenant)
        rows = self._db.execute(query.order_by(saved_funnel.c.name)).mappings()
        return [SavedFunnel(**row) for row in rows]

    def remove_funnel(self, tenant: int, uuid: str) -> bool:
        """Forget a funnel; False where there is none."""
        f = saved_funnel
        done = self._db.execute(delete(f).where(f.c.tenant == tenant, f.c.uuid == uuid))
        return done.rowcount > 0

    def _all(self, *where: Any) -> Sequence[Segment]:
        rows = self._db.execute(select(t).where(*where).order_by(t.c.tenant, t.c.id)).mappings()
        return [Segment(**row) for row in rows]

    def _refuse_taken(self, segment: Segment) -> None:
        query = select(t.c.id).where(
            t.c.tenant == segment.tenant, t.c.name == segment.name, t.c.deleted_at.is_(None)
        )
        other = self._db.scalar(query)
        if other is not None and other != segment.id:
            raise Conflict("there is a segment of that name", code="name_taken", path="name")
