"""A pack: an industry as values. The core runs with none; nothing imports one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carloop.core.fields import Field, FieldClass, FieldType
from carloop.core.identifiers import IdentifierType

if TYPE_CHECKING:
    from carloop.core.demo import DemoBatch

Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntityType:
    """A kind of thing beside persons, with its own number space.

    Attributes:
        key: the identifier type that names it (``vin``), or None where the key is a plain code.
        identifying: True where the key is personal data (a VIN); kept in the vault.
        scope_dimension: True where callers may be limited to some of them (a dealer).
    """

    name: str
    title: Titles
    key: str | None = None
    identifying: bool = False
    scope_dimension: bool = False


@dataclass(frozen=True, slots=True)
class RelationType:
    """A dated relation between a person or entity and another (``owns``: person → vehicle).

    ``exclusive``: the object has at most one open relation of this kind at an instant; a new one
    closes the old (an owner of a vehicle).
    """

    name: str
    title: Titles
    subject: str
    object: str
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """One planned property of an event.

    ``entity``: the value is the key of an entity of this type. ``identifier``: the value is an
    identifier of the person. ``field``: the value also sets this profile field.
    """

    name: str
    title: Titles
    type: FieldType = FieldType.STRING
    cls: FieldClass = FieldClass.DESCRIPTIVE
    required: bool = False
    entity: str | None = None
    identifier: str | None = None
    field: str | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventType:
    """One planned event.

    Attributes:
        stage: a grouping for people to read (``traffic``, ``lead``, ``sale``, ``service``).
        relations: relation types this event opens between the entities it names.
        ends: relation types this event closes.
        grants: scope dimensions whose callers may from now on see the person (a lead assigned
            to a dealer).
    """

    name: str
    title: Titles
    stage: str = ""
    properties: tuple[Property, ...] = ()
    relations: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentTemplate:
    """A segment that a new installation starts with; ``rule`` is the JSON form of a rule."""

    name: str
    title: Titles
    rule: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FunnelTemplate:
    """A funnel that a new installation starts with; ``params`` as ``/api/analytics/funnel``."""

    name: str
    title: Titles
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that people steer by, and the collected data it is computed from.

    ``needs``: ``event`` or ``event.property``; all of them.
    """

    name: str
    title: Titles
    needs: tuple[str, ...]
    stage: str = ""


@dataclass(frozen=True, slots=True)
class WebhookPreset:
    """Settings of a webhook for one known sender, to start from.

    Attributes:
        settings: as a source of kind ``webhook`` takes them, without secrets.
        documented: what public documentation says, with its address.
        assumed: what has to be compared with the sender's own paper before use.
    """

    name: str
    title: Titles
    settings: Mapping[str, object]
    documented: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityRule:
    """A rule of data quality that a new installation starts with.

    Attributes:
        key: names it for ever within its pack.
        rule: the JSON form of a rule of :mod:`carloop.engines.quality`.
        table: the event whose properties it judges; ``*``: every event.
    """

    key: str
    rule: Mapping[str, object]
    table: str = "*"


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything one industry adds, found through the entry point ``carloop.packs``."""

    name: str
    title: Titles
    version: str = "1"
    identifier_types: tuple[IdentifierType, ...] = ()
    fields: tuple[Field, ...] = ()
    entity_types: tuple[EntityType, ...] = ()
    relation_types: tuple[RelationType, ...] = ()
    event_types: tuple[EventType, ...] = ()
    segments: tuple[SegmentTemplate, ...] = ()
    funnels: tuple[FunnelTemplate, ...] = ()
    metrics: tuple[Metric, ...] = ()
    webhook_presets: tuple[WebhookPreset, ...] = ()
    quality: tuple[QualityRule, ...] = ()
    demo: Callable[[str, int, int], Iterator[DemoBatch]] | None = None
    """``demo(size, seed, end_ms)`` yields batches in order of occurrence."""
    labels: Mapping[str, Titles] = field(default_factory=dict)
    property_identifiers: Mapping[str, str] = field(default_factory=dict)
    """Property names that are identifiers wherever they appear (``phone`` → ``mobile``)."""
    property_entities: Mapping[str, str] = field(default_factory=dict)
    """Property names that are entity keys wherever they appear (``vin`` → ``vehicle``)."""
