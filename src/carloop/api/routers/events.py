"""Events as they arrive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import MAX_ID
from carloop.app.events import EventRow, Filter
from carloop.core.scope import Caller, Permission

router = APIRouter(tags=["events"])

Reader = Annotated[Caller, require(Permission.EVENT_READ)]
Text = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SourceRef(BaseModel):
    """The source an event came through."""

    id: int
    name: str


class PersonRef(BaseModel):
    """The person of an event, masked."""

    id: UUID
    display: str


class EntityRefOut(BaseModel):
    """An entity that an event names; a personal key is masked."""

    type: str
    id: UUID
    key: str


class EventOut(BaseModel):
    """One event."""

    id: UUID
    event: str
    title: dict[str, str] | None
    occurred_at: datetime
    received_at: datetime
    source: SourceRef | None
    person: PersonRef | None
    entities: list[EntityRefOut]
    properties: dict[str, Any]


class EventPage(BaseModel):
    """Events, newest arrival first."""

    items: list[EventOut]
    next_cursor: str | None


@router.get("/api/events", operation_id="list_events")
def list_events(
    caller: Reader,
    use: Use,
    event: Text | None = None,
    source: Annotated[int | None, Query(ge=0, le=MAX_ID)] = None,
    person: Annotated[int | None, Query(ge=1, le=2**32 - 1, description="Person number.")] = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> EventPage:
    """The newest events; ask again with `cursor` for older ones."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = use.events.recent(caller, Filter(event, source, person, before), limit)
    more = encode_cursor(rows[-1].seq) if len(rows) == limit else None
    return EventPage(items=[event_out(row) for row in rows], next_cursor=more)


def event_out(row: EventRow) -> EventOut:
    """An event as it is answered."""
    named, known = row.source_name, row.person_id
    return EventOut(
        id=row.id,
        event=row.event,
        title=dict(row.title) if row.title else None,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        source=SourceRef(id=row.source, name=named) if named is not None else None,
        person=PersonRef(id=known, display=row.person_display or "") if known else None,
        entities=[EntityRefOut(type=e.type, id=e.id, key=e.key) for e in row.entities],
        properties=dict(row.properties),
    )
