"""The numbers of the first page: people, events, segments, sends, freshness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from carloop.app.operation.lag import Lag
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Scope
from carloop.kit.clock import Clock, to_ms
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events, persons
from carloop.sql.select import nested, select

DAYS = 14
TOP = 10
SMALL = 10
"""Counts of people below this are not told to callers who may not see the people."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """How often one event occurred today and in the days before."""

    event: str
    title: Mapping[str, str] | None
    count: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """What the first page shows; ``persons`` is None where the number is too small to tell.

    Days are calendar days of the tenant's zone.
    """

    persons: int | None
    events_today: int
    events_per_day: Sequence[tuple[date, int]]
    top_events: Sequence[EventCount]
    segments: int
    sends: Mapping[str, int]
    freshness_seconds: float
    accepted_batches: int
    loaded_batches: int
    quarantine_open: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts what the caller may see.

    Attributes:
        segments: how many segments a tenant has.
        sends: sends of a tenant by state; asked only for callers that no dimension limits.
        lag: how far loading is behind.
    """

    state: State
    event_store: EventStore
    clock: Clock
    catalogue: Catalogue
    segments: Callable[[Tx, int], int]
    sends: Callable[[Tx, int], Mapping[str, int]]
    lag: Callable[[], Lag]

    def tiles(self, caller: Caller) -> Tiles:
        """The numbers now, within the caller's scope."""
        scope = caller.scope
        with self.state.read() as tx:
            zone = ZoneInfo(tx.tenants.get(scope.tenant).zone)
            segments = self.segments(tx, scope.tenant)
            sends = {} if scope.limited else self.sends(tx, scope.tenant)
            waiting = [] if scope.limited else tx.quarantine.summary(scope.tenant)
        today = self.clock.now().astimezone(zone).date()
        days = self._per_day(scope, zone, today)
        lag = self.lag()
        return Tiles(
            persons=self._persons(scope),
            events_today=days[-1][1],
            events_per_day=days,
            top_events=self._top(scope, zone, today),
            segments=segments,
            sends=sends,
            freshness_seconds=lag.seconds,
            accepted_batches=lag.accepted,
            loaded_batches=lag.loaded,
            quarantine_open=sum(group.count for group in waiting),
        )

    def _persons(self, scope: Scope) -> int | None:
        params = Params()
        text = select("count()", nested(persons(scope, params)))
        rows = self.event_store.query(Query(text, params.values), scope).rows
        number = int(rows[0][0])
        return number if scope.persons or number >= SMALL else None

    def _per_day(self, scope: Scope, zone: ZoneInfo, today: date) -> list[tuple[date, int]]:
        params = Params()
        column = f"toDate(occurred_at, {params.add(zone.key, 'String')}) AS local_day"
        text = events(
            scope, params, f"{column}, count()", self._since(params, zone, today), "local_day"
        )
        rows = self.event_store.query(Query(text, params.values), scope).rows
        found = {str(day): int(count) for day, count in rows}
        shown = (today - timedelta(days=n) for n in reversed(range(DAYS)))
        return [(day, found.get(day.isoformat(), 0)) for day in shown]

    def _top(self, scope: Scope, zone: ZoneInfo, today: date) -> list[EventCount]:
        params = Params()
        text = events(scope, params, "event, count()", self._since(params, zone, today), "event")
        rows = self.event_store.query(Query(text, params.values), scope).rows
        counted = [EventCount(name, self._title(name), int(count)) for name, count in rows]
        return sorted(counted, key=lambda e: (-e.count, e.event))[:TOP]

    def _since(self, params: Params, zone: ZoneInfo, today: date) -> list[str]:
        first = datetime.combine(today - timedelta(days=DAYS - 1), time(), zone)
        last = datetime.combine(today + timedelta(days=1), time(), zone)
        since, until = params.add(to_ms(first), "Int64"), params.add(to_ms(last), "Int64")
        return [
            f"occurred_at >= fromUnixTimestamp64Milli({since}, 'UTC')",
            f"occurred_at < fromUnixTimestamp64Milli({until}, 'UTC')",
        ]

    def _title(self, event: str) -> Mapping[str, str] | None:
        kind = self.catalogue.event_types.get(event)
        return kind.title if kind else None
