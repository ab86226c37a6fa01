"""The tracking plan as values: which events are collected where, how far each point has come.

A *point* is one event at one touchpoint; it moves from design through test and acceptance to live,
and ends retired. The packs' declared events are the base; a tenant's own entries replace them by
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carloop.core.fields import FieldType
from carloop.core.pack import EventType

ANYWHERE = "*"
"""The touchpoint of a point that may be met at any."""


class PointStatus(StrEnum):
    """How far a point, or a property, has come."""

    DESIGN = "design"
    TEST = "test"
    ACCEPT = "accept"
    LIVE = "live"
    RETIRED = "retired"


CHECKED = (PointStatus.TEST, PointStatus.ACCEPT, PointStatus.LIVE)
"""A property in one of these is held against reality; a mere design is not."""


class Severity(StrEnum):
    """What becomes of an event that leaves the plan."""

    FLAG = "flag"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedProperty:
    """One property of a planned event; ``allowed``: its values, empty: any."""

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    type: FieldType = FieldType.STRING
    required: bool = False
    allowed: tuple[str, ...] = ()
    owner: str = ""
    status: PointStatus = PointStatus.DESIGN
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """One planned event.

    Attributes:
        stage: a grouping for people to read.
        points: touchpoint → status; :data:`ANYWHERE` where the place does not matter.
    """

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    owner: str = ""
    description: str = ""
    points: Mapping[str, PointStatus] = field(default_factory=dict)
    properties: tuple[PlannedProperty, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """A place of collection; ``sources``: names of the sources that send from there."""

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Severities:
    """What becomes of each kind of departure from the plan."""

    unplanned_event: Severity = Severity.FLAG
    unplanned_property: Severity = Severity.FLAG
    violation: Severity = Severity.FLAG

    @property
    def lenient(self) -> bool:
        """Nothing goes to quarantine."""
        return self == Severities()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What holds at once, without being published.

    Attributes:
        default: of sources that say nothing else.
        sources: by number of the source.
    """

    default: Severities = Severities()
    sources: Mapping[int, Severities] = field(default_factory=dict)

    def of(self, source: int) -> Severities:
        """What holds for one source."""
        return self.sources.get(source, self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPlan:
    """Events and touchpoints by name."""

    events: Mapping[str, PlannedEvent] = field(default_factory=dict)
    touchpoints: Mapping[str, Touchpoint] = field(default_factory=dict)

    def over(self, base: Mapping[str, PlannedEvent]) -> TrackingPlan:
        """This plan with the packs' events that it does not replace."""
        return TrackingPlan(
            events={
                **{name: event for name, event in base.items() if name not in self.events},
                **{name: completed(event, base.get(name)) for name, event in self.events.items()},
            },
            touchpoints=self.touchpoints,
        )

    @property
    def points(self) -> int:
        """How many points are planned: all that are not retired."""
        return sum(
            status is not PointStatus.RETIRED
            for event in self.events.values()
            for status in event.points.values()
        )


def base_event(declared: EventType) -> PlannedEvent:
    """A pack's event as a plan to start from: not tied to a place, its properties in force."""
    return PlannedEvent(
        name=declared.name,
        title=dict(declared.title),
        stage=declared.stage,
        points={ANYWHERE: PointStatus.DESIGN},
        properties=tuple(
            PlannedProperty(
                name=p.name,
                title=dict(p.title),
                type=p.type,
                required=p.required,
                allowed=p.codes,
                status=PointStatus.LIVE,
            )
            for p in declared.properties
        ),
    )


def completed(event: PlannedEvent, base: PlannedEvent | None) -> PlannedEvent:
    """``event`` with the properties of its pack's event that it leaves out."""
    if base is None:
        return event
    own = {p.name for p in event.properties}
    missing = tuple(p for p in base.properties if p.name not in own)
    if not missing:
        return event
    return PlannedEvent(
        name=event.name,
        title=event.title,
        stage=event.stage,
        owner=event.owner,
        description=event.description,
        points=event.points,
        properties=(*event.properties, *missing),
    )
