"""What a rule of data quality is: a value that opens a check, which looks at rows one by one.

A check answers for each row: nothing to judge, good, or the code of what is wrong. What only the
whole table can tell (an outlier) it says at the end. Checks hold no database and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol

from carloop.core.identifiers import IdentifierTypes

Row = Mapping[str, Any]
"""Cells by column; a column that is absent is empty."""
GOOD = ""
MOST_REFERENCED = 1_000_000
"""Rows of another table that a reference may hold."""


class Dimension(StrEnum):
    """The four dimensions of the scorecard (catalogue row M04-01), each a share of 0 to 100 %.

    TIMELINESS: events that arrived within the agreed time ÷ events.
    COMPLETENESS: filled required cells ÷ required cells.
    CORRECTNESS: cells that pass every validity rule ÷ cells that some rule judged.
    CONSISTENCY: (entity, attribute) pairs equal in all sources ÷ pairs that several sources hold.
    """

    TIMELINESS = "timeliness"
    COMPLETENESS = "completeness"
    CORRECTNESS = "correctness"
    CONSISTENCY = "consistency"


@dataclass(frozen=True, slots=True)
class Context:
    """What checks may look up.

    Attributes:
        identifiers: the identifier types in force.
        zone: of dates and times without offset.
        references: rows of other tables by key, for foreign keys and dates of another table.
        codes: code tables by name.
    """

    identifiers: IdentifierTypes
    zone: tzinfo = UTC
    references: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Late(NamedTuple):
    """A fault that only the whole table showed: of which row, which value."""

    number: int
    code: str
    value: Any


class Check(Protocol):
    """One rule at work on one table."""

    def look(self, number: int, row: Row) -> str | None:
        """The code of a fault, ``GOOD``, or None where the row holds nothing to judge."""
        ...

    def late(self) -> Iterable[Late]:
        """Faults among the rows called good, once every row was seen."""
        ...


class RowRule(Protocol):
    """A rule on the rows of one table; a frozen dataclass, and a document of the same fields."""

    dimension: ClassVar[Dimension]

    @property
    def kind(self) -> str:
        """Names the kind in documents."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it judges; the first one's value is shown with a fault."""
        ...

    def open(self, context: Context) -> Check | None:
        """A check on one table; None where what it refers to is not there."""
        ...


class CellCheck:
    """A check of one column, cell by cell; empty cells and placeholders are not judged."""

    def __init__(self, column: str) -> None:
        self.column = column

    def look(self, number: int, row: Row) -> str | None:
        """Judge the cell, where there is one."""
        from carloop.engines.quality.values import is_empty, is_placeholder

        value = row.get(self.column)
        if is_empty(value) or is_placeholder(value):
            return None
        return self.judge(value, row)

    def judge(self, value: Any, row: Row) -> str | None:
        """The verdict on a cell that holds something."""
        raise NotImplementedError

    def late(self) -> Iterable[Late]:
        """Nothing: a cell is judged where it stands."""
        return ()
