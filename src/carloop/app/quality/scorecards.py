"""The scorecard as people read it, and the job that computes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from carloop.app.jobs import JobContext, JobKind, JobRunner
from carloop.app.quality.desk import whole
from carloop.app.quality.scoring import Scoring, days_back
from carloop.core.ports.jobs import Job
from carloop.core.ports.quality import Alert, Finding, Where
from carloop.core.ports.state import State
from carloop.core.scope import Caller
from carloop.engines.quality import Share
from carloop.kit.clock import Clock

KIND = "quality"
USUAL_DAYS = 7
MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One source, table or field with its shares by dimension; what is finer is added up."""

    source: int
    table: str
    field: str
    shares: Mapping[str, Share]


@dataclass(frozen=True, slots=True)
class Summary:
    """The scorecard of everything."""

    shares: Mapping[str, Share]
    before: Mapping[str, Share]
    """Of as many days before."""
    alerts: int


class Scorecards:
    """The use cases behind the scores, findings and alerts of ``/api/quality``."""

    def __init__(self, state: State, scoring: Scoring, jobs: JobRunner, clock: Clock) -> None:
        self._state = state
        self._scoring = scoring
        self._jobs = jobs
        self._clock = clock
        jobs.register(JobKind(KIND, self._run, resumable=True))

    def submit(self, caller: Caller, days: int) -> Job:
        """Queue the computation of the last ``days`` days.

        Raises:
            PermissionDenied: ``scope_limited``.
        """
        whole(caller)
        return self._jobs.submit(caller.scope.tenant, KIND, {"days": days}, caller.id)

    def nightly(self, tenant: int) -> None:
        """Compute the last week anew; for a loop."""
        self._scoring.run(tenant, USUAL_DAYS)

    def summary(self, caller: Caller, days: int) -> Summary:
        """All sources together over the last ``days`` days, and the days before."""
        whole(caller)
        today = self._today(caller)
        last = days_back(today, days)
        before = days_back(date.fromordinal(today.toordinal() - days), days)
        with self._state.read() as tx:
            return Summary(
                _added(tx.quality.scores(caller.scope.tenant, last)),
                _added(tx.quality.scores(caller.scope.tenant, before)),
                tx.quality.count_alerts(caller.scope.tenant),
            )

    def scores(
        self, caller: Caller, level: str, days: int, source: int | None, table: str | None
    ) -> Sequence[ScoreRow]:
        """Scores by ``source``, ``table`` or ``field`` over the last ``days`` days."""
        whole(caller)
        where = self._where(caller, days, source, table, None)
        with self._state.read() as tx:
            found = tx.quality.scores(caller.scope.tenant, where)
        rows: defaultdict[tuple[int, str, str], list[Any]] = defaultdict(list)
        for score in found:
            of_table = "" if level == "source" else score.table
            rows[score.source, of_table, score.field if level == "field" else ""].append(score)
        return [ScoreRow(*place, _added(scores)) for place, scores in sorted(rows.items())]

    def trend(
        self,
        caller: Caller,
        days: int,
        source: int | None,
        table: str | None,
        field: str | None,
    ) -> Sequence[tuple[str, Mapping[str, Share]]]:
        """Scores per day that has some, oldest first."""
        whole(caller)
        where = self._where(caller, days, source, table, field)
        by_day: defaultdict[str, list[Any]] = defaultdict(list)
        with self._state.read() as tx:
            for score in tx.quality.trend(caller.scope.tenant, where):
                by_day[score.day].append(score)
        return [(day, _added(scores)) for day, scores in sorted(by_day.items())]

    def findings(
        self,
        caller: Caller,
        days: int,
        source: int | None,
        table: str | None,
        *,
        limit: int,
        before: int | None,
    ) -> Sequence[Finding]:
        """What rules found, newest first."""
        whole(caller)
        where = self._where(caller, days, source, table, None)
        with self._state.read() as tx:
            return tx.quality.findings(caller.scope.tenant, where, limit=limit, before=before)

    def alerts(
        self, caller: Caller, *, opened: bool, limit: int, before: int | None
    ) -> Sequence[Alert]:
        """Alerts, newest first."""
        whole(caller)
        with self._state.read() as tx:
            return tx.quality.alerts(caller.scope.tenant, opened=opened, limit=limit, before=before)

    def _where(
        self, caller: Caller, days: int, source: int | None, table: str | None, field: str | None
    ) -> Where:
        last = days_back(self._today(caller), days)
        return Where(last.first_day, last.last_day, source, table, field)

    def _today(self, caller: Caller) -> date:
        with self._state.read() as tx:
            zone = ZoneInfo(tx.tenants.get(caller.scope.tenant).zone)
        return self._clock.now().astimezone(zone).date()

    def _run(self, context: JobContext) -> Mapping[str, Any]:
        days = int(context.params["days"])
        return self._scoring.run(context.job.tenant, days, context.report)


def _added(scores: Sequence[Any]) -> dict[str, Share]:
    shares: defaultdict[str, Share] = defaultdict(Share)
    for score in scores:
        shares[score.dimension] += Share(score.good, score.total)
    return dict(shares)
