"""What happened to an entity: a vehicle's service, a dealer's stock, whoever was there."""

from __future__ import annotations

from dataclasses import dataclass

from carloop.app.entities.lookup import EntityLookup
from carloop.app.events import COLUMNS, EventRow, Events
from carloop.core.ports.event_store import EventStore
from carloop.core.scope import Caller
from carloop.kit.clock import to_ms
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events, person

Place = tuple[int, int]
"""(occurred_at in milliseconds, seq) of the last event shown."""


@dataclass(frozen=True, slots=True)
class EntityTimeline:
    """A page of an entity's events, newest first.

    Attributes:
        events: those of the page.
        total: how many there are in all, of the type asked for.
        place: where to go on; None at the end.
    """

    events: list[EventRow]
    total: int
    place: Place | None


class EntityStory:
    """Reads the events that name an entity, within a caller's scope."""

    def __init__(self, event_store: EventStore, lookup: EntityLookup, named: Events) -> None:
        self._store = event_store
        self._lookup = lookup
        self._named = named

    def timeline(
        self,
        caller: Caller,
        type_: str,
        id: str,
        limit: int,
        before: Place | None = None,
        event: str | None = None,
    ) -> EntityTimeline:
        """Events that name the entity, with a person or without.

        Raises:
            NotFound: ``entity_unknown``: no such entity, or not in the caller's scope.
        """
        number = self._lookup.get(caller, type_, id).entity.number
        scope, params = caller.scope, Params()
        value = params.add(number, "UInt32")
        where = [
            f"entities[{params.add(type_, 'String')}] = {value}",
        ]
        if event is not None:
            where.append(f"event = {params.add(event, 'String')}")
        counted = Query(events(scope, params, "count()", where), dict(params.values))
        total = int(self._store.query(counted, scope).rows[0][0])
        if before is not None:
            at = f"fromUnixTimestamp64Milli({params.add(before[0], 'Int64')}, 'UTC')"
            seq = params.add(before[1], "UInt64")
            where += [f"occurred_at <= {at}", f"(occurred_at, seq) < ({at}, {seq})"]
        text = events(scope, params, f"{COLUMNS}, {person(scope.tenant)} AS who", where)
        text += f" ORDER BY occurred_at DESC, seq DESC LIMIT {params.add(limit + 1, 'UInt32')}"
        rows = self._store.query(Query(text, params.values), scope).dicts()
        shown = self._named.named(caller, rows[:limit])
        last = shown[-1] if len(rows) > limit else None
        return EntityTimeline(shown, total, (to_ms(last.occurred_at), last.seq) if last else None)
