"""The catalogue: what builders may choose from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from carloop.api.deps import Use, signed_in
from carloop.app.catalogue import EventEntry, FieldEntry, PropertyEntry
from carloop.core.fields import FieldType
from carloop.core.scope import Caller
from carloop.rules import FIELD_OPS
from carloop.rules.comparison import IDENTIFYING_OPS

router = APIRouter(tags=["catalogue"])

Titles = dict[str, str]


class PropertyOut(BaseModel):
    """An event property, planned or seen, with some of its recent values."""

    name: str
    title: Titles
    type: str
    class_: Annotated[str, Field(alias="class")]
    codes: list[str]
    entity: str | None
    planned: bool
    samples: list[str]


class EventTypeOut(BaseModel):
    """An event type, planned or seen; `count`: events of the last seven days."""

    name: str
    title: Titles
    stage: str
    planned: bool
    count: int
    properties: list[PropertyOut]


class FieldOut(BaseModel):
    """A profile field and what a rule may ask of it."""

    name: str
    title: Titles
    type: str
    class_: Annotated[str, Field(alias="class")]
    codes: dict[str, Titles] | None
    ops: list[str]


class IdentifierTypeOut(BaseModel):
    """A kind of identifier."""

    name: str
    title: Titles
    entity: str
    namespaced: bool


class EntityTypeOut(BaseModel):
    """A kind of thing beside persons."""

    name: str
    title: Titles
    scope_dimension: bool


class RelationTypeOut(BaseModel):
    """A dated relation."""

    name: str
    title: Titles
    subject: str
    object: str


class CatalogueOut(BaseModel):
    """Everything declared, and what had been seen at `as_of`; `ops`: operators by type."""

    as_of: datetime
    event_types: list[EventTypeOut]
    fields: list[FieldOut]
    identifier_types: list[IdentifierTypeOut]
    entity_types: list[EntityTypeOut]
    relation_types: list[RelationTypeOut]
    ops: dict[str, list[str]]


@router.get("/api/catalogue", operation_id="get_catalogue")
def get_catalogue(caller: Annotated[Caller, signed_in()], use: Use) -> CatalogueOut:
    """Event types, properties, fields, identifier, entity and relation types."""
    reader = use.catalogue_reader
    declared = reader.catalogue
    seen = reader.events(caller.scope)
    ops = {type_.value: list(FIELD_OPS[type_]) for type_ in FieldType}
    return CatalogueOut(
        event_types=[_event(event) for event in seen.events],
        as_of=seen.as_of,
        fields=[_field(field) for field in reader.fields()],
        identifier_types=[
            IdentifierTypeOut(
                name=t.name, title=dict(t.title), entity=t.entity, namespaced=t.namespaced
            )
            for t in declared.identifiers
        ],
        entity_types=[
            EntityTypeOut(name=t.name, title=dict(t.title), scope_dimension=t.scope_dimension)
            for t in declared.entity_types.values()
        ],
        relation_types=[
            RelationTypeOut(name=t.name, title=dict(t.title), subject=t.subject, object=t.object)
            for t in declared.relation_types.values()
        ],
        ops={**ops, "identifying": list(IDENTIFYING_OPS)},
    )


def _event(event: EventEntry) -> EventTypeOut:
    return EventTypeOut(
        name=event.name,
        title=dict(event.title),
        stage=event.stage,
        planned=event.planned,
        count=event.count,
        properties=[_property(p) for p in event.properties],
    )


def _property(entry: PropertyEntry) -> PropertyOut:
    return PropertyOut(
        name=entry.name,
        title=dict(entry.title),
        type=entry.type,
        **{"class": entry.cls},
        codes=list(entry.codes),
        entity=entry.entity,
        planned=entry.planned,
        samples=list(entry.samples),
    )


def _field(field: FieldEntry) -> FieldOut:
    codes = field.codes
    return FieldOut(
        name=field.name,
        title=dict(field.title),
        type=field.type,
        **{"class": field.cls},
        codes={code: dict(title) for code, title in codes.items()} if codes else None,
        ops=list(field.ops),
    )
