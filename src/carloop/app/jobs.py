"""Long-running work: queued in the state store, done one after the other in a worker thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog

from carloop.core.ports.jobs import Job, JobState
from carloop.core.ports.state import State
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import CarloopError, InvalidInput

log = structlog.get_logger(__name__)

REPORT_SECONDS = 0.5
IDLE_SECONDS = 1.0


class JobCancelled(Exception):
    """Raised inside a handler when somebody asked the job to stop."""


class JobContext:
    """What a handler sees of its job."""

    def __init__(self, state: State, job: Job) -> None:
        self.job = job
        self.progress = job.progress
        self.total = job.total
        self._state = state
        self._reported_at = 0.0

    @property
    def params(self) -> Mapping[str, Any]:
        """What was asked."""
        return self.job.params

    def report(self, progress: int, total: int | None = None, message: str = "") -> None:
        """Note how far it is; written at most twice a second. Call it often.

        Raises:
            JobCancelled: somebody asked the job to stop; let it pass.
        """
        self.progress, self.total = progress, total if total is not None else self.total
        if time.monotonic() - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = time.monotonic()
        with self._state.write() as tx:
            cancelled = tx.jobs.report(self.job.id, self.progress, self.total, message)
        if cancelled:
            raise JobCancelled


Handler = Callable[[JobContext], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of work.

    Attributes:
        name: what ``submit`` is told.
        run: does it; what it returns becomes the job's result.
        resumable: may simply run again, from its progress, when the process died halfway.
    """

    name: str
    run: Handler
    resumable: bool = False


class JobRunner:
    """Queues jobs and runs them; ``start`` runs them in a thread of its own."""

    def __init__(self, state: State, clock: Clock, kinds: Iterable[JobKind] = ()) -> None:
        self._state = state
        self._clock = clock
        self._kinds: dict[str, JobKind] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        for kind in kinds:
            self.register(kind)

    def register(self, kind: JobKind) -> None:
        """Add a kind of work, before ``start``."""
        if kind.name in self._kinds:
            raise ValueError(f"two kinds of job called {kind.name}")
        self._kinds[kind.name] = kind

    def submit(self, tenant: int, kind: str, params: Mapping[str, Any], created_by: str) -> Job:
        """Queue a job.

        Raises:
            InvalidInput: ``job_kind_unknown``.
        """
        if kind not in self._kinds:
            raise InvalidInput("no such kind of job", code="job_kind_unknown")
        job = Job(str(uuid4()), tenant, kind, created_by, self._now(), params=dict(params))
        with self._state.write() as tx:
            tx.jobs.add(job)
        self._wake.set()
        return job

    def get(self, tenant: int, id_: str) -> Job:
        """One job; ``NotFound`` (``job_unknown``) where the tenant has none of this id."""
        with self._state.read() as tx:
            return tx.jobs.get(tenant, id_)

    def page(
        self, tenant: int, *, limit: int, before: tuple[int, str] | None = None
    ) -> Sequence[Job]:
        """Newest first; ``before`` is ``(created_at, id)`` of the last one seen."""
        with self._state.read() as tx:
            return tx.jobs.page(tenant, limit=limit, before=before)

    def cancel(self, tenant: int, id_: str) -> Job:
        """Ask a job to stop; a queued one is cancelled at once."""
        with self._state.write() as tx:
            return tx.jobs.request_cancel(tenant, id_, self._now())

    def recover(self) -> None:
        """Requeue or fail what a process that died left running."""
        with self._state.write() as tx:
            for job in tx.jobs.running():
                kind = self._kinds.get(job.kind)
                if job.cancel_requested:
                    tx.jobs.finish(job.id, JobState.CANCELLED, self._now(), "cancelled", None)
                elif kind is not None and kind.resumable:
                    tx.jobs.requeue(job.id)
                else:
                    tx.jobs.finish(job.id, JobState.FAILED, self._now(), "interrupted", None)

    def run_once(self) -> bool:
        """Run the oldest queued job, if there is one."""
        with self._state.write() as tx:
            job = tx.jobs.claim(tuple(self._kinds), self._now())
        if job is None:
            return False
        context = JobContext(self._state, job)
        state, message, result = self._attempt(context)
        with self._state.write() as tx:
            tx.jobs.report(job.id, context.progress, context.total, message)
            tx.jobs.finish(job.id, state, self._now(), message, result)
        log.info("job_finished", job=job.id, kind=job.kind, state=state.value, code=message)
        return True

    def start(self) -> None:
        """Take up what a dead process left, then run jobs in a thread until ``stop``."""
        self.recover()
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 10) -> None:
        """Ask the thread to end after its job and wait for it; a job cut short is recovered."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _attempt(self, context: JobContext) -> tuple[JobState, str, Mapping[str, Any] | None]:
        try:
            result = self._kinds[context.job.kind].run(context)
        except JobCancelled:
            return JobState.CANCELLED, "cancelled", None
        except CarloopError as error:
            return JobState.FAILED, error.code, None
        except Exception:
            log.exception("job_crashed", job=context.job.id, kind=context.job.kind)
            return JobState.FAILED, "internal", None
        return JobState.DONE, "", result or {}

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                if self.run_once():
                    continue
            except CarloopError as error:
                log.warning("jobs_wait", code=error.code)
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()

    def _now(self) -> int:
        return to_ms(self._clock.now())
