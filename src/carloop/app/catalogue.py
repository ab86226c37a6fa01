"""The catalogue: what builders may choose from, with what has been seen of it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from carloop.core.fields import FieldClass
from carloop.core.ports.event_store import EventStore
from carloop.core.registry import Catalogue
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, to_ms
from carloop.rules import FIELD_OPS
from carloop.rules.comparison import IDENTIFYING_OPS
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

RECENT_DAYS = 7
SAMPLED = 2_000
"""Newest events that the catalogue looks into for properties nobody planned."""
KEPT_SECONDS, BUSY_SECONDS = 60, 3
MOST_KEPT = 256
"""Scopes whose answer is kept."""


@dataclass(frozen=True, slots=True)
class PropertyEntry:
    """One property of an event, planned or seen; ``samples``: some of its recent values."""

    name: str
    title: Mapping[str, str]
    type: str
    cls: str
    codes: Sequence[str]
    entity: str | None
    planned: bool
    samples: Sequence[str]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One event type, planned or seen; ``count``: events of the last days."""

    name: str
    title: Mapping[str, str]
    stage: str
    planned: bool
    count: int
    properties: Sequence[PropertyEntry]


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One profile field and the operators a rule may ask of it."""

    name: str
    title: Mapping[str, str]
    type: str
    cls: str
    codes: Mapping[str, Mapping[str, str]] | None
    ops: Sequence[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """Event types as they were at ``as_of``."""

    events: Sequence[EventEntry]
    as_of: datetime


class CatalogueReader:
    """The catalogue in force, with what has been seen."""

    def __init__(self, event_store: EventStore, catalogue: Catalogue, clock: Clock) -> None:
        self._events = event_store
        self.catalogue = catalogue
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Seen] = OrderedDict()
        self._changed: datetime | None = None

    def notice(self) -> None:
        """New events can be read: what is kept no longer shows all of them."""
        with self._lock:
            self._changed = self._clock.now()

    def forget(self) -> None:
        """Let go of everything kept, as after an erasure: samples are values of events."""
        with self._lock:
            self._kept.clear()

    def events(self, scope: Scope) -> Seen:
        """Event types, planned ones first, as of a moment ago.

        What one scope sees is kept for that very scope: at most ``KEPT_SECONDS``, and
        ``BUSY_SECONDS`` once newer events have arrived.
        """
        key, now = _key(scope), self._clock.now()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._holds(kept, now):
                self._kept.move_to_end(key)
                return kept
        seen = Seen(self._read(scope), now)
        with self._lock:
            self._kept[key] = seen
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return seen

    def _holds(self, kept: Seen, now: datetime) -> bool:
        newer = self._changed is not None and self._changed >= kept.as_of
        most = BUSY_SECONDS if newer else KEPT_SECONDS
        return timedelta(0) <= now - kept.as_of < timedelta(seconds=most)

    def _read(self, scope: Scope) -> list[EventEntry]:
        counted, seen = self._counted(scope), self._seen(scope)
        planned = self.catalogue.event_types
        names = [*planned, *sorted(set(counted) - set(planned))]
        return [self._event(name, counted.get(name, 0), seen.get(name, {})) for name in names]

    def fields(self) -> list[FieldEntry]:
        """Declared profile fields."""
        return [
            FieldEntry(
                f.name,
                f.title,
                f.type.value,
                f.cls.value,
                f.codes,
                IDENTIFYING_OPS if f.cls is FieldClass.IDENTIFYING else FIELD_OPS[f.type],
            )
            for f in self.catalogue.fields.values()
        ]

    def _event(self, name: str, count: int, seen: Mapping[str, list[Any]]) -> EventEntry:
        kind = self.catalogue.event_types.get(name)
        properties = [
            PropertyEntry(
                p.name,
                p.title,
                p.type.value,
                p.cls.value,
                p.codes,
                p.entity,
                True,
                [] if p.cls is FieldClass.IDENTIFYING else _samples(seen.get(p.name, [])),
            )
            for p in (kind.properties if kind else ())
        ]
        known = {p.name for p in properties}
        properties += [
            PropertyEntry(
                key, {"zh": key, "en": key}, _type(values), "descriptive", (), None, False,
                _samples(values),
            )
            for key, values in sorted(seen.items())
            if key not in known
        ]  # fmt: skip
        plain = {"zh": name, "en": name}
        return EventEntry(
            name,
            kind.title if kind else plain,
            kind.stage if kind else "",
            kind is not None,
            count,
            properties,
        )

    def _counted(self, scope: Scope) -> dict[str, int]:
        params = Params()
        text = events(scope, params, "event, count()", [self._since(params)], "event")
        rows = self._events.query(Query(text, params.values), scope).rows
        return {str(name): int(count) for name, count in rows}

    def _seen(self, scope: Scope) -> dict[str, dict[str, list[Any]]]:
        params = Params()
        columns = "event, toJSONString(properties) AS body"
        text = events(scope, params, columns, [self._since(params)])
        text = f"{text} ORDER BY event LIMIT 20 BY event LIMIT {params.add(SAMPLED, 'UInt32')}"
        found: dict[str, dict[str, list[Any]]] = {}
        for event, body in self._events.query(Query(text, params.values), scope).rows:
            for key, value in json.loads(body).items():
                found.setdefault(event, {}).setdefault(key, []).append(value)
        return found

    def _since(self, params: Params) -> str:
        since = to_ms(self._clock.now() - timedelta(days=RECENT_DAYS))
        return f"occurred_at >= fromUnixTimestamp64Milli({params.add(since, 'Int64')}, 'UTC')"


def _key(scope: Scope) -> Hashable:
    """Equal for scopes that see the same rows, and for no others."""
    dims = tuple(sorted((name, tuple(sorted(own))) for name, own in scope.dims.items()))
    return scope.tenant, scope.persons, dims


def _samples(values: Sequence[Any]) -> list[str]:
    texts = [v for v in values if isinstance(v, str) and len(v) <= 40]
    return list(dict.fromkeys(texts))[:10]


def _type(values: Sequence[Any]) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", list: "list"}
    return kinds.get(type(values[0]), "string")
