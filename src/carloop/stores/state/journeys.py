"""Journeys and their versions over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import Row, Table, delete, insert, select, update

from carloop.core.ports.journeys import Journey, JourneyStatus
from carloop.kit.errors import NotFound
from carloop.stores.state.editable import EditableRows
from carloop.stores.state.tables.journeys import enrol, entering, journey, journey_version


class SqlJourneys(EditableRows[Journey]):
    """``core.ports.journeys.Journeys`` over SQLAlchemy."""

    table: ClassVar[Table] = journey
    noun: ClassVar[str] = "journey"

    def page(self, tenant: int, *, before: int | None, limit: int) -> Sequence[Journey]:
        """Newest first."""
        older = [] if before is None else [journey.c.id < before]
        there = (journey.c.tenant == tenant, journey.c.deleted_at.is_(None))
        return self._all(*there, *older, newest=True, limit=limit)

    def remove(self, it: Journey, now: int) -> None:
        """Delete softly; nobody enters or steps any more."""
        removed = self.save(replace(it, status=JourneyStatus.STOPPED, updated_at=now))
        self._mark_removed(removed.id, now)
        self._connection.execute(delete(entering).where(entering.c.journey == it.id))
        self._connection.execute(
            update(enrol)
            .where(enrol.c.journey == it.id, enrol.c.due.is_not(None))
            .values(due=None, ended="journey_removed")
        )

    def publish(self, it: Journey, graph: str, now: int, by: str) -> Journey:
        """Store ``graph`` as the next version and make the journey live on it."""
        version = it.version + 1
        self._connection.execute(
            insert(journey_version).values(
                journey=it.id, version=version, graph=graph, published_at=now, published_by=by
            )
        )
        return self.save(replace(it, version=version, status=JourneyStatus.LIVE, updated_at=now))

    def graph(self, journey: int, version: int) -> str:
        """The JSON of a published version."""
        found = self._connection.scalar(
            select(journey_version.c.graph).where(
                journey_version.c.journey == journey, journey_version.c.version == version
            )
        )
        if found is None:
            raise NotFound("no such version", code="journey_unknown")
        return str(found)

    def started_by(self, tenant: int, segment: int) -> Sequence[Journey]:
        """Live journeys that people enter through this segment."""
        return self._all(
            journey.c.tenant == tenant,
            journey.c.segment == segment,
            journey.c.status == JourneyStatus.LIVE,
            journey.c.deleted_at.is_(None),
        )

    def count_history(self, journey_id: int, people: int) -> None:
        """Note that ``people`` were not taken in because history brought them."""
        self._connection.execute(
            update(journey)
            .where(journey.c.id == journey_id)
            .values(history_skipped=journey.c.history_skipped + people)
        )

    def stop_all(self, tenant: int, now: int) -> int:
        """Stop every live or paused journey."""
        stopped = self._connection.execute(
            update(journey)
            .where(
                journey.c.tenant == tenant,
                journey.c.status.in_((JourneyStatus.LIVE, JourneyStatus.PAUSED)),
            )
            .values(status=JourneyStatus.STOPPED, updated_at=now, revision=journey.c.revision + 1)
        )
        return stopped.rowcount

    def _fixed(self, it: Journey) -> Mapping[str, Any]:
        names = ("tenant", "uuid", "created_by", "created_at")
        return {name: getattr(it, name) for name in names} | {"history_skipped": 0}

    def _changing(self, it: Journey) -> Mapping[str, Any]:
        names = ("name", "version", "draft", "segment", "updated_at")
        return {name: getattr(it, name) for name in names} | {"status": it.status.value}

    def _record(self, row: Row[Any]) -> Journey:
        values = dict(row._mapping)
        del values["deleted_at"]
        return Journey(**values | {"status": JourneyStatus(row.status)})
