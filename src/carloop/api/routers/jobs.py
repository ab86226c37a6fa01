"""Long-running work: what runs, how far it is, and how to stop it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.core.ports.jobs import Job, JobState
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["jobs"])

Reader = Annotated[Caller, require(Permission.JOB_READ)]
Writer = Annotated[Caller, require(Permission.JOB_WRITE)]
JobId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]


class JobOut(BaseModel):
    """A job; `message` is a stable code where it failed."""

    id: str
    kind: str
    state: JobState
    progress: int
    total: int | None
    message: str
    params: dict[str, Any]
    result: dict[str, Any] | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool


class JobPage(BaseModel):
    """Jobs, newest first."""

    items: list[JobOut]
    next_cursor: str | None


@router.get("/api/jobs", operation_id="list_jobs")
def list_jobs(caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None) -> JobPage:
    """The tenant's jobs, newest first."""
    before = decode_cursor(cursor, int, str) if cursor else None
    jobs = use.jobs.page(
        caller.scope.tenant, limit=limit + 1, before=(before[0], before[1]) if before else None
    )
    last = jobs[limit - 1] if len(jobs) > limit else None
    return JobPage(
        items=[job_out(job) for job in jobs[:limit]],
        next_cursor=encode_cursor(last.created_at, last.id) if last else None,
    )


@router.get("/api/jobs/{id}", operation_id="get_job")
def get_job(id: JobId, caller: Reader, use: Use) -> JobOut:
    """One job."""
    return job_out(use.jobs.get(caller.scope.tenant, id))


@router.post("/api/jobs/{id}/cancel", operation_id="cancel_job")
def cancel_job(id: JobId, caller: Writer, use: Use) -> JobOut:
    """Ask a job to stop; one that is over stays as it is."""
    return job_out(use.jobs.cancel(caller.scope.tenant, id))


def job_out(job: Job) -> JobOut:
    """A job as the API shows it."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=job.state,
        progress=job.progress,
        total=job.total,
        message=job.message,
        params=dict(job.params),
        result=None if job.result is None else dict(job.result),
        created_by=job.created_by,
        created_at=from_ms(job.created_at),
        started_at=None if job.started_at is None else from_ms(job.started_at),
        finished_at=None if job.finished_at is None else from_ms(job.finished_at),
        cancel_requested=job.cancel_requested,
    )
