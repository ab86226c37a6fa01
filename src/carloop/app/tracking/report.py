"""The plan beside reality: coverage, departures, what figures lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carloop.app.tracking.coverage import (
    Coverage,
    Point,
    covered,
    points_met,
    points_of,
)
from carloop.app.tracking.departures import Misfit, Unplanned, misfits, unplanned
from carloop.app.tracking.desk import PlanDesk
from carloop.app.tracking.metrics import MetricState, metric_states
from carloop.app.tracking.reality import Reality, Seen
from carloop.app.tracking.watch import bound_of
from carloop.app.tracking.work import Work
from carloop.core.ports.state import State
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.core.tracking import ANYWHERE


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """One touchpoint; ``connected``: sources it names that are there."""

    touchpoint: str
    title: Mapping[str, str]
    sources: Sequence[str]
    connected: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Report:
    """The plan under work beside what arrived within the window."""

    work: Work
    seen: Seen
    met: Mapping[Point, int]
    sources: Mapping[str, int]


class PlanReport:
    """Compares within the caller's scope."""

    def __init__(
        self, state: State, desk: PlanDesk, reality: Reality, catalogue: Catalogue
    ) -> None:
        self._state = state
        self._desk = desk
        self.reality = reality
        self._catalogue = catalogue
        self._bound = bound_of(catalogue)

    def of(self, caller: Caller, days: int) -> Report:
        """Everything at once."""
        work = self._desk.work(caller)
        seen = self.reality.seen(caller.scope, days)
        with self._state.read() as tx:
            sources = {
                s.name: s.id for s in tx.sources.list(caller.scope.tenant) if s.deleted_at is None
            }
        return Report(work, seen, points_met(work.whole, seen.counts, sources), sources)

    def coverage(self, caller: Caller, days: int) -> tuple[Report, Coverage, list[PlaceCoverage]]:
        """Over all, and by touchpoint; points tied to no place come last."""
        report = self.of(caller, days)
        plan = report.work.whole
        rows = []
        for name in [*sorted(plan.touchpoints), ANYWHERE]:
            points = points_of(plan, name)
            place = plan.touchpoints.get(name)
            if name == ANYWHERE and not points:
                continue
            sources = place.sources if place else ()
            rows.append(
                PlaceCoverage(
                    name,
                    place.title if place else {},
                    sources,
                    sum(source in report.sources for source in sources),
                    covered(points, report.met),
                )
            )
        return report, covered(points_of(plan), report.met), rows

    def unplanned(self, caller: Caller, days: int) -> list[Unplanned]:
        """Names that arrive and that nobody planned."""
        report = self.of(caller, days)
        return unplanned(report.work.whole, report.seen)

    def misfits(self, caller: Caller, days: int) -> list[Misfit]:
        """Values that arrive and do not fit."""
        report = self.of(caller, days)
        return misfits(report.work.whole, report.seen, self._bound)

    def metrics(self, caller: Caller, days: int) -> list[MetricState]:
        """Figures, and what they lack."""
        report = self.of(caller, days)
        with self._state.read() as tx:
            funnels = tx.segments.funnels(caller.scope.tenant)
        return metric_states(self._catalogue, funnels, report.work.whole, report.seen)
