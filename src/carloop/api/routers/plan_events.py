"""Events of the tracking plan, beside what arrives of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import CursorText, Limit, page_of
from carloop.api.routers.plan import Days, Reader, Text, Titles, Writer
from carloop.app.tracking.departures import samples_of
from carloop.app.tracking.documents import event_document
from carloop.app.tracking.report import Report
from carloop.core.fields import FieldType
from carloop.core.tracking import PlannedEvent, PointStatus
from carloop.kit.clock import from_ms

router = APIRouter(tags=["plan"])

LongText = Annotated[str, StringConstraints(max_length=2_000)]
EventName = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PlannedPropertyDocument(BaseModel):
    """A property of a planned event; `allowed` empty: any value."""

    name: Text
    title: Titles
    type: FieldType
    required: bool
    allowed: Annotated[list[Text], Field(max_length=200)]
    owner: Text
    status: PointStatus
    description: LongText


class PlanEventBody(BaseModel):
    """A planned event; `touchpoints` tells the status of each point, `*` is any touchpoint."""

    title: Titles
    stage: Text
    owner: Text
    description: LongText
    touchpoints: Annotated[dict[Text, PointStatus], Field(max_length=200)]
    properties: Annotated[list[PlannedPropertyDocument], Field(max_length=200)]


class PointOut(BaseModel):
    """One event at one touchpoint; `count`: how often it was met within the window."""

    touchpoint: str
    status: PointStatus
    count: int


class PlanEventOut(BaseModel):
    """A planned event beside reality.

    `base`: a pack declares it; `revision` 0: it stands as declared there. `count` and
    `last_seen_at` are of the window, whatever the source.
    """

    name: str
    title: dict[str, str]
    stage: str
    owner: str
    description: str
    base: bool
    revision: int
    points: list[PointOut]
    properties: list[PlannedPropertyDocument]
    count: int
    last_seen_at: datetime | None


class PlanEventPage(BaseModel):
    """Planned events by name."""

    items: list[PlanEventOut]
    next_cursor: str | None


class PlanDay(BaseModel):
    """Events of one UTC day from one source, with the touchpoints that the source is part of."""

    day: str
    source: int
    touchpoints: list[str]
    count: int


class PlanEventDetail(PlanEventOut):
    """The same with its days; `samples`: some recent values by property."""

    days: list[PlanDay]
    samples: dict[str, list[str]]


@router.get("/api/plan/events", operation_id="list_plan_events")
def list_plan_events(
    caller: Reader,
    use: Use,
    touchpoint: Annotated[str | None, Query(max_length=64)] = None,
    status: Annotated[PointStatus | None, Query(description="Of a point.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Part of a name or title.")] = None,
    days: Days = 30,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> PlanEventPage:
    """Planned events by name; `touchpoint` and `status` are asked of one and the same point."""
    report = use.plan_report.of(caller, days)
    word = (q or "").strip().lower()
    events = [
        event
        for event in report.work.whole.events.values()
        if word in " ".join((event.name, event.owner, *event.title.values())).lower()
        and any(
            touchpoint in (None, place) and status in (None, one)
            for place, one in event.points.items()
        )
    ]
    found, more = page_of(events, lambda it: (it.name,), cursor, limit)
    return PlanEventPage(
        items=[PlanEventOut(**_event(use, report, event)) for event in found], next_cursor=more
    )


@router.get("/api/plan/events/{name:path}", operation_id="get_plan_event")
def get_plan_event(
    name: EventName, caller: Reader, response: Response, use: Use, days: Days = 30
) -> PlanEventDetail:
    """One event with its days and some values, and the ETag to change it by."""
    event, revision = use.plan.event(caller, name)
    response.headers["ETag"] = etag(revision)
    report = use.plan_report.of(caller, days)
    numbers = report.sources
    places: dict[int, list[str]] = {}
    for place in event.points:
        touchpoint = report.work.whole.touchpoints.get(place)
        for source in touchpoint.sources if touchpoint else ():
            if source in numbers:
                places.setdefault(numbers[source], []).append(place)
    values: dict[str, list[object]] = {}
    for looked in report.seen.looked:
        if looked.event == name:
            for body in looked.bodies:
                for key, value in body.items():
                    values.setdefault(key, []).append(value)
    return PlanEventDetail(
        **_event(use, report, event),
        days=[
            PlanDay(day=day, source=source, touchpoints=places.get(source, []), count=count)
            for day, source, count in use.plan_report.reality.by_day(caller.scope, name, days)
        ],
        samples={key: list(samples_of(found)) for key, found in sorted(values.items())[:200]},
    )


@router.put("/api/plan/events/{name:path}", operation_id="save_plan_event")
def save_plan_event(
    name: EventName,
    body: PlanEventBody,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> PlanEventOut:
    """Put an event into the plan under work; an ETag of `"0"` means that none is there yet."""
    event, revision = use.plan.save_event(
        caller, name, body.model_dump(mode="json"), version_of(if_match)
    )
    response.headers["ETag"] = etag(revision)
    return PlanEventOut(**_event(use, use.plan_report.of(caller, 30), event))


@router.delete("/api/plan/events/{name:path}", operation_id="delete_plan_event", status_code=204)
def delete_plan_event(name: EventName, caller: Writer, use: Use, if_match: IfMatch = None) -> None:
    """Take an event out of the plan under work; an event of a pack is again as declared."""
    use.plan.remove_event(caller, name, version_of(if_match))


def _event(use: Use, report: Report, event: PlannedEvent) -> dict[str, object]:
    entry = report.work.entries.get(event.name)
    arrived = [one for one in report.seen.arrived if one.event == event.name]
    told = event_document(event)
    return {
        "name": event.name,
        "title": dict(event.title),
        "stage": event.stage,
        "owner": event.owner,
        "description": event.description,
        "base": use.plan.is_base(event.name),
        "revision": entry.revision if entry else 0,
        "points": [
            PointOut(
                touchpoint=place, status=status, count=report.met.get((event.name, place), 0)
            )
            for place, status in event.points.items()
        ],
        "properties": [
            PlannedPropertyDocument(
                **{
                    "title": {}, "required": False, "allowed": [], "owner": "", "description": "",
                    **one,
                }
            )
            for one in told.get("properties", [])
        ],
        "count": sum(one.count for one in arrived),
        "last_seen_at": from_ms(max(one.last_at for one in arrived)) if arrived else None,
    }  # fmt: skip
