"""Bring what changed in the state store to the event store.

The queue says *that* something changed; the rows are read from the state store when they are
written, with the queue's id as their version, so that the newest truth wins whatever is repeated.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from carloop.app.persons.profiles import FieldBook, unpack
from carloop.core.fields import FieldType
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.profiles import Attribute
from carloop.core.ports.projection import Change, QueuedChange
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.engines.identity.survivorship import Winner, winner
from carloop.kit.clock import from_ms
from carloop.kit.faults import reach
from carloop.sql import literal_ints

BATCH = 20_000
PROJECTED = ("events", "attributes", "grants", "fragments")
FIRST_RANK = 2_000
"""Values only ever set once rank behind all that were set. Among them the *earliest* must win where
the newest ``occurred_at`` does, so theirs counts down from ``FAR``."""
FAR = 7_258_118_400_000
RELOAD_SECONDS = 1.0
Row = dict[str, Any]
_encode = msgspec.json.Encoder().encode


class Projector:
    """Drains the projection queue; idempotent, restartable at any point, thread-safe."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        catalogue: Catalogue,
        cipher: Cipher,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._events = event_store
        self._book = FieldBook(catalogue, cipher)
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._stale: set[int] = set()
        self._reloaded_at = float("-inf")

    def drain(self) -> int:
        """Project everything that waits; returns how many changes that were.

        Dictionaries are reloaded at most once a second; the last reload may be left to the next
        call (see :meth:`settle`).
        """
        with self._lock:
            total = 0
            while count := self._step():
                total += count
            if self._stale and self._monotonic() - self._reloaded_at >= RELOAD_SECONDS:
                self.settle()
            return total

    def settle(self) -> None:
        """Reload the dictionaries that are stale, now."""
        with self._lock:
            for tenant in sorted(self._stale):
                self._events.ensure_tenant(tenant)
                self._events.reload_persons(tenant)
            self._stale.clear()
            self._reloaded_at = self._monotonic()

    def _step(self) -> int:
        with self._state.read() as tx:
            queued = _at_once(tx.projection.next(BATCH))
            tables = self._rows(tx, [one for q in queued for one in _each(q)])
        if not queued:
            return 0
        for table, rows in tables.items():
            if rows:
                self._events.insert(table, b"\n".join([_encode(row) for row in rows]))
        reach("projector.inserted")
        for tenant in {q.tenant for q in queued}:
            self._erase(
                tenant,
                [q.change.a for q in queued if (q.tenant, q.change.kind) == (tenant, "erased")],
            )
        self._stale |= {q.tenant for q in queued if q.change.kind in _MOVING}
        with self._state.write() as tx:
            tx.projection.done([q.id for q in queued])
        reach("projector.done")
        return len(queued)

    def _erase(self, tenant: int, fragments: Sequence[int]) -> None:
        """Remove every row of these fragments, physically, before this returns."""
        for start in range(0, len(fragments), 1_000):
            numbers = literal_ints(fragments[start : start + 1_000])
            for table in PROJECTED:
                self._events.delete(table, f"tenant = {int(tenant)} AND fragment IN {numbers}")
            reach("projector.erased")

    def _rows(self, tx: Tx, queued: Sequence[QueuedChange]) -> Mapping[str, list[Row]]:
        tables: dict[str, list[Row]] = {"fragments": [], "attributes": [], "grants": []}
        for tenant in {q.tenant for q in queued}:
            newest = {q.change: q.id for q in queued if q.tenant == tenant}
            by_kind: dict[str, list[QueuedChange]] = {}
            for change, id in newest.items():
                by_kind.setdefault(change.kind, []).append(QueuedChange(id, tenant, change))
            tables["fragments"] += _fragments(tx, tenant, by_kind.get("fragment", ()))
            tables["attributes"] += self._attributes(tx, tenant, by_kind.get("attribute", ()))
            tables["grants"] += _grants(by_kind.get("grant", ()))
        return tables

    def _attributes(self, tx: Tx, tenant: int, queued: Iterable[QueuedChange]) -> list[Row]:
        queued = list(queued)
        numbers = {q.change.a for q in queued}
        held = {(a.number, a.field): a for a in tx.profiles.attributes(tenant, numbers)}
        rows = []
        for q in queued:
            place: Row = {
                "tenant": tenant,
                "field": q.change.name,
                "fragment": q.change.a,
                "version": q.id,
            }
            stored = held.get((q.change.a, q.change.name))
            value = self._value(stored) if stored else None
            rows.append(place | (value or _GONE))
        return rows

    def _value(self, stored: Attribute) -> Row | None:
        """The typed columns of a value; of an identifying one only its blind index."""
        if self._book.identifying(stored.field):
            if stored.blind is None:
                return None
            return _stamped(stored.occurred_at, "", 0, False) | {"text": stored.blind.hex()}
        found = winner(unpack(stored.state))
        if found is None:
            return None
        stamped = _stamped(found.stamp.at, found.stamp.message_id, found.rank, found.first)
        return stamped | typed(self._book.field(stored.field).type, found)


