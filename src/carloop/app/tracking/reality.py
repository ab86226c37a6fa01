"""What really arrives: events by source, and the properties of the newest ones."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from carloop.core.ports.event_store import EventStore
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, to_ms
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events
from carloop.sql.select import nested, select

MOST_PAIRS = 20_000
"""Pairs of event and source that are counted, most frequent first."""
PER_PAIR = 100
"""Newest events of each event and source whose properties are looked at."""
MOST_BODIES = 20_000
BY_DAY = "event, source, toDate(occurred_at, 'UTC') AS on_day, count()"
KEPT_SECONDS, BUSY_SECONDS = 30, 2
MOST_KEPT = 32


@dataclass(frozen=True, slots=True)
class Arrived:
    """How often one event came from one source within the window; times in epoch ms."""

    event: str
    source: int
    count: int
    first_at: int
    last_at: int


@dataclass(slots=True)
class Looked:
    """The newest bodies of one event and source."""

    event: str
    source: int
    bodies: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was there at ``as_of``, of the ``days`` before."""

    as_of: datetime
    days: int
    arrived: tuple[Arrived, ...]
    looked: tuple[Looked, ...]

    @property
    def counts(self) -> dict[tuple[str, int], int]:
        """By event and source."""
        return {(a.event, a.source): a.count for a in self.arrived}


class Reality:
    """Reads the event store within a caller's scope.

    Answers are kept at most ``KEPT_SECONDS``, and ``BUSY_SECONDS`` once newer events have arrived.
    """

    def __init__(self, event_store: EventStore, clock: Clock) -> None:
        self._events = event_store
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[Hashable, Seen] = {}
        self._changed: datetime | None = None

    def notice(self) -> None:
        """New events can be read: what is kept no longer shows all of them."""
        with self._lock:
            self._changed = self._clock.now()

    def forget(self) -> None:
        """Let go of everything kept, as after an erasure: bodies are values of events."""
        with self._lock:
            self._kept.clear()

    def seen(self, scope: Scope, days: int) -> Seen:
        """Events that occurred in the last ``days`` days."""
        dims = tuple(sorted((name, tuple(sorted(own))) for name, own in scope.dims.items()))
        key, now = (scope.tenant, dims, days), self._clock.now()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._holds(kept, now):
                return kept
        found = Seen(now, days, self._arrived(scope, days), self._looked(scope, days))
        with self._lock:
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return found

    def _holds(self, kept: Seen, now: datetime) -> bool:
        newer = self._changed is not None and self._changed >= kept.as_of
        most = BUSY_SECONDS if newer else KEPT_SECONDS
        return timedelta(0) <= now - kept.as_of < timedelta(seconds=most)

    def by_day(self, scope: Scope, event: str, days: int) -> list[tuple[str, int, int]]:
        """UTC day, source and count of one event, by day."""
        params = Params()
        where = [self._since(params, days), f"event = {params.add(event, 'String')}"]
        text = events(scope, params, BY_DAY, where, "event, source, on_day")
        text = f"{text} ORDER BY on_day, source LIMIT {params.add(MOST_PAIRS, 'UInt32')}"
        rows = self._events.query(Query(text, params.values), scope).rows
        return [(str(day), int(source), int(count)) for _, source, day, count in rows]

    def _arrived(self, scope: Scope, days: int) -> tuple[Arrived, ...]:
        params = Params()
        columns = (
            "event, source, count() AS times, toUnixTimestamp64Milli(min(occurred_at)), "
            "toUnixTimestamp64Milli(max(occurred_at))"
        )
        text = events(scope, params, columns, [self._since(params, days)], "event, source")
        most = params.add(MOST_PAIRS, "UInt32")
        text = f"{text} ORDER BY times DESC, event, source LIMIT {most}"
        rows = self._events.query(Query(text, params.values), scope).rows
        return tuple(
            Arrived(str(e), int(s), int(n), int(first), int(last)) for e, s, n, first, last in rows
        )

    def _looked(self, scope: Scope, days: int) -> tuple[Looked, ...]:
        params = Params()
        newest = f"arrayJoin(groupArraySorted({PER_PAIR})(-toInt64(seq))) AS place"
        chosen = events(scope, params, newest, [self._since(params, days)], "event, source")
        text = events(
            scope,
            params,
            "event, source, toJSONString(properties) AS body",
            [
                self._since(params, days),
                f"-toInt64(seq) IN {nested(select('place', nested(chosen)))}",
            ],
        )
        text = f"{text} LIMIT {params.add(MOST_BODIES, 'UInt32')}"
        found: dict[tuple[str, int], Looked] = {}
        for event, source, body in self._events.query(Query(text, params.values), scope).rows:
            key = (str(event), int(source))
            found.setdefault(key, Looked(*key)).bodies.append(json.loads(body))
        return tuple(found[key] for key in sorted(found))

    def _since(self, params: Params, days: int) -> str:
        since = to_ms(self._clock.now() - timedelta(days=days))
        return f"occurred_at >= fromUnixTimestamp64Milli({params.add(since, 'Int64')}, 'UTC')"


def kept_counts(seen: Seen) -> Mapping[str, int]:
    """Events by name, all sources together."""
    found: dict[str, int] = {}
    for arrived in seen.arrived:
        found[arrived.event] = found.get(arrived.event, 0) + arrived.count
    return found
