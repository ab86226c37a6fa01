"""Events as they arrive, newest first, within a caller's scope."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from carloop.app.entities.lookup import entity_text
from carloop.app.persons.lookup import Persons
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events, person

COLUMNS = (
    "event_id, event, occurred_at, received_at, source, entities, seq, "
    "toJSONString(properties) AS body"
)


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
        text = events(scope, params, f"{COLUMNS}, {number} AS who", where)
        text = f"{text} ORDER BY seq DESC LIMIT {params.add(limit, 'UInt32')}"
        rows = self._events.query(Query(text, params.values), scope).dicts()
        return self.named(caller, rows)

    def named(self, caller: Caller, rows: Sequence[Mapping[str, Any]]) -> list[EventRow]:
        """Rows with their persons, entities and sources by name.

        Args:
            caller: names of persons are for those who may read them.
            rows: with the columns of ``COLUMNS``, and ``who``.
        """
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
