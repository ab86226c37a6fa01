"""Jobs over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.sql import and_

from carloop.core.ports.jobs import Job, JobState
from carloop.kit.errors import NotFound
from carloop.stores.state.tables.jobs import job as table


class SqlJobs:
    """``core.ports.jobs.Jobs`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job) -> None:
        """Queue a new job."""
        self._connection.execute(
            insert(table).values(
                id=job.id,
                tenant=job.tenant,
                kind=job.kind,
                state=job.state.value,
                progress=job.progress,
                total=job.total,
                message=job.message,
                params=json.dumps(dict(job.params), ensure_ascii=False),
                result=None,
                created_by=job.created_by,
                created_at=job.created_at,
                started_at=job.started_at,
                finished_at=job.finished_at,
                cancel_requested=job.cancel_requested,
            )
        )

    def get(self, tenant: int, id_: str) -> Job:
        """One job; ``NotFound`` where the tenant has none of this id."""
        row = self._connection.execute(
            select(table).where(table.c.tenant == tenant, table.c.id == id_)
        ).first()
        if row is None:
            raise NotFound("no such job", code="job_unknown")
        return _job(row)

    def page(
        self, tenant: int, *, limit: int, before: tuple[int, str] | None = None
    ) -> Sequence[Job]:
        """Newest first."""
        query = select(table).where(table.c.tenant == tenant)
        if before is not None:
            at, id_ = before
            query = query.where(
                or_(table.c.created_at < at, and_(table.c.created_at == at, table.c.id < id_))
            )
        query = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        return [_job(row) for row in self._connection.execute(query)]

    def claim(self, kinds: Sequence[str], now: int) -> Job | None:
        """Take the oldest queued job of these kinds and mark it running."""
        row = self._connection.execute(
            select(table)
            .where(table.c.state == JobState.QUEUED.value, table.c.kind.in_(kinds))
            .order_by(table.c.created_at, table.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return None
        self._change(row.id, state=JobState.RUNNING.value, started_at=now)
        return replace(_job(row), state=JobState.RUNNING, started_at=now)

    def running(self) -> Sequence[Job]:
        """Every job marked running."""
        query = select(table).where(table.c.state == JobState.RUNNING.value)
        return [_job(row) for row in self._connection.execute(query.order_by(table.c.created_at))]

    def report(self, id_: str, progress: int, total: int | None, message: str) -> bool:
        """Note how far a running job is; True where its cancellation was asked for."""
        self._change(id_, progress=progress, total=total, message=message)
        return bool(
            self._connection.scalar(select(table.c.cancel_requested).where(table.c.id == id_))
        )

    def finish(
        self, id_: str, state: JobState, now: int, message: str, result: Mapping[str, Any] | None
    ) -> None:
        """Close a job in a final state."""
        text = None if result is None else json.dumps(dict(result), ensure_ascii=False)
        self._change(id_, state=state.value, finished_at=now, message=message, result=text)

    def requeue(self, id_: str) -> None:
        """Put a running job back into the queue, keeping its progress."""
        self._change(id_, state=JobState.QUEUED.value)

    def expire(self, before: int) -> int:
        """Remove jobs that ended before ``before``."""
        return self._connection.execute(delete(table).where(table.c.finished_at < before)).rowcount

    def request_cancel(self, tenant: int, id_: str, now: int) -> Job:
        """Ask a job to stop; a queued one is cancelled at once."""
        job = self.get(tenant, id_)
        if job.state is JobState.QUEUED:
            self._change(
                id_, state=JobState.CANCELLED.value, finished_at=now, cancel_requested=True
            )
        elif job.state is JobState.RUNNING:
            self._change(id_, cancel_requested=True)
        return self.get(tenant, id_)

    def _change(self, id_: str, **values: Any) -> None:
        self._connection.execute(update(table).where(table.c.id == id_).values(values))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        tenant=row.tenant,
        kind=row.kind,
        created_by=row.created_by,
        created_at=row.created_at,
        state=JobState(row.state),
        progress=row.progress,
        total=row.total,
        message=row.message,
        params=json.loads(row.params),
        result=None if row.result is None else json.loads(row.result),
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
    )
