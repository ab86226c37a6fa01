"""Where events leave the plan: names nobody planned, values that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from carloop.app.plan import Violation, fits
from carloop.app.tracking.reality import Seen
from carloop.core.fields import FieldType
from carloop.core.tracking import (
    CHECKED,
    PlannedEvent,
    PlannedProperty,
    PointStatus,
    Severities,
    Severity,
    TrackingPlan,
)
from carloop.core.vocabulary import path_of

MOST_SAMPLES = 5
LONGEST_SAMPLE = 80
Bound = Set[tuple[str, str]]
"""Event and property of keys of entities, as packs declare them."""
_OWN = "$"
"""Names that begin so belong to protocols and are never unplanned."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An event, or a property of a planned event, that the plan does not know.

    Attributes:
        property: empty where the whole event is unplanned.
        type: as its values look.
        count: events within the window; of a property, of those ``looked`` at.
        sources: where it came from.
    """

    event: str
    property: str
    type: FieldType | None
    count: int
    looked: int
    sources: tuple[int, ...]
    samples: tuple[str, ...] = ()


@dataclass(slots=True)
class Misfit:
    """How often one property broke the plan in one way, among the newest events.

    Attributes:
        code: ``missing_property``, ``invalid_type`` or ``invalid_code``.
        looked: how many newest events were looked at.
    """

    event: str
    property: str
    source: int
    code: str
    expected: str
    count: int = 0
    looked: int = 0
    samples: list[str] = field(default_factory=list)


def type_of(value: Any) -> FieldType:
    """The type that a value shows.

    >>> type_of(True), type_of(1.5), type_of([1]), type_of("2026-11-22")
    (<FieldType.BOOLEAN: 'boolean'>, <FieldType.NUMBER: 'number'>, <FieldType.LIST: 'list'>, \
<FieldType.STRING: 'string'>)
    """
    if isinstance(value, bool):
        return FieldType.BOOLEAN
    if isinstance(value, int | float):
        return FieldType.NUMBER
    return FieldType.LIST if isinstance(value, list) else FieldType.STRING


def violation_of(planned: PlannedProperty, value: Any, *, bound: bool = False) -> str | None:
    """The code of what is wrong with a value (None: it is absent); None where nothing is.

    ``bound``: the property is the key of an entity, which the event may name otherwise.
    """
    if value is None:
        return "missing_property" if planned.required and not bound else None
    if not fits(planned.type, value):
        return "invalid_type"
    if planned.allowed:
        values = value if isinstance(value, list) else [value]
        if any(shown(one) not in planned.allowed for one in values):
            return "invalid_code"
    return None


def shown(value: Any) -> str:
    """A value as the plan writes it.

    >>> shown(True), shown(3.0), shown("a")
    ('true', '3', 'a')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def unplanned(plan: TrackingPlan, seen: Seen) -> list[Unplanned]:
    """Unplanned events first, most frequent first; then properties, by event and name."""
    return [*_events(plan, seen), *_properties(plan, seen)]


def _events(plan: TrackingPlan, seen: Seen) -> list[Unplanned]:
    found: dict[str, list[tuple[int, int]]] = {}
    for one in seen.arrived:
        if one.event not in plan.events and not one.event.startswith(_OWN):
            found.setdefault(one.event, []).append((one.source, one.count))
    rows = []
    for name, places in found.items():
        count = sum(count for _, count in places)
        sources = tuple(sorted(source for source, _ in places))
        rows.append(Unplanned(name, "", None, count, count, sources))
    return sorted(rows, key=lambda it: (-it.count, it.event))


def _properties(plan: TrackingPlan, seen: Seen) -> list[Unplanned]:
    values: dict[tuple[str, str], list[tuple[int, Any]]] = {}
    looked: dict[str, int] = {}
    for one in seen.looked:
        event = plan.events.get(one.event)
        if event is None:
            continue
        looked[one.event] = looked.get(one.event, 0) + len(one.bodies)
        known = _known(event)
        for body in one.bodies:
            for name, value in body.items():
                if name not in known and not name.startswith(_OWN):
                    values.setdefault((one.event, name), []).append((one.source, value))
    return [
        Unplanned(
            event,
            name,
            type_of(found[0][1]),
            len(found),
            looked[event],
            tuple(sorted({source for source, _ in found})),
            samples_of(value for _, value in found),
        )
        for (event, name), found in sorted(values.items())
    ]


def misfits(plan: TrackingPlan, seen: Seen, bound: Bound) -> list[Misfit]:
    """Violations among the newest events, most frequent first."""
    found: dict[tuple[str, str, int, str], Misfit] = {}
    for one in seen.looked:
        event = plan.events.get(one.event)
        for planned in event.properties if event else ():
            if planned.status not in CHECKED:
                continue
            for body in one.bodies:
                value = body.get(planned.name)
                code = violation_of(planned, value, bound=(one.event, planned.name) in bound)
                if code is None:
                    continue
                key = (one.event, planned.name, one.source, code)
                row = found.setdefault(key, Misfit(*key, expected=_expected(planned, code)))
                row.count, row.looked = row.count + 1, len(one.bodies)
                if value is not None and len(row.samples) < MOST_SAMPLES:
                    row.samples = list(dict.fromkeys([*row.samples, *samples_of([value])]))
    return sorted(found.values(), key=lambda it: (-it.count, it.event, it.property, it.source))


def samples_of(values: Any) -> tuple[str, ...]:
    """Some of the values, each once, cut short."""
    found: dict[str, None] = {}
    for value in values:
        found[shown(value)[:LONGEST_SAMPLE]] = None
        if len(found) == MOST_SAMPLES:
            break
    return tuple(found)


def _expected(planned: PlannedProperty, code: str) -> str:
    return ", ".join(planned.allowed)[:200] if code == "invalid_code" else planned.type.value


def _known(event: PlannedEvent) -> set[str]:
    return {p.name for p in event.properties if p.status is not PointStatus.RETIRED}


class Guard:
    """Refuses what leaves the published plan, as far as one source is to be strict."""

    def __init__(self, plan: TrackingPlan, severities: Severities, bound: Bound) -> None:
        self._events = plan.events
        self._bound = bound
        self._strict = severities
        self._known = {name: _known(event) for name, event in plan.events.items()}
        self._checked = {
            name: [p for p in event.properties if p.status in CHECKED]
            for name, event in plan.events.items()
        }

    def check(
        self, event: str, properties: Mapping[str, Any], free: Mapping[str, str]
    ) -> Violation | None:
        """The first departure; ``free`` names properties that packs take anywhere.

        Codes: ``unplanned_event``, ``unplanned_property``, ``missing_property``,
        ``invalid_type``, ``invalid_code``.
        """
        return next(self._departures(event, properties, free), None)

    def _departures(
        self, event: str, properties: Mapping[str, Any], free: Mapping[str, str]
    ) -> Iterator[Violation]:
        if event.startswith(_OWN):
            return
        if event not in self._events:
            if self._strict.unplanned_event is Severity.QUARANTINE:
                yield Violation("unplanned_event", "event")
            return
        if self._strict.unplanned_property is Severity.QUARANTINE:
            known = self._known[event]
            for name in properties:
                if name not in known and name not in free and not name.startswith(_OWN):
                    yield Violation("unplanned_property", path_of("properties", name))
        if self._strict.violation is Severity.QUARANTINE:
            for planned in self._checked[event]:
                value, bound = properties.get(planned.name), (event, planned.name) in self._bound
                code = violation_of(planned, value, bound=bound)
                if code is not None:
                    yield Violation(code, f"properties.{planned.name}")
