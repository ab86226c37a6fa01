"""The pipeline's cursor and seen ids, and quarantine, over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from carloop.core.ports.pipeline import (
    EVERYTHING,
    QuarantineCount,
    QuarantinedEvent,
    QuarantineFilter,
    QuarantineState,
    SeenChunk,
)
from carloop.stores.state.tables.pipeline import cursor, quarantine, seen_chunk


class SqlPipeline:
    """``core.ports.pipeline.PipelineRepository`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cursor(self, name: str) -> int:
        """The position of a reader; 0 before its first commit."""
        query = select(cursor.c.value).where(cursor.c.name == name)
        return int(self._connection.scalar(query) or 0)

    def move_cursor(self, name: str, value: int) -> None:
        """Set the position of a reader."""
        moved = self._connection.execute(
            update(cursor).where(cursor.c.name == name).values(value=value)
        )
        if not moved.rowcount:
            self._connection.execute(insert(cursor).values(name=name, value=value))

    def add_seen(self, chunk: SeenChunk) -> None:
        """Append the ids of one commit."""
        self._connection.execute(insert(seen_chunk).values(chunk._asdict()))

    def seen_after(self, seq: int) -> Iterator[SeenChunk]:
        """Chunks beyond ``seq``, oldest first, a few at a time."""
        query = select(seen_chunk).where(seen_chunk.c.seq_to > seq).order_by(seen_chunk.c.seq_to)
        for row in self._connection.execution_options(yield_per=20).execute(query):
            yield SeenChunk(row.seq_to, row.day, row.ids)

    def last_seen(self) -> int:
        """``seq_to`` of the newest chunk; 0 where there is none."""
        return int(self._connection.scalar(select(func.max(seen_chunk.c.seq_to))) or 0)

    def forget_seen(self, before_day: int) -> int:
        """Drop chunks of days before ``before_day``."""
        return self._connection.execute(
            delete(seen_chunk).where(seen_chunk.c.day < before_day)
        ).rowcount


class SqlQuarantine:
    """``core.ports.pipeline.QuarantineRepository`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, events: Sequence[QuarantinedEvent]) -> None:
        """Keep events; those already kept stay as they are."""
        if not events:
            return
        rows = [
            {
                "tenant": e.tenant,
                "source": e.source,
                "batch": e.batch,
                "index": e.index,
                "code": e.code[:64],
                "path": e.path[:400],
                "event": e.event[:200],
                "day": e.day,
                "raw": e.raw,
                "at": e.at,
                "state": e.state.value,
            }
            for e in events
        ]
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        self._connection.execute(dialect.insert(quarantine).on_conflict_do_nothing(), rows)

    def page(
        self,
        tenant: int,
        *,
        limit: int,
        before: int | None = None,
        only: QuarantineFilter = EVERYTHING,
        state: QuarantineState | None = QuarantineState.OPEN,
    ) -> Sequence[QuarantinedEvent]:
        """Newest first, with id below ``before``."""
        query = select(quarantine).where(quarantine.c.tenant == tenant, *_chosen(only))
        if before is not None:
            query = query.where(quarantine.c.id < before)
        if state is not None:
            query = query.where(quarantine.c.state == state.value)
        query = query.order_by(quarantine.c.id.desc()).limit(limit)
        return [_event(row) for row in self._connection.execute(query)]

    def count(self, tenant: int, only: QuarantineFilter) -> int:
        """How many open events that is."""
        query = (
            select(func.count())
            .select_from(quarantine)
            .where(
                quarantine.c.tenant == tenant,
                quarantine.c.state == QuarantineState.OPEN.value,
                *_chosen(only),
            )
        )
        return int(self._connection.scalar(query) or 0)

    def summary(self, tenant: int) -> Sequence[QuarantineCount]:
        """Open events by source, code and event name, most first."""
        count = func.count()
        columns = (quarantine.c.source, quarantine.c.code, quarantine.c.event)
        query = (
            select(*columns, count, func.min(quarantine.c.at), func.max(quarantine.c.at))
            .where(quarantine.c.tenant == tenant, quarantine.c.state == QuarantineState.OPEN.value)
            .group_by(*columns)
            .order_by(count.desc(), *columns)
            .limit(1000)
        )
        return [QuarantineCount(*row) for row in self._connection.execute(query)]

    def count_since(self, tenant: int, at: int) -> dict[int, int]:
        """How many were kept since ``at``, by source."""
        query = (
            select(quarantine.c.source, func.count())
            .where(quarantine.c.tenant == tenant, quarantine.c.at >= at)
            .group_by(quarantine.c.source)
        )
        return {source: count for source, count in self._connection.execute(query)}

    def mark(self, tenant: int, ids: Sequence[int], state: QuarantineState) -> int:
        """Set the state of open events."""
        changed = 0
        for start in range(0, len(ids), 500):
            changed += self._connection.execute(
                update(quarantine)
                .where(
                    quarantine.c.tenant == tenant,
                    quarantine.c.id.in_(ids[start : start + 500]),
                    quarantine.c.state == QuarantineState.OPEN.value,
                )
                .values(state=state.value)
            ).rowcount
        return changed

    def expire(self, before_day: str) -> int:
        """Remove events of days before ``before_day``."""
        return self._connection.execute(
            delete(quarantine).where(quarantine.c.day < before_day)
        ).rowcount


def _chosen(only: QuarantineFilter) -> Iterator[ColumnElement[bool]]:
    c = quarantine.c
    for column, value in ((c.source, only.source), (c.code, only.code), (c.event, only.event)):
        if value is not None:
            yield column == value
    if only.ids is not None:
        yield c.id.in_(only.ids)
    if only.upto is not None:
        yield c.id <= only.upto
    if only.since is not None:
        yield c.at >= only.since
    if only.until is not None:
        yield c.at < only.until


def _event(row: Row[Any]) -> QuarantinedEvent:
    values = row._asdict()
    return QuarantinedEvent(**{**values, "state": QuarantineState(values["state"])})
