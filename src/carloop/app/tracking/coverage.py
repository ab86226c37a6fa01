"""How much of the plan is really collected, touchpoint by touchpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from carloop.core.tracking import ANYWHERE, PointStatus, TrackingPlan

Point = tuple[str, str]
"""Event and touchpoint."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of points; they add up over touchpoints.

    Attributes:
        planned: points that are not retired.
        live: of those, the ones met in the store lately.
        silent: said to be live, and not met.
        early: met, though not said to be live yet.
        retired_seen: retired, and met all the same.
        by_status: planned points by what the plan says of them.
    """

    planned: int = 0
    live: int = 0
    silent: int = 0
    early: int = 0
    retired_seen: int = 0
    by_status: Mapping[PointStatus, int] | None = None

    @property
    def share(self) -> float | None:
        """``live / planned``; None where nothing is planned.

        >>> round(100 * (Coverage(planned=949, live=851).share or 0), 1)
        89.7
        """
        return self.live / self.planned if self.planned else None


def covered(points: Iterable[tuple[Point, PointStatus]], met: Collection[Point]) -> Coverage:
    """Coverage of these points, of which ``met`` were met."""
    planned = live = silent = early = retired_seen = 0
    by_status: dict[PointStatus, int] = {}
    for point, status in points:
        there = point in met
        if status is PointStatus.RETIRED:
            retired_seen += there
            continue
        planned += 1
        live += there
        silent += status is PointStatus.LIVE and not there
        early += status is not PointStatus.LIVE and there
        by_status[status] = by_status.get(status, 0) + 1
    return Coverage(planned, live, silent, early, retired_seen, by_status)


def points_of(plan: TrackingPlan, touchpoint: str | None = None) -> list[tuple[Point, PointStatus]]:
    """Every point of a plan, or of one touchpoint, with its status."""
    return [
        ((event.name, place), status)
        for event in plan.events.values()
        for place, status in event.points.items()
        if touchpoint is None or place == touchpoint
    ]


def points_met(
    plan: TrackingPlan, counts: Mapping[tuple[str, int], int], sources: Mapping[str, int]
) -> dict[Point, int]:
    """How often each planned point was met; points never met are left out.

    Args:
        plan: events and touchpoints.
        counts: events by name and source number.
        sources: numbers of sources by name.
    """
    totals: dict[str, int] = {}
    for (event, _), count in counts.items():
        totals[event] = totals.get(event, 0) + count
    met: dict[Point, int] = {}
    for planned in plan.events.values():
        for place in planned.points:
            if place == ANYWHERE:
                count = totals.get(planned.name, 0)
            else:
                touchpoint = plan.touchpoints.get(place)
                names = touchpoint.sources if touchpoint else ()
                count = sum(
                    counts.get((planned.name, sources[name]), 0)
                    for name in names
                    if name in sources
                )
            if count:
                met[planned.name, place] = count
    return met
