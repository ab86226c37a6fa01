"""Long-running work: what was asked, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True where nothing more will happen."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are milliseconds since the epoch.

    Attributes:
        id: UUID.
        kind: names the handler.
        progress: steps done, of ``total`` where the total is known.
        message: what it is doing, or why it failed; a stable code where it failed.
        params: what the handler was asked; never a personal value.
        result: what the handler returned.
    """

    id: str
    tenant: int
    kind: str
    created_by: str
    created_at: int
    state: JobState = JobState.QUEUED
    progress: int = 0
    total: int | None = None
    message: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    started_at: int | None = None
    finished_at: int | None = None
    cancel_requested: bool = False


class Jobs(Protocol):
    """The table of jobs."""

    def add(self, job: Job) -> None:
        """Queue a new job."""
        ...

    def get(self, tenant: int, id_: str) -> Job:
        """One job.

        Raises:
            NotFound: ``job_unknown``.
        """
        ...

    def page(
        self, tenant: int, *, limit: int, before: tuple[int, str] | None = None
    ) -> Sequence[Job]:
        """Newest first; ``before`` is ``(created_at, id)`` of the last one seen."""
        ...

    def claim(self, kinds: Sequence[str], now: int) -> Job | None:
        """Take the oldest queued job of these kinds and mark it running."""
        ...

    def running(self) -> Sequence[Job]:
        """Every job marked running."""
        ...

    def report(self, id_: str, progress: int, total: int | None, message: str) -> bool:
        """Note how far a running job is; True where its cancellation was asked for."""
        ...

    def finish(
        self, id_: str, state: JobState, now: int, message: str, result: Mapping[str, Any] | None
    ) -> None:
        """Close a job in a final state."""
        ...

    def requeue(self, id_: str) -> None:
        """Put a running job back into the queue, keeping its progress."""
        ...

    def expire(self, before: int) -> int:
        """Remove jobs that ended before ``before`` (epoch ms); returns how many."""
        ...

    def request_cancel(self, tenant: int, id_: str, now: int) -> Job:
        """Ask a job to stop; a queued one is cancelled at once, a final one stays as it is.

        Raises:
            NotFound: ``job_unknown``.
        """
        ...
