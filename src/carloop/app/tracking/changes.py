"""What differs between two plans, event by event, member by member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from carloop.app.tracking.documents import event_document, touchpoint_document
from carloop.core.tracking import TrackingPlan


class Member(NamedTuple):
    """One member of a document; None: it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one event or touchpoint.

    Attributes:
        subject: ``event`` or ``touchpoint``.
        kind: ``added``, ``removed`` or ``changed``.
    """

    subject: str
    name: str
    kind: str
    members: tuple[Member, ...] = ()


def changes(before: TrackingPlan, after: TrackingPlan) -> list[Change]:
    """Touchpoints first, then events, by name; the order of properties does not count."""
    places = (
        {name: touchpoint_document(t) for name, t in plan.touchpoints.items()}
        for plan in (before, after)
    )
    events = ({n: event_document(e) for n, e in plan.events.items()} for plan in (before, after))
    return [*_changes("touchpoint", *places), *_changes("event", *events)]


def _changes(subject: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield Change(subject, name, "added" if old is None else "removed")
            continue
        flat_old, flat_new = dict(_flat(old)), dict(_flat(new))
        members = tuple(
            Member(path, flat_old.get(path), flat_new.get(path))
            for path in sorted({*flat_old, *flat_new})
            if flat_old.get(path) != flat_new.get(path)
        )
        if members:
            yield Change(subject, name, "changed", members)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by path; items that have a name are found by it, lists of texts stay whole."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for item in value:
            yield from _flat(item, f"{path}.{item['name']}")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
