"""Replay of quarantine as a job: a little at a time, with progress, until nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from carloop.app.jobs import JobContext, JobKind, JobRunner
from carloop.app.quarantine import Quarantine
from carloop.core.ports.jobs import Job
from carloop.core.ports.pipeline import QuarantineFilter
from carloop.core.ports.state import State
from carloop.core.scope import Caller, Permission, Scope

KIND = "replay_quarantine"
AT_ONCE = 100
"""Events of one step: as many bodies of a few MB may have to be held."""


class Replays:
    """Queues replays. One that was cut short goes on where it stood: what is done is marked."""

    def __init__(self, state: State, quarantine: Quarantine, jobs: JobRunner) -> None:
        self._state = state
        self._quarantine = quarantine
        self._jobs = jobs
        jobs.register(JobKind(KIND, self._run, resumable=True))

    def start(self, caller: Caller, only: QuarantineFilter) -> Job:
        """Queue the replay of the events that are open now; what fails again is left alone."""
        newest = self._quarantine.page(caller, limit=1, only=only)
        only = replace(only, upto=newest[0].id if newest else 0)
        return self._jobs.submit(caller.scope.tenant, KIND, only.told(), caller.id)

    def _run(self, context: JobContext) -> Mapping[str, Any]:
        tenant = context.job.tenant
        wanted = {**context.params}
        if "ids" in wanted:
            wanted["ids"] = tuple(wanted["ids"])
        only = QuarantineFilter(**wanted)
        caller = Caller(
            context.job.created_by, KIND, frozenset({Permission.SOURCE_WRITE}), Scope(tenant)
        )
        with self._state.read() as tx:
            left = tx.quarantine.count(tenant, only)
        total = context.progress + left
        replayed = gone = 0
        while True:
            context.report(context.progress, total)
            done = self._quarantine.replay(caller, only, most=AT_ONCE)
            replayed, gone = replayed + done.replayed, gone + done.gone
            context.report(context.progress + done.replayed + done.gone, total)
            if not done.more:
                return {"replayed": replayed, "gone": gone}
