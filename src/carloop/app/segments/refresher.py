"""Keeps segments true: after new data, and as time alone moves people in and out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from pyroaring import BitMap

from carloop.app.segments.audiences import Audiences
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.segments import Segment, SegmentChange, Snapshot
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import CarloopError
from carloop.kit.faults import reach
from carloop.rules import moves_with_time, parse
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events, person
from carloop.sql.select import nested, select

log = structlog.get_logger(__name__)

LEAST_SECONDS = 2.0
COST_FACTOR = 20.0
"""While data arrives, a segment is computed every two seconds, but at most 5 % of the time."""
IDLE_SECONDS = 4.0
IDLE_FACTOR = 100.0
"""While only time passes, every four seconds, but at most 1 % of the time."""
SETTLE_SECONDS = 2.0
"""How long after new data its projection (aliases, attributes, grants) may still be on its way."""
RECHECK_SECONDS = 60.0
"""Even where nothing was noticed, every segment is computed this often."""
STAMP_MS = 20_000
"""How old ``refreshed_at`` of an unchanged segment may be: nothing is written more often."""


class Listener(Protocol):
    """Hears of every change of membership, in the transaction that records it."""

    def changed(self, tx: Tx, change: SegmentChange) -> None:
        """Persons entered or left a segment."""
        ...


@dataclass(slots=True)
class _Last:
    started: float
    cost: float
    version: int


class SegmentRefresher:
    """Recomputes segments that may have changed. One thread calls :meth:`run_once`."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        audiences: Audiences,
        clock: Clock,
        listener: Listener | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._events = event_store
        self._audiences = audiences
        self._clock = clock
        self._listener = listener
        self._monotonic = monotonic
        self._last: dict[tuple[int, int], _Last] = {}
        self._noticed_at = float("-inf")
        self._lock = threading.Lock()

    def notice(self) -> None:
        """New data arrived: segments whose turn has come are computed anew."""
        self._noticed_at = self._monotonic()

    def run_once(self) -> int:
        """Refresh every segment that is due; returns how many those were."""
        with self._state.read() as tx:
            segments = [s for t in tx.tenants.all() for s in tx.segments.all(t.id)]
        due = [segment for segment in segments if self._due(segment)]
        for segment in due:
            try:
                self.refresh(segment.tenant, segment.id)
            except CarloopError as error:
                log.warning("segment_not_refreshed", segment=segment.uuid, code=error.code)
                self._note(segment, self._monotonic())
        return len(due)

    def refresh(self, tenant: int, id: int) -> None:
        """Compute one segment now; record the snapshot and tell the listener in one transaction.

        Raises:
            InvalidInput: the rule cannot be asked any more.
            Unavailable: the event store does not answer.
        """
        with self._lock:
            started = self._monotonic()
            with self._state.read() as tx:
                segment = tx.segments.get(tenant, id)
                before = tx.segments.snapshot(tenant, id)
                seq = tx.pipeline.last_seen()
            if segment is None or segment.deleted_at is not None:
                return
            now = self._clock.now()
            members = self._audiences.persons(parse(segment.rule), Scope(tenant), now)
            known = BitMap.deserialize(before.members) if before else None
            same = known == members and before is not None
            if before is not None and same and before.rule_version == segment.version:
                self._stamp(segment, before, to_ms(now), seq)
            else:
                change = self._change(segment, known, members, to_ms(now), before)
                self._store(segment, members, change, seq)
            self._note(segment, started)

    def _due(self, segment: Segment) -> bool:
        last = self._last.get((segment.tenant, segment.id))
        if last is None or last.version != segment.version:
            return True
        waited = self._monotonic() - last.started
        if last.started < self._noticed_at + SETTLE_SECONDS:
            return waited >= max(LEAST_SECONDS, COST_FACTOR * last.cost)
        if waited >= RECHECK_SECONDS:
            return True
        idle = waited >= max(IDLE_SECONDS, IDLE_FACTOR * last.cost)
        return idle and moves_with_time(parse(segment.rule))

    def _note(self, segment: Segment, started: float) -> None:
        cost = self._monotonic() - started
        self._last[segment.tenant, segment.id] = _Last(started, cost, segment.version)

    def _stamp(self, segment: Segment, before: Snapshot, now: int, seq: int) -> None:
        if now - before.refreshed_at < STAMP_MS:
            return
        snapshot = Snapshot(before.members, before.count, now, segment.version, seq)
        with self._state.write() as tx:
            tx.segments.put_snapshot(segment.tenant, segment.id, snapshot)

    def _store(
        self, segment: Segment, members: BitMap, change: SegmentChange | None, seq: int
    ) -> None:
        as_of = change.as_of if change else to_ms(self._clock.now())
        snapshot = Snapshot(members.serialize(), len(members), as_of, segment.version, seq)
        reach("segments.computed")
        with self._state.write() as tx:
            tx.segments.put_snapshot(segment.tenant, segment.id, snapshot)
            if change is not None and self._listener is not None:
                self._listener.changed(tx, change)

    def _change(
        self,
        segment: Segment,
        known: BitMap | None,
        members: BitMap,
        now: int,
        before: Snapshot | None,
    ) -> SegmentChange | None:
        """Who came and went; None for the first snapshot, which nobody entered."""
        if known is None or before is None:
            return None
        entered, left = members - known, known - members
        history = self._by_history(segment.tenant, entered, before.seq)
        return SegmentChange(
            tenant=segment.tenant,
            segment=segment.id,
            entered=list(entered - history),
            left=list(left),
            as_of=now,
            entered_by_history=list(history),
        )

    def _by_history(self, tenant: int, entered: BitMap, seq: int) -> BitMap:
        """Those of ``entered`` all of whose events beyond ``seq`` are imported history."""
        if not entered:
            return BitMap()
        scope, params = Scope(tenant), Params()
        asked = params.add(list(entered), "Array(UInt32)")
        number = person(tenant)
        rows = events(
            scope,
            params,
            f"{number} AS person, min(historical) AS only_history",
            [f"seq > {params.add(seq, 'UInt64')}", f"has({asked}, {number})"],
            group="person",
        )
        text = select("person", nested(rows), where=["only_history = 1"])
        return BitMap(self._events.query_numbers(Query(text, params.values), scope))
