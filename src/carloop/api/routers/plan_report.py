"""The tracking plan beside reality: coverage, departures, what figures lack."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from carloop.api.deps import Use
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.routers.plan import Days, Reader
from carloop.app.tracking.coverage import Coverage
from carloop.app.tracking.metrics import MetricState
from carloop.core.tracking import PointStatus

router = APIRouter(tags=["plan"])


class CoverageOut(BaseModel):
    """Counts of points.

    `planned`: not retired; `live`: of those, met within the window; `share`: live ÷ planned, null
    where nothing is planned. `silent`: said to be live and not met; `early`: met before it is said
    to be live; `retired_seen`: retired and still met.
    """

    planned: int
    live: int
    share: float | None
    silent: int
    early: int
    retired_seen: int
    by_status: dict[PointStatus, int]


class PlaceOut(CoverageOut):
    """One touchpoint (`*`: points tied to none); `connected`: of its sources, those there are."""

    touchpoint: str
    title: dict[str, str]
    sources: list[str]
    connected: int


class PlanCoverageOut(BaseModel):
    """Coverage over all, and by touchpoint, of the `days` before `as_of`."""

    as_of: datetime
    days: int
    total: CoverageOut
    touchpoints: list[PlaceOut]


class UnplannedOut(BaseModel):
    """An event that nobody planned, or (`property` not empty) a property of a planned one.

    `count`: events within the window; of a property, among the `looked` newest events.
    """

    event: str
    property: str
    type: str | None
    count: int
    looked: int
    sources: list[int]
    samples: list[str]


class UnplannedPage(BaseModel):
    """Unplanned events first, most frequent first."""

    items: list[UnplannedOut]
    next_cursor: str | None


class MisfitOut(BaseModel):
    """How often a property broke the plan in one way, among the `looked` newest events."""

    event: str
    property: str
    source: int
    code: str
    expected: str
    count: int
    looked: int
    samples: list[str]


class MisfitPage(BaseModel):
    """Violations, most frequent first."""

    items: list[MisfitOut]
    next_cursor: str | None


class NeedOut(BaseModel):
    """One thing that a figure is computed from.

    `missing`: `event_not_planned`, `event_not_seen`, `property_not_seen`, or null.
    """

    event: str
    property: str
    missing: str | None
    touchpoints: list[str]
    count: int


class MetricOut(BaseModel):
    """A figure, and whether everything it needs arrives; `origin`: `pack` or `funnel`."""

    name: str
    title: dict[str, str]
    origin: str
    stage: str
    computable: bool
    needs: list[NeedOut]


class MetricPage(BaseModel):
    """Figures that lack something first."""

    items: list[MetricOut]
    next_cursor: str | None


@router.get("/api/plan/coverage", operation_id="get_plan_coverage")
def get_plan_coverage(caller: Reader, use: Use, days: Days = 30) -> PlanCoverageOut:
    """How many of the planned points are met, over all and by touchpoint."""
    report, total, places = use.plan_report.coverage(caller, days)
    return PlanCoverageOut(
        as_of=report.seen.as_of,
        days=days,
        total=CoverageOut(**_coverage(total)),
        touchpoints=[
            PlaceOut(
                touchpoint=place.touchpoint,
                title=dict(place.title),
                sources=list(place.sources),
                connected=place.connected,
                **_coverage(place.coverage),
            )
            for place in places
        ],
    )


@router.get("/api/plan/unplanned", operation_id="list_unplanned")
def list_unplanned(
    caller: Reader, use: Use, days: Days = 30, limit: Limit = 50, cursor: CursorText = None
) -> UnplannedPage:
    """Events and properties that arrive and that nobody planned."""
    rows = use.plan_report.unplanned(caller, days)
    start, more = _slice(cursor, limit, len(rows))
    return UnplannedPage(
        items=[
            UnplannedOut(
                event=row.event,
                property=row.property,
                type=row.type.value if row.type else None,
                count=row.count,
                looked=row.looked,
                sources=list(row.sources),
                samples=list(row.samples),
            )
            for row in rows[start : start + limit]
        ],
        next_cursor=more,
    )


@router.get("/api/plan/violations", operation_id="list_plan_violations")
def list_plan_violations(
    caller: Reader, use: Use, days: Days = 30, limit: Limit = 50, cursor: CursorText = None
) -> MisfitPage:
    """Values that arrived and do not fit the plan, with samples."""
    rows = use.plan_report.misfits(caller, days)
    start, more = _slice(cursor, limit, len(rows))
    return MisfitPage(
        items=[
            MisfitOut(
                event=row.event,
                property=row.property,
                source=row.source,
                code=row.code,
                expected=row.expected,
                count=row.count,
                looked=row.looked,
                samples=row.samples,
            )
            for row in rows[start : start + limit]
        ],
        next_cursor=more,
    )


@router.get("/api/plan/metrics", operation_id="list_plan_metrics")
def list_plan_metrics(
    caller: Reader, use: Use, days: Days = 30, limit: Limit = 50, cursor: CursorText = None
) -> MetricPage:
    """Figures with what they need, and the feed that is missing where one cannot be computed."""
    rows = use.plan_report.metrics(caller, days)
    start, more = _slice(cursor, limit, len(rows))
    return MetricPage(items=[_metric(row) for row in rows[start : start + limit]], next_cursor=more)


def _slice(cursor: str | None, limit: int, total: int) -> tuple[int, str | None]:
    """Where a page of a list in order of counts begins, and the cursor of the next."""
    start = decode_cursor(cursor, int)[0] if cursor else 0
    return start, encode_cursor(start + limit) if start + limit < total else None


def _coverage(coverage: Coverage) -> dict[str, object]:
    return {
        "planned": coverage.planned,
        "live": coverage.live,
        "share": coverage.share,
        "silent": coverage.silent,
        "early": coverage.early,
        "retired_seen": coverage.retired_seen,
        "by_status": dict(coverage.by_status or {}),
    }


def _metric(metric: MetricState) -> MetricOut:
    return MetricOut(
        name=metric.name,
        title=dict(metric.title),
        origin=metric.origin,
        stage=metric.stage,
        computable=metric.computable,
        needs=[
            NeedOut(
                event=need.event,
                property=need.property,
                missing=need.missing or None,
                touchpoints=list(need.touchpoints),
                count=need.count,
            )
            for need in metric.needs
        ],
    )
