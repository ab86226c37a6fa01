"""The tracking plan: what a declared event must hold, and when an event may have happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from carloop.core.events import EntityRef, Envelope
from carloop.core.fields import FieldType
from carloop.core.pack import EventType, Property

DAY_MS = 86_400_000
AHEAD_MS = DAY_MS
OLD_MS = 3653 * DAY_MS
_SCALAR = (str, int, float)
_NUMBER = (int, float)


class Violation(NamedTuple):
    """Why an event does not fit the plan."""

    code: str
    path: str


def check_time(envelope: Envelope, received_at: int) -> Violation | None:
    """At most 24 hours ahead of its arrival and ten years old.

    Codes: ``time_in_future``, ``time_too_old``.
    """
    if envelope.occurred_at > received_at + AHEAD_MS:
        return Violation("time_in_future", "occurred_at")
    if envelope.occurred_at < received_at - OLD_MS:
        return Violation("time_too_old", "occurred_at")
    return None


class Plan:
    """The declared events by name. An event nobody declared passes."""

    def __init__(self, event_types: Mapping[str, EventType]) -> None:
        self._checks = {
            name: tuple(p for p in kind.properties if p.required or _checked(p))
            for name, kind in event_types.items()
        }

    def check(
        self, event: str, properties: Mapping[str, Any], entities: Sequence[EntityRef] = ()
    ) -> Violation | None:
        """The first declared property that is missing, mistyped or has no such code.

        A property that is the key of an entity is not missing where ``entities`` name one.
        Codes: ``missing_property``, ``invalid_type``, ``invalid_code``.
        """
        for planned in self._checks.get(event, ()):
            value = properties.get(planned.name)
            if value is None:
                if planned.required and not any(e.type == planned.entity for e in entities):
                    return Violation("missing_property", f"properties.{planned.name}")
            elif not fits(planned.type, value):
                return Violation("invalid_type", f"properties.{planned.name}")
            elif planned.codes and value not in planned.codes:
                return Violation("invalid_code", f"properties.{planned.name}")
        return None


def _checked(planned: Property) -> bool:
    return bool(planned.codes) or planned.type is not FieldType.STRING or planned.entity is None


def fits(type_: FieldType, value: Any) -> bool:
    """Whether a value, as JSON has it, is of a type; texts take numbers too."""
    if type_ is FieldType.STRING:
        return isinstance(value, _SCALAR)
    if type_ is FieldType.NUMBER:
        return isinstance(value, _NUMBER) and not isinstance(value, bool)
    if type_ is FieldType.BOOLEAN:
        return isinstance(value, bool)
    if type_ is FieldType.LIST:
        return isinstance(value, list)
    return _is_date(value) if type_ is FieldType.DATE else _is_datetime(value)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _is_datetime(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return True
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
