"""Events as they arrive, and the catalogue of what builders may choose from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from carloop.app.entity_desk import entity_text
from carloop.app.persons import Persons
from carloop.core.fields import FieldClass
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission, Scope
from carloop.kit.clock import Clock, to_ms
from carloop.rules import FIELD_OPS
from carloop.rules.comparison import IDENTIFYING_OPS
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events, person

RECENT_DAYS = 7
SAMPLED = 2_000
"""Newest events that the catalogue looks into for properties nobody planned."""


@dataclass(frozen=True, slots=True)
class EntityName:
    """A vehicle, dealer … that an event names; ``key`` is masked where it is personal."""

    type: str
    id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, newest first in lists.

    Attributes:
        person: number of its person; 0: about entities alone.
        seq: its place in the order of arrival.
    """

    id: UUID
    event: str
    title: Mapping[str, str] | None
    occurred_at: datetime
    received_at: datetime
    source: int
    source_name: str | None
    person: int
    person_id: UUID | None
    person_display: str | None
    entities: Sequence[EntityName]
    properties: Mapping[str, Any]
    seq: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; None does not limit. ``before``: arrived before this sequence."""

    event: str | None = None
    source: int | None = None
    person: int | None = None
    before: int | None = None


class Events:
    """Reads events within a caller's scope."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        catalogue: Catalogue,
        cipher: Cipher,
        persons: Persons,
    ) -> None:
        self._state = state
        self._cipher = cipher
        self._events = event_store
        self._catalogue = catalogue
        self._persons = persons

    def recent(self, caller: Caller, asked: Filter, limit: int) -> list[EventRow]:
        """The newest events by arrival, within the caller's scope."""
        scope, params = caller.scope, Params()
        number = person(scope.tenant)
        where = []
        for column, value, type_ in (
            ("event", asked.event, "String"),
            ("source", asked.source, "UInt32"),
            (number, asked.person, "UInt32"),
        ):
            if value is not None:
                where.append(f"{column} = {params.add(value, type_)}")
        if asked.before is not None:
            where.append(f"seq < {params.add(asked.before, 'UInt64')}")
        columns = (
            "event_id, event, occurred_at, received_at, source, entities, seq, "
            f"{number} AS who, toJSONString(properties) AS body"
        )
        text = events(scope, params, columns, where)
        text = f"{text} ORDER BY seq DESC LIMIT {params.add(limit, 'UInt32')}"
        rows = self._events.query(Query(text, params.values), scope).dicts()
        return self._named(caller, rows)

    def _named(self, caller: Caller, rows: Sequence[Mapping[str, Any]]) -> list[EventRow]:
        with self._state.read() as tx:
            sources = {s.id: s.name for s in tx.sources.list(caller.scope.tenant)}
            entities = self._entities(tx, caller.scope.tenant, rows)
        known = {}
        if caller.may(Permission.PERSON_READ):
            numbers = sorted({int(row["who"]) for row in rows} - {0})
            known = {p.number: p for p in self._persons.summaries(caller, numbers)}
        found = []
        for row in rows:
            kind = self._catalogue.event_types.get(row["event"])
            who = known.get(int(row["who"]))
            found.append(
                EventRow(
                    id=row["event_id"],
                    event=row["event"],
                    title=kind.title if kind else None,
                    occurred_at=row["occurred_at"],
                    received_at=row["received_at"],
                    source=int(row["source"]),
                    source_name=sources.get(int(row["source"])),
                    person=int(row["who"]),
                    person_id=who.id if who else None,
                    person_display=who.display if who else None,
                    entities=[
                        entities[kind_and_number]
                        for kind_and_number in row["entities"].items()
                        if kind_and_number in entities
                    ],
                    properties=json.loads(row["body"]),
                    seq=int(row["seq"]),
                )
            )
        return found

    def _entities(
        self, tx: Tx, tenant: int, rows: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, int], EntityName]:
        numbers: dict[str, set[int]] = {}
        for row in rows:
            for type_, number in row["entities"].items():
                numbers.setdefault(type_, set()).add(int(number))
        return {
            (type_, entity.number): EntityName(
                type_, UUID(bytes=entity.uuid), entity_text(tx, self._cipher, tenant, entity)[0]
            )
            for type_, wanted in numbers.items()
            for entity in tx.entities.by_numbers(tenant, type_, wanted)
        }


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


class CatalogueReader:
    """The catalogue in force, with what has been seen."""

    def __init__(self, event_store: EventStore, catalogue: Catalogue, clock: Clock) -> None:
        self._events = event_store
        self.catalogue = catalogue
        self._clock = clock

    def events(self, scope: Scope) -> list[EventEntry]:
        """Event types, planned ones first."""
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


def _samples(values: Sequence[Any]) -> list[str]:
    texts = [v for v in values if isinstance(v, str) and len(v) <= 40]
    return list(dict.fromkeys(texts))[:10]


def _type(values: Sequence[Any]) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", list: "list"}
    return kinds.get(type(values[0]), "string")
