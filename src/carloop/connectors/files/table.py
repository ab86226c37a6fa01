"""What every file format becomes: named columns and numbered rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from carloop.kit.errors import InvalidInput

Value = str | int | float | bool | datetime | date | None
MOST_COLUMNS = 500
LONGEST_ROW = 256 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``number`` counts from 1 and leaves the header out."""

    number: int
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, with the code of why (``column_count``, ``row_too_long``)."""

    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows.

    Attributes:
        total: number of rows where the format knows it.
        rows: starts reading from the first row, any number of times.
        encoding: of a text format.
    """

    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row | BadRow]]
    total: int | None = None
    encoding: str = ""


def named(headers: Sequence[object]) -> tuple[str, ...]:
    """Column names: trimmed, never empty, each once.

    Raises:
        InvalidInput: ``too_many_columns``.

    >>> named([" a ", "a", None])
    ('a', 'a_2', 'column_3')
    """
    if len(headers) > MOST_COLUMNS:
        raise InvalidInput(f"more than {MOST_COLUMNS} columns", code="too_many_columns")
    names: list[str] = []
    for place, header in enumerate(headers, start=1):
        base = "" if header is None else str(header).strip().strip("\ufeff")[:200]
        name = base = base or f"column_{place}"
        copy = 2
        while name in names:
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
    return tuple(names)
