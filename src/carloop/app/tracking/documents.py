"""A plan as a document (JSON, YAML, a workbook) and back; everything wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from carloop.core.fields import FieldType
from carloop.core.pack import EventType
from carloop.core.tracking import (
    ANYWHERE,
    PlannedEvent,
    PlannedProperty,
    PlanSettings,
    PointStatus,
    Severities,
    Severity,
    Touchpoint,
    TrackingPlan,
)
from carloop.kit.errors import InvalidInput

FORMAT = "carloop_plan"
MOST_EVENTS, MOST_PROPERTIES, MOST_TOUCHPOINTS, MOST_ALLOWED = 2_000, 200, 200, 200
MOST_FAULTS = 100
"""Faults that are told of one document."""
MOST_SOURCES = 50
LONGEST_NAME, LONGEST_TEXT, LONGEST_ALLOWED = 200, 2_000, 100
"""Characters. A list of allowed values fits into one cell of a workbook, 32 767 characters."""
LANGUAGES = ("zh", "en")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_PLACE = re.compile(r"^[A-Za-z0-9_.\-\u4e00-\u9fff ]{1,64}$")
_E = TypeVar("_E", bound=StrEnum)


class Fault(NamedTuple):
    """What is wrong where.

    Codes: ``plan_shape``, ``plan_member_unknown``, ``plan_name_invalid``, ``plan_text_invalid``,
    ``plan_too_many``, ``plan_repeated``, ``plan_value_unknown``, ``plan_touchpoint_unknown``,
    ``plan_base_type``, ``plan_base_required``.
    """

    path: str
    code: str


@dataclass(slots=True)
class Reader:
    """Reads documents, collecting faults; what is faulty is left out of the answer."""

    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, code: str) -> None:
        """Note one, as far as there is room."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(path, code))

    def refuse(self) -> None:
        """Raise where anything was wrong.

        Raises:
            InvalidInput: with the code and path of the first fault, and all of them in ``faults``.
        """
        if self.faults:
            first = self.faults[0]
            told = [fault._asdict() for fault in self.faults]
            raise InvalidInput("the plan is not valid", code=first.code, path=first.path,
                               faults=told)  # fmt: skip

    def plan(self, document: Any) -> TrackingPlan:
        """A whole plan: ``{touchpoints: […], events: […]}``."""
        known = {FORMAT, "touchpoints", "events"}
        given = self._mapping(document, "", known)
        touchpoints: dict[str, Touchpoint] = {}
        for path, one in self._list(given.get("touchpoints"), "touchpoints", MOST_TOUCHPOINTS):
            place = self.touchpoint(one, path)
            if place is not None and self._new(place.name, touchpoints, f"{path}.name"):
                touchpoints[place.name] = place
        events: dict[str, PlannedEvent] = {}
        for path, one in self._list(given.get("events"), "events", MOST_EVENTS):
            event = self.event(one, path)
            if event is not None and self._new(event.name, events, f"{path}.name"):
                events[event.name] = event
        return TrackingPlan(events=events, touchpoints=touchpoints)

    def touchpoint(self, document: Any, path: str) -> Touchpoint | None:
        """One touchpoint; None where it has no usable name."""
        given = self._mapping(document, path, {"name", "title", "sources"})
        name = given.get("name")
        if not isinstance(name, str) or not _PLACE.match(name) or name != name.strip():
            self.fault(f"{path}.name", "plan_name_invalid")
            return None
        sources = self._texts(given.get("sources"), f"{path}.sources", MOST_SOURCES, LONGEST_NAME)
        return Touchpoint(name=name, title=self._title(given, path), sources=sources)

    def event(self, document: Any, path: str = "") -> PlannedEvent | None:
        """One event; None where it has no usable name."""
        at = f"{path}." if path else ""
        known = {"name", "title", "stage", "owner", "description", "touchpoints", "properties"}
        given = self._mapping(document, path, known)
        name = self._name(given.get("name"), f"{at}name")
        properties: dict[str, PlannedProperty] = {}
        for place, one in self._list(given.get("properties"), f"{at}properties", MOST_PROPERTIES):
            planned = self._property(one, place)
            if planned is not None and self._new(planned.name, properties, f"{place}.name"):
                properties[planned.name] = planned
        if name is None:
            return None
        return PlannedEvent(
            name=name,
            title=self._title(given, path),
            stage=self._text(given.get("stage"), f"{at}stage", LONGEST_NAME),
            owner=self._text(given.get("owner"), f"{at}owner", LONGEST_NAME),
            description=self._text(given.get("description"), f"{at}description", LONGEST_TEXT),
            points=self._points(given.get("touchpoints"), f"{at}touchpoints"),
            properties=tuple(properties.values()),
        )

    def _property(self, document: Any, path: str) -> PlannedProperty | None:
        known = {
            "name", "title", "type", "required", "allowed", "owner", "status", "description",
        }  # fmt: skip
        given = self._mapping(document, path, known)
        name = self._name(given.get("name"), f"{path}.name")
        if name is None:
            return None
        return PlannedProperty(
            name=name,
            title=self._title(given, path),
            type=self._choice(given.get("type"), FieldType, FieldType.STRING, f"{path}.type"),
            required=self._flag(given.get("required"), f"{path}.required"),
            allowed=self._texts(
                given.get("allowed"), f"{path}.allowed", MOST_ALLOWED, LONGEST_ALLOWED
            ),
            owner=self._text(given.get("owner"), f"{path}.owner", LONGEST_NAME),
            status=self._choice(
                given.get("status"), PointStatus, PointStatus.DESIGN, f"{path}.status"
            ),
            description=self._text(given.get("description"), f"{path}.description", LONGEST_TEXT),
        )

    def _points(self, value: Any, path: str) -> dict[str, PointStatus]:
        if not value and value is not False:
            return {ANYWHERE: PointStatus.DESIGN}
        if not isinstance(value, Mapping):
            self.fault(path, "plan_shape")
            return {}
        if len(value) > MOST_TOUCHPOINTS:
            self.fault(path, "plan_too_many")
            return {}
        points = {}
        for name, status in value.items():
            if not isinstance(name, str) or (name != ANYWHERE and not _PLACE.match(name)):
                self.fault(path, "plan_name_invalid")
                continue
            points[name] = self._choice(status, PointStatus, PointStatus.DESIGN, f"{path}.{name}")
        return points

    def _mapping(self, value: Any, path: str, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fault(path, "plan_shape")
            return {}
        for name in value:
            if name not in known:
                self.fault(path, "plan_member_unknown")
        return value

    def _list(self, value: Any, path: str, most: int) -> Iterator[tuple[str, Any]]:
        if value is None or value == "":
            return
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.fault(path, "plan_shape")
            return
        if len(value) > most:
            self.fault(path, "plan_too_many")
            return
        for place, one in enumerate(value):
            yield f"{path}[{place}]", one

    def _new(self, name: str, there: Mapping[str, Any], path: str) -> bool:
        if name in there:
            self.fault(path, "plan_repeated")
            return False
        return True

    def _name(self, value: Any, path: str) -> str | None:
        """Names are as senders write them: any characters but control ones."""
        if (
            isinstance(value, str)
            and 0 < len(value) <= LONGEST_NAME
            and value == value.strip()
            and not _CONTROL.search(value)
        ):
            return value
        self.fault(path, "plan_name_invalid")
        return None

    def _title(self, given: Mapping[str, Any], path: str) -> dict[str, str]:
        value = given.get("title")
        at = f"{path}.title" if path else "title"
        if value is None or value == "":
            return {}
        if not isinstance(value, Mapping) or any(name not in LANGUAGES for name in value):
            self.fault(at, "plan_shape")
            return {}
        titles = {n: self._text(value.get(n), f"{at}.{n}", LONGEST_NAME) for n in LANGUAGES}
        return {language: text for language, text in titles.items() if text}

    def _text(self, value: Any, path: str, longest: int) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > longest or _CONTROL.search(
            value.replace("\n", " ") if longest == LONGEST_TEXT else value
        ):  # fmt: skip
            self.fault(path, "plan_text_invalid")
            return ""
        return value.strip()

    def _texts(self, value: Any, path: str, most: int, longest: int) -> tuple[str, ...]:
        texts = [self._text(one, at, longest) for at, one in self._list(value, path, most)]
        return tuple(dict.fromkeys(text for text in texts if text))

    def _flag(self, value: Any, path: str) -> bool:
        if value is None or isinstance(value, bool):
            return bool(value)
        text = str(value).strip().lower()
        if text in ("true", "false", ""):
            return text == "true"
        self.fault(path, "plan_value_unknown")
        return False

    def _choice(self, value: Any, kind: type[_E], usual: _E, path: str) -> _E:
        if value is None or value == "":
            return usual
        try:
            return kind(value)
        except ValueError:
            self.fault(path, "plan_value_unknown")
            return usual


def check(
    reader: Reader,
    plan: TrackingPlan,
    declared: Mapping[str, EventType],
    path: Callable[[str], str],
) -> None:
    """What one event cannot know: touchpoints that are not there, types that a pack has fixed.

    Args:
        reader: takes the faults.
        plan: the events to check, with all touchpoints.
        declared: the packs' events.
        path: of an event in its document.
    """
    for event in plan.events.values():
        for touchpoint in event.points:
            if touchpoint != ANYWHERE and touchpoint not in plan.touchpoints:
                place = f"{path(event.name)}touchpoints.{touchpoint}"
                reader.fault(place, "plan_touchpoint_unknown")
        kind = declared.get(event.name)
        fixed = {p.name: p for p in kind.properties} if kind else {}
        for number, planned in enumerate(event.properties):
            base = fixed.get(planned.name)
            if base is None:
                continue
            place = f"{path(event.name)}properties[{number}]"
            if planned.type is not base.type:
                reader.fault(f"{place}.type", "plan_base_type")
            if base.required and not planned.required:
                reader.fault(f"{place}.required", "plan_base_required")


def event_document(event: PlannedEvent) -> dict[str, Any]:
    """The form that :meth:`Reader.event` reads; members that say nothing are left out."""
    told = {
        "name": event.name,
        "title": dict(event.title),
        "stage": event.stage,
        "owner": event.owner,
        "description": event.description,
        "touchpoints": {name: status.value for name, status in event.points.items()},
        "properties": [
            _short(
                {
                    "name": p.name,
                    "title": dict(p.title),
                    "type": p.type.value,
                    "required": p.required,
                    "allowed": list(p.allowed),
                    "owner": p.owner,
                    "status": p.status.value,
                    "description": p.description,
                }
            )
            for p in event.properties
        ],
    }
    return {**_short(told), "touchpoints": told["touchpoints"]}


def touchpoint_document(place: Touchpoint) -> dict[str, Any]:
    """The form that :meth:`Reader.touchpoint` reads."""
    told = {"name": place.name, "title": dict(place.title), "sources": list(place.sources)}
    return _short(told)


def plan_document(plan: TrackingPlan) -> dict[str, Any]:
    """The form that :meth:`Reader.plan` reads, in order of name."""
    return {
        FORMAT: 1,
        "touchpoints": [touchpoint_document(t) for _, t in sorted(plan.touchpoints.items())],
        "events": [event_document(e) for _, e in sorted(plan.events.items())],
    }


def settings_document(settings: PlanSettings, touchpoints: Mapping[str, Touchpoint]) -> Any:
    """What is kept in force without being published, and the touchpoints under work."""
    return {
        "default": _severities(settings.default),
        "sources": {str(number): _severities(s) for number, s in settings.sources.items()},
        "touchpoints": [touchpoint_document(t) for _, t in sorted(touchpoints.items())],
    }


def stored_settings(document: Mapping[str, Any]) -> tuple[PlanSettings, dict[str, Touchpoint]]:
    """What :func:`settings_document` kept."""
    reader = Reader()
    places = [reader.touchpoint(one, "") for one in document.get("touchpoints", ())]
    settings = PlanSettings(
        default=_of(document.get("default", {})),
        sources={int(n): _of(one) for n, one in document.get("sources", {}).items()},
    )
    return settings, {place.name: place for place in places if place is not None}


def _severities(severities: Severities) -> dict[str, str]:
    return {
        "unplanned_event": severities.unplanned_event.value,
        "unplanned_property": severities.unplanned_property.value,
        "violation": severities.violation.value,
    }


def _of(document: Mapping[str, str]) -> Severities:
    return Severities(**{name: Severity(value) for name, value in document.items()})


def _short(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in ("", [], {}, False)}
