"""Ordered sequences of events per person, as arrays over buckets of persons.

The source has columns ``person UInt32``, ``t UInt64`` (ms since a base before every event, so that
0 means "none"; below 2^36 with the window added), ``seq`` (below 2^52) and ``m UInt16``: bit *k* is
set where the event fits step *k* (from 0), at most 12 steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from carloop.sql.select import nested, select

BUCKET = 4096


@dataclass(frozen=True, slots=True)
class Sequence:
    """``steps`` in order within ``window`` (SQL of a number of ms) of the first."""

    steps: int
    window: str

    def tables(self, source: str) -> dict[str, str]:
        """Named sub-queries; the last one is :attr:`last`.

        Column ``s{k}`` holds at each event the latest entry that reached step *k* before it. An
        event out of the window may carry an entry on: whatever follows is out of it as well.
        """
        place = f"bitOr(bitShiftLeft(toUInt64(person % {BUCKET}), 36), t)"
        tie = "toUInt128(bitOr(bitShiftLeft(toUInt64(seq), 12), toUInt64(m)))"
        key = f"bitOr(bitShiftLeft(toUInt128({place}), 64), {tie})"
        packed = select(
            f"intDiv(person, {BUCKET}) AS bucket, arraySort(groupArray({key})) AS k",
            source,
            group="bucket",
        )
        unpacked = select(
            "bucket, arrayMap(x -> toUInt64(bitShiftRight(x, 64)), k) AS t, "
            "arrayMap(x -> toUInt16(bitAnd(toUInt16(x), 4095)), k) AS m",
            "packed",
        )
        tables = {"packed": packed, "carried0": unpacked}
        for k in range(1, self.steps):
            carried = "arrayMap((x, y) -> if(bitTest(y, 0), x, 0), t, m)" if k == 1 else f"s{k - 1}"
            filled = f"arrayFill((x, y) -> bitTest(y, {k - 1}), {carried}, m)"
            tables[f"carried{k}"] = select(
                f"*, arrayShiftRight({filled}, 1) AS s{k}", f"carried{k - 1}"
            )
        return tables

    @property
    def last(self) -> str:
        """The table that carries every step."""
        return f"carried{self.steps - 1}"

    def reaches(self, k: int, at: str = "x", mask: str = "y", entry: str = "z") -> str:
        """Whether an event reaches step ``k`` (from 1), of its place, mask and carried entry."""
        fits = f"bitTest({mask}, {k - 1})"
        if k == 1:
            return fits
        return f"({fits} AND {entry} > 0 AND {at} <= {entry} + {self.window})"


def reached(sequence: Sequence) -> str:
    """One row: how many persons reached each step, ``n1 …``."""
    columns = []
    for k in range(1, sequence.steps + 1):
        entry = f"s{k - 1}" if k > 1 else "t"
        hits = f"arrayFilter((x, y, z) -> {sequence.reaches(k)}, t, m, {entry})"
        columns.append(f"sum(arrayUniq(arrayMap(x -> bitShiftRight(x, 36), {hits}))) AS n{k}")
    return select(", ".join(columns), sequence.last)


def medians(sequence: Sequence) -> str:
    """One row: the middle ms from entry to each person's first reach of a step, ``m2 …``."""
    steps = range(2, sequence.steps + 1)
    per_bucket = select(", ".join(c for k in steps for c in _hits(sequence, k)), sequence.last)
    firsts = select(", ".join(_first_hits(k) for k in steps), nested(per_bucket))
    results = [f"quantileExactArray(0.5)(f{k}) AS m{k}" for k in steps]
    return select(", ".join(results), nested(firsts))


def _hits(sequence: Sequence, k: int) -> tuple[str, str]:
    """``p{k}``: the person at each event that reaches step ``k``; ``e{k}``: ms since the entry."""
    entry = f"s{k - 1}"
    test = sequence.reaches(k)
    places = f"arrayFilter((x, y, z) -> {test}, t, m, {entry})"
    elapsed = f"arrayMap((x, z) -> x - z, t, {entry})"
    times = f"arrayFilter((e, x, y, z) -> {test}, {elapsed}, t, m, {entry})"
    return f"arrayMap(x -> bitShiftRight(x, 36), {places}) AS p{k}", f"{times} AS e{k}"


def _first_hits(k: int) -> str:
    """``f{k}``: the times at each person's first event that reaches step ``k``."""
    before = f"arrayShiftRight(p{k}, 1, toUInt64(18446744073709551615))"
    return f"arrayFilter((e, p, q) -> p != q, e{k}, p{k}, {before}) AS f{k}"


def levels(sequence: Sequence) -> str:
    """One row per person who entered: ``person`` and the highest ``level`` reached, from 1."""
    entries = [f"s{k}" for k in range(1, sequence.steps)]
    names = [f"z{k}" for k in range(1, sequence.steps)]
    cases = ", ".join(
        f"{sequence.reaches(k, entry=f'z{k - 1}')}, {k}" for k in range(sequence.steps, 0, -1)
    )
    arguments = ", ".join(["x", "y", *names])
    arrays = ", ".join(["t", "m", *entries])
    level = f"arrayMap(({arguments}) -> toUInt8(multiIf({cases}, 0)), {arrays})"
    zipped = f"arrayFilter(r -> r.2 > 0, arrayZip(arrayMap(x -> bitShiftRight(x, 36), t), {level}))"
    rows = select(f"bucket, arrayJoin({zipped}) AS r", sequence.last)
    number = f"toUInt32(bucket * {BUCKET} + r.1)"
    return select(f"{number} AS person, max(r.2) AS level", nested(rows), group="person")