def _at_once(queued: list[QueuedChange]) -> list[QueuedChange]:
    """The first of them, at least one, that come to about ``BATCH`` rows."""
    rows = 0
    for index, one in enumerate(queued):
        if rows >= BATCH:
            return queued[:index]
        rows += len(_numbers(one.change)) if one.change.kind == "fragments" else 1
    return queued


def _each(queued: QueuedChange) -> Iterable[QueuedChange]:
    if queued.change.kind != "fragments":
        return (queued,)
    return [queued._replace(change=Change("fragment", n)) for n in _numbers(queued.change)]


def _numbers(change: Change) -> range:
    return range(change.a, change.b + 1)


_MOVING = ("fragment", "fragments", "erased")
_GONE: Row = {"deleted": 1, "occurred_at": "1970-01-01 00:00:00.000", "message_id": "", "rank": 0}


def _stamped(at: int, message_id: str, rank: int, first: bool) -> Row:
    if first:
        rank, at = rank + FIRST_RANK, FAR - at
    return {"occurred_at": _datetime(at), "message_id": message_id, "rank": rank}


def typed(type_: FieldType, found: Winner) -> Row:
    """The columns of a value: ``text`` always where it fits, and the one of its own type."""
    value = found.value
    if isinstance(value, list):
        return {"list": [str(item) for item in value]}
    if isinstance(value, bool):
        return {"text": "true" if value else "false", "number": float(value)}
    if isinstance(value, (int, float)):
        row: Row = {"number": float(value), "text": f"{value:.15g}"}
        if type_ in (FieldType.DATE, FieldType.DATETIME):
            row["date"] = _in_range(value)
        return row
    row = {"text": value}
    if type_ is FieldType.NUMBER:
        row["number"] = _number(value)
    elif type_ in (FieldType.DATE, FieldType.DATETIME):
        row["date"] = _date(value)
    elif type_ is FieldType.LIST:
        row["list"] = [value]
    return row


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None


def _date(text: str) -> str | None:
    try:
        at = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _in_range(int(at.timestamp() * 1000))


def _in_range(ms: float) -> str | None:
    """As the store writes it, or ``None`` outside of what ``DateTime64`` can hold."""
    return _datetime(int(ms)) if -2_208_988_800_000 <= ms < 10_413_792_000_000 else None


def _datetime(ms: int) -> str:
    return from_ms(ms).strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03d}"


def _fragments(tx: Tx, tenant: int, queued: Iterable[QueuedChange]) -> list[Row]:
    versions = {q.change.a: q.id for q in queued}
    persons = {f.number: f.person for f in tx.identity.by_numbers(tenant, versions)}
    return [
        {
            "tenant": tenant,
            "fragment": number,
            "person": persons.get(number, number),
            "version": version,
            "deleted": int(number not in persons),
        }
        for number, version in versions.items()
    ]


def _grants(queued: Iterable[QueuedChange]) -> list[Row]:
    return [
        {
            "tenant": q.tenant,
            "dimension": q.change.name,
            "entity": q.change.b,
            "fragment": q.change.a,
            "version": q.id,
        }
        for q in queued
    ]
