"""Entities: vehicles, dealers and whatever else the packs declare, with their relations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.routers.events import EventOut, event_out
from carloop.app.persons.views import EntityDetail, EntityView
from carloop.core.scope import Caller, Permission

router = APIRouter(tags=["entities"])

Reader = Annotated[Caller, require(Permission.PERSON_READ)]
TypeName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


class EntityPage(BaseModel):
    """Entities by number."""

    items: list[EntityView]
    next_cursor: str | None


class EntityEventPage(BaseModel):
    """Events that name an entity, newest first; `total`: all of them, on every page."""

    items: list[EventOut]
    next_cursor: str | None
    total: int


@router.get("/api/entities/{type}", operation_id="list_entities")
def list_entities(
    caller: Reader,
    use: Use,
    type: TypeName,
    key: Text = None,
    q: Text = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> EntityPage:
    """Entities of a type: the one with `key`, or those whose plain key begins with `q`."""
    if key is not None:
        return EntityPage(items=use.entity_lookup.find(caller, type, key), next_cursor=None)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    items = use.entity_lookup.search(caller, type, q or "", after, limit)
    more = encode_cursor(items[-1].number) if len(items) == limit else None
    return EntityPage(items=items, next_cursor=more)


@router.get("/api/entities/{type}/{id}", operation_id="get_entity")
def get_entity(caller: Reader, use: Use, type: TypeName, id: UUID) -> EntityDetail:
    """One entity with its relations, past ones too."""
    return use.entity_lookup.get(caller, type, str(id))


@router.get("/api/entities/{type}/{id}/timeline", operation_id="get_entity_timeline")
def get_entity_timeline(
    caller: Reader,
    use: Use,
    type: TypeName,
    id: UUID,
    limit: Limit = 50,
    cursor: CursorText = None,
    event: Text = None,
) -> EntityEventPage:
    """The events that name the entity, with a person or without; `event` leaves one type."""
    before = decode_cursor(cursor, int, int) if cursor else None
    place = (before[0], before[1]) if before else None
    told = use.entity_story.timeline(caller, type, str(id), limit, place, event)
    return EntityEventPage(
        items=[event_out(row) for row in told.events],
        next_cursor=encode_cursor(*told.place) if told.place else None,
        total=told.total,
    )
