"""The numbers of the first page."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.core.scope import Caller, Permission

router = APIRouter(tags=["overview"])


class DayCount(BaseModel):
    """Events of one calendar day in the tenant's zone."""

    day: date
    count: int


class EventCountOut(BaseModel):
    """How often one event occurred."""

    event: str
    title: dict[str, str] | None
    count: int


class OverviewOut(BaseModel):
    """What the first page shows; `persons` is null where the number is too small to tell."""

    persons: int | None
    events_today: int
    events_per_day: list[DayCount]
    top_events: list[EventCountOut]
    segments: int
    sends: dict[str, int]
    freshness_seconds: float
    accepted_batches: int
    loaded_batches: int
    quarantine_open: int


@router.get("/api/overview", operation_id="get_overview")
def get_overview(
    caller: Annotated[Caller, require(Permission.ANALYTICS_READ)], use: Use
) -> OverviewOut:
    """People, events, segments, sends and freshness, within the caller's scope."""
    tiles = use.overview.tiles(caller)
    return OverviewOut(
        persons=tiles.persons,
        events_today=tiles.events_today,
        events_per_day=[DayCount(day=day, count=count) for day, count in tiles.events_per_day],
        top_events=[
            EventCountOut(event=e.event, title=dict(e.title) if e.title else None, count=e.count)
            for e in tiles.top_events
        ],
        segments=tiles.segments,
        sends=dict(tiles.sends),
        freshness_seconds=tiles.freshness_seconds,
        accepted_batches=tiles.accepted_batches,
        loaded_batches=tiles.loaded_batches,
        quarantine_open=tiles.quarantine_open,
    )
