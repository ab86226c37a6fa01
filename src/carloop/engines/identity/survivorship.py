"""Which value of a field survives, whatever order the writes arrive in.

The state of one field is a fold over its writes that any order leaves the same: per source rank
the latest ``set``, the earliest ``set_once`` writes, the increments, the appended items, and the
stamp up to which an ``unset`` or ``delete`` wiped all of them. The value is read off the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from carloop.core.events import OpKind

Value = str | float | int | bool | list[str]

KEPT_FIRSTS = 8
KEPT_DELTAS = 100
KEPT_ITEMS = 500


class Stamp(NamedTuple):
    """The place of a write in time: milliseconds since the epoch, then the message id."""

    at: int
    message_id: str


class Write(NamedTuple):
    """One write to one field; ``rank`` is 0 for the field's best source."""

    op: str
    value: Value | None
    stamp: Stamp
    rank: int = 0
    source: int = 0


class FieldState(msgspec.Struct, frozen=True, array_like=True):
    """What the writes of one field leave behind.

    Attributes:
        wiped: writes up to this stamp are gone.
        sets: the latest ``set`` of each rank, best rank first.
        firsts: the earliest ``set_once`` writes, at most ``KEPT_FIRSTS``.
        deltas: increments; beyond ``KEPT_DELTAS`` the oldest are added up.
        items: appended items with their latest stamp, newest last, at most ``KEPT_ITEMS``.
    """

    wiped: Stamp | None = None
    sets: tuple[Write, ...] = ()
    firsts: tuple[Write, ...] = ()
    deltas: tuple[tuple[Stamp, float], ...] = ()
    items: tuple[tuple[Stamp, str], ...] = ()


class Winner(NamedTuple):
    """The surviving value, and the write it stems from (the latest that adds to it)."""

    value: Value
    stamp: Stamp
    rank: int
    source: int
    first: bool
    """True where only ``set_once`` and what builds on it speak: among persons the earliest wins."""


def fold(state: FieldState, writes: Iterable[Write]) -> FieldState:
    """``state`` after ``writes``, in any order. Each write must be given exactly once."""
    for write in writes:
        state = _STEPS[OpKind(write.op)](state, write)
    return state


def wipe(state: FieldState, until: Stamp | None) -> FieldState:
    """``state`` without anything written up to ``until``."""
    if until is None:
        return state
    return FieldState(
        max(until, state.wiped) if state.wiped else until,
        tuple(w for w in state.sets if w.stamp > until),
        tuple(w for w in state.firsts if w.stamp > until),
        tuple(d for d in state.deltas if d[0] > until),
        tuple(i for i in state.items if i[0] > until),
    )


def winner(state: FieldState) -> Winner | None:
    """The value that survives, or ``None`` where nothing stands."""
    base = next(iter(state.sets), None) or next(iter(state.firsts), None)
    since = base.stamp if base else Stamp(-(2**63), "")
    deltas = [d for d in state.deltas if d[0] > since]
    items = [i for i in state.items if i[0] > since]
    if base is None and not deltas and not items:
        return None
    value = base.value if base else None
    if deltas:
        start = value if isinstance(value, (int, float)) else 0
        value = start + sum(amount for _, amount in deltas)
    elif items:
        before = value if isinstance(value, list) else []
        value = [*before, *(text for _, text in items if text not in before)]
    if value is None:
        return None
    last = max([since, *(stamp for stamp, _ in deltas), *(stamp for stamp, _ in items)])
    first = not state.sets and bool(state.firsts)
    return Winner(value, last, base.rank if base else 0, base.source if base else 0, first)


def _set(state: FieldState, write: Write) -> FieldState:
    if _gone(state, write):
        return state
    others = [w for w in state.sets if w.rank != write.rank]
    same = [w for w in state.sets if w.rank == write.rank]
    latest = max([*same, write], key=_place)
    return msgspec.structs.replace(
        state, sets=tuple(sorted([*others, latest], key=lambda w: w.rank))
    )


def _set_once(state: FieldState, write: Write) -> FieldState:
    if _gone(state, write):
        return state
    firsts = sorted([*state.firsts, write], key=_place)[:KEPT_FIRSTS]
    return msgspec.structs.replace(state, firsts=tuple(firsts))


def _increment(state: FieldState, write: Write) -> FieldState:
    if _gone(state, write) or not isinstance(write.value, (int, float)):
        return state
    deltas = sorted([*state.deltas, (write.stamp, write.value)])
    if len(deltas) > KEPT_DELTAS:
        (_, one), (stamp, two), *rest = deltas
        deltas = [(stamp, one + two), *rest]
    return msgspec.structs.replace(state, deltas=tuple(deltas))


def _append(state: FieldState, write: Write) -> FieldState:
    if _gone(state, write):
        return state
    new = write.value if isinstance(write.value, list) else [str(write.value)]
    latest = {text: stamp for stamp, text in state.items}
    for text in new:
        latest[text] = max(latest.get(text, write.stamp), write.stamp)
    items = sorted((stamp, text) for text, stamp in latest.items())[-KEPT_ITEMS:]
    return msgspec.structs.replace(state, items=tuple(items))


def _wipe(state: FieldState, write: Write) -> FieldState:
    return wipe(state, write.stamp)


def _gone(state: FieldState, write: Write) -> bool:
    return state.wiped is not None and write.stamp <= state.wiped


def _place(write: Write) -> tuple[Stamp, int, bytes]:
    """Order of writes; two of one message are told apart by their values."""
    return write.stamp, write.source, msgspec.json.encode(write.value)


_STEPS = {
    OpKind.SET: _set,
    OpKind.SET_ONCE: _set_once,
    OpKind.INCREMENT: _increment,
    OpKind.APPEND: _append,
    OpKind.UNSET: _wipe,
    OpKind.DELETE: _wipe,
}
