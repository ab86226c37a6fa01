"""Rules over the rows of one table: one pass, counts per rule and per cell, a few examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from carloop.core.cells import as_text
from carloop.engines.quality.checks import Check, Context, Dimension, Row, RowRule
from carloop.engines.quality.values import shown

EXAMPLES = 10
"""Faulty cells that are kept as examples, of each code."""
COMMON = 5
"""A faulty code is shown as it is where so many rows hold it: it is then nobody's own."""
MOST_CODES = 1_000


@dataclass(frozen=True, slots=True)
class Example:
    """A faulty cell: its row, what is wrong, and what may be shown of it."""

    number: int
    code: str
    shown: str


@dataclass(slots=True)
class Outcome:
    """What one rule found; ``opened`` False where what it refers to is not there."""

    rule: RowRule
    opened: bool = True
    checked: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)

    def unknown(self, code: str) -> list[dict[str, str]]:
        """Unknown codes that many rows hold, most first, with how many."""
        if code != "unknown_code":
            return []
        common = self.values.most_common(EXAMPLES)
        return [{"value": v[:40], "count": str(n)} for v, n in common if n >= COMMON]

    @property
    def failed(self) -> int:
        """Faulty rows."""
        return self.codes.total()

    @property
    def column(self) -> str:
        """The columns it judges, as one name."""
        return " + ".join(self.rule.columns)


@dataclass(slots=True)
class Share:
    """A score's two numbers; they add up across tables and days."""

    good: int = 0
    total: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.good + other.good, self.total + other.total)

    @property
    def percent(self) -> float | None:
        """0 to 100; None where nothing was judged.

        >>> Share(999, 1000).percent, Share().percent
        (99.9, None)
        """
        return None if not self.total else 100 * self.good / self.total


@dataclass(slots=True)
class Evaluation:
    """Rows seen, what each rule found, and the score of each column in each dimension."""

    rows: int
    outcomes: list[Outcome]
    scores: dict[tuple[str, Dimension], Share]

    def overall(self, dimension: Dimension) -> Share:
        """The score of the whole table."""
        shares = (share for (_, of), share in self.scores.items() if of is dimension)
        return sum(shares, Share())


class _Cells:
    """Counts cells of one column in one dimension: faulty once, however many rules say so."""

    def __init__(self) -> None:
        self.judged = 0
        self.faulty: set[int] = set()

    @property
    def share(self) -> Share:
        return Share(self.judged - len(self.faulty), self.judged)


def evaluate(
    rules: Sequence[RowRule], rows: Iterable[tuple[int, Row]], context: Context
) -> Evaluation:
    """Every rule on every row.

    Args:
        rules: rules of this table.
        rows: numbered rows.
        context: what the rules may look up.

    Correctness of a column is the share of its judged cells that pass every rule; completeness
    the share of required cells that are filled.
    """
    outcomes = [Outcome(rule) for rule in rules]
    checks: list[tuple[Outcome, Check, _Cells]] = []
    cells: dict[tuple[str, Dimension], _Cells] = {}
    for outcome in outcomes:
        check = outcome.rule.open(context)
        outcome.opened = check is not None
        if check is not None:
            place = (outcome.column, outcome.rule.dimension)
            checks.append((outcome, check, cells.setdefault(place, _Cells())))
    number = 0
    seen = 0
    for number, row in rows:
        seen += 1
        judged: set[int] = set()
        for outcome, check, counted in checks:
            code = check.look(number, row)
            if code is None:
                continue
            outcome.checked += 1
            judged.add(id(counted))
            if code:
                _note(outcome, counted, number, code, row.get(outcome.rule.columns[0]))
        for counted in cells.values():
            counted.judged += id(counted) in judged
    for outcome, check, counted in checks:
        for late in check.late():
            _note(outcome, counted, late.number, late.code, late.value)
    scores = {place: counted.share for place, counted in cells.items()}
    return Evaluation(seen, outcomes, scores)


def _note(outcome: Outcome, cells: _Cells, number: int, code: str, value: Any) -> None:
    outcome.codes[code] += 1
    cells.faulty.add(number)
    if code == "unknown_code" and (
        len(outcome.values) < MOST_CODES or as_text(value) in outcome.values
    ):
        outcome.values[as_text(value)] += 1
    if outcome.codes[code] <= EXAMPLES:
        outcome.examples.append(Example(number, code, shown(value)))
