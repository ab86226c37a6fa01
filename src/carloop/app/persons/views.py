"""What people are shown of a person; identifying values are masked before they get here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """One line of a list of persons; identifying values are masked."""

    id: UUID
    number: int
    display: str
    name: str | None
    mobile: str | None
    city: str | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class AttributeView:
    """One field's surviving value, where it is from and since when."""

    field: str
    title: Titles
    cls: str
    value: str | float | bool | list[str]
    masked: bool
    source: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class IdentifierView:
    """One identifier; ``number`` is its fragment. A hub is shared by strangers, links nobody."""

    number: int
    type: str
    title: Titles
    namespace: str
    value: str
    masked: bool
    hub: bool
    source: str | None
    first_at: datetime


@dataclass(frozen=True, slots=True)
class RelationView:
    """A dated relation to an entity; ``until`` is empty while it lasts."""

    kind: str
    title: Titles
    entity_type: str
    entity_id: UUID
    entity: str
    masked: bool
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What stands about one purpose and channel."""

    purpose: str
    channel: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A segment that the person is in."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class PersonView:
    """Everything about one person, for people to look at."""

    id: UUID
    number: int
    display: str
    name: str | None
    attributes: list[AttributeView]
    identifiers: list[IdentifierView]
    relations: list[RelationView]
    consents: list[ConsentView]
    segments: list[Membership]
    merged_from: list[UUID]
    first_seen_at: datetime
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event of a timeline; ``entities`` holds type → public id."""

    id: UUID
    event: str
    title: Titles
    occurred_at: datetime
    received_at: datetime
    source: str | None
    entities: Mapping[str, UUID]
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EdgeView:
    """What ties (or cuts) two fragments, since when, by which source, and what came of it."""

    a: int
    b: int
    kind: str
    rule: str
    accepted: bool
    reason: str
    source: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class GraphView:
    """The identifiers of a person and what ties them."""

    nodes: list[IdentifierView]
    edges: list[EdgeView]


@dataclass(frozen=True, slots=True)
class PathView:
    """Why two fragments are one person: the steps between them; empty where they are not."""

    same: bool
    nodes: list[IdentifierView]
    steps: list[EdgeView]


@dataclass(frozen=True, slots=True)
class LogView:
    """One merge or split in a person's past."""

    at: datetime
    kind: str
    kept: int
    moved: int
    evidence: list[dict[str, Any]]
    by: str


@dataclass(frozen=True, slots=True)
class EntityView:
    """One vehicle, dealer …; its key is masked where it is personal data."""

    id: UUID
    type: str
    title: Titles
    number: int
    key: str
    masked: bool


@dataclass(frozen=True, slots=True)
class EntityRelationView:
    """A dated relation of an entity; the other end is a person or another entity."""

    kind: str
    title: Titles
    role: str
    person: PersonSummary | None
    entity: EntityView | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """An entity with its relations, the open ones and the past."""

    entity: EntityView
    relations: list[EntityRelationView]
