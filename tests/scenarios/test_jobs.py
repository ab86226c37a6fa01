"""Jobs run, report, stop when asked, and survive a process that died."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from carloop.app import jobs
from carloop.app.jobs import JobContext, JobKind, JobRunner
from carloop.core.ports.jobs import JobState
from carloop.kit.clock import ManualClock
from carloop.kit.errors import InvalidInput, NotFound, Unavailable
from carloop.stores.state.store import SqlState
from tests.support.waiting import PATIENCE_SECONDS, until


def add_up(context: JobContext) -> Mapping[str, Any]:
    for n in range(context.progress, context.params["n"]):
        context.report(n + 1, context.params["n"])
    return {"sum": sum(range(context.params["n"]))}


def refuse(_context: JobContext) -> None:
    raise Unavailable("full", code="disk_full")


def crash(_context: JobContext) -> None:
    raise ZeroDivisionError


@pytest.fixture
def runner(state: SqlState, clock: ManualClock) -> JobRunner:
    kinds = (
        JobKind("add", add_up, resumable=True),
        JobKind("refuse", refuse),
        JobKind("crash", crash),
    )
    return JobRunner(state, clock, kinds)


def test_a_job_is_done_and_keeps_its_result(runner: JobRunner) -> None:
    job = runner.submit(1, "add", {"n": 4}, "u1")
    assert job.state is JobState.QUEUED
    assert runner.run_once()
    assert not runner.run_once()
    done = runner.get(1, job.id)
    assert (done.state, done.progress, done.total) == (JobState.DONE, 4, 4)
    assert done.result == {"sum": 6}
    assert done.finished_at == done.created_at
    with pytest.raises(NotFound):
        runner.get(2, job.id)


@pytest.mark.parametrize(("kind", "code"), [("refuse", "disk_full"), ("crash", "internal")])
def test_a_job_that_fails_says_why_by_code(runner: JobRunner, kind: str, code: str) -> None:
    job = runner.submit(1, kind, {}, "u1")
    runner.run_once()
    failed = runner.get(1, job.id)
    assert (failed.state, failed.message) == (JobState.FAILED, code)


def test_an_unknown_kind_is_refused(runner: JobRunner) -> None:
    with pytest.raises(InvalidInput):
        runner.submit(1, "nothing", {}, "u1")


def test_a_running_job_stops_when_asked(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "REPORT_SECONDS", 0)
    started, asked = threading.Event(), threading.Event()

    def wait(context: JobContext) -> None:
        context.report(1)
        started.set()
        assert asked.wait(PATIENCE_SECONDS)
        context.report(2)

    runner.register(JobKind("wait", wait))
    job = runner.submit(1, "wait", {}, "u1")
    runner.start()
    assert started.wait(PATIENCE_SECONDS)
    assert runner.cancel(1, job.id).cancel_requested
    asked.set()
    runner.stop()
    stopped = runner.get(1, job.id)
    assert (stopped.state, stopped.progress) == (JobState.CANCELLED, 2)


def test_what_a_dead_process_left_is_resumed_or_failed(runner: JobRunner, state: SqlState) -> None:
    ids = [runner.submit(1, kind, {"n": 9}, "u1").id for kind in ("add", "crash", "refuse")]
    with state.write() as tx:
        for _ in ids:
            tx.jobs.claim(["add", "crash", "refuse"], 5)
        tx.jobs.report(ids[0], 7, 9, "")
        tx.jobs.request_cancel(1, ids[2], 6)
    runner.recover()
    found = [runner.get(1, id_) for id_ in ids]
    assert [job.state for job in found] == [
        JobState.QUEUED,
        JobState.FAILED,
        JobState.CANCELLED,
    ]
    assert found[1].message == "interrupted"
    runner.run_once()
    assert runner.get(1, ids[0]).result == {"sum": 36}


def test_the_thread_takes_new_jobs_at_once(runner: JobRunner) -> None:
    runner.start()
    ids = [runner.submit(1, "add", {"n": n}, "u1").id for n in range(3)]
    until(lambda: all(runner.get(1, id_).state.final for id_ in ids), every=0.02)
    runner.stop()
    assert [runner.get(1, id_).state for id_ in ids] == [JobState.DONE] * 3
