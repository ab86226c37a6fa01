"""What an import did: counts, and every fault by row in a file that a spreadsheet may open."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REASONS: Mapping[str, str] = {
    "column_count": "the row has more or fewer cells than the header",
    "column_unknown": "the line has a field that the first 1000 lines do not have",
    "row_too_long": "the row is longer than 256 KiB",
    "invalid_encoding": "the row is not in the encoding of the file",
    "malformed_json": "the line is not valid JSON",
    "not_an_object": "the line is not a JSON object",
    "nul": "the row holds a NUL character",
    "missing_identifier": "the row names nobody: no valid identifier and no entity",
    "missing_timestamp": "the time is empty",
    "missing_key": "the key columns are empty",
    "invalid_timestamp": "the value is not a time of the expected format",
    "not_a_number": "the value is not a number",
    "not_a_boolean": "the value is neither yes nor no",
    "profile_without_person": "profile values were left out because the row names no person",
    "placeholder": "the value is a known placeholder, not an identifier",
    "masked": "the value is masked, so it identifies nobody",
    "format": "the value has not the form of its identifier type",
    "checksum": "the check digit is wrong",
    "empty": "the value is empty",
    "too_long": "the value is longer than 255 characters",
    "missing_property": "the tracking plan of the event requires this property",
    "invalid_type": "the value has not the type that the tracking plan requires",
    "invalid_code": "the value is not one that the tracking plan knows",
    "time_in_future": "the time is more than 24 hours ahead",
    "time_too_old": "the time is more than ten years ago",
    "too_large": "the event is larger than 256 KiB",
}
"""Codes of row faults with their reasons; codes of the gateway's guard stand for themselves."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One fault of one row; ``fatal`` where the row was not imported."""

    row: int
    column: str
    code: str
    fatal: bool

    @property
    def reason(self) -> str:
        """The fault in words; never the value."""
        return REASONS.get(self.code, "the event cannot be taken")


@dataclass(slots=True)
class ImportReport:
    """Counts of one import.

    Attributes:
        rows: rows read, in all attempts.
        imported: rows that yielded at least one event.
        rejected: rows that were not imported because something in them is wrong.
        unused: rows to which no event of the mapping applies.
        events: events sent (in a dry run: that would be).
        persons: rows that name a person.
        entities: rows that name an entity, by its type.
        faults: how often each code came up in each column, ``column/code``.
        first: the first twenty faults.
        repeated: the same file and mapping had been imported; nothing was sent.
        cancelled: stopped on request; a repeat goes on from here.
    """

    rows: int = 0
    imported: int = 0
    rejected: int = 0
    unused: int = 0
    events: int = 0
    persons: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    first: list[RowError] = field(default_factory=list)
    dry_run: bool = False
    repeated: bool = False
    cancelled: bool = False

    def note(self, error: RowError) -> None:
        """Count one fault."""
        self.faults[f"{error.column}/{error.code}"] += 1
        if len(self.first) < 20:
            self.first.append(error)

    def document(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "rows": self.rows,
            "imported": self.imported,
            "rejected": self.rejected,
            "unused": self.unused,
            "events": self.events,
            "persons": self.persons,
            "entities": dict(self.entities),
            "faults": dict(self.faults),
            "first": [
                {"row": e.row, "column": e.column, "code": e.code, "fatal": e.fatal}
                for e in self.first
            ],
            "dry_run": self.dry_run,
            "repeated": self.repeated,
            "cancelled": self.cancelled,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ImportReport:
        """A report from its document."""
        values = dict(document)
        values["entities"] = Counter(values["entities"])
        values["faults"] = Counter(values["faults"])
        values["first"] = [RowError(**error) for error in values["first"]]
        return cls(**values)


Sink = Callable[[RowError], None]


class ErrorFile:
    """``<file>.errors.csv``: row, column, severity, code, reason. Made with the first error."""

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self.path = path
        self.count = 0
        self._append = append
        self._file: Any = None

    def __enter__(self) -> Self:
        if not self._append:
            self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __call__(self, error: RowError) -> None:
        """Write one line."""
        if self._file is None:
            fresh = not self.path.exists()
            self._file = self.path.open("a", encoding="utf-8-sig" if fresh else "utf-8", newline="")
            self._writer = csv.writer(self._file)
            if fresh:
                self._writer.writerow(["row", "column", "severity", "code", "reason"])
        self.count += 1
        severity = "rejected" if error.fatal else "left_out"
        self._writer.writerow(
            [error.row, safe_cell(error.column), severity, error.code, error.reason]
        )


def safe_cell(text: str) -> str:
    """Text that a spreadsheet will not take for a formula.

    >>> safe_cell("=1+1"), safe_cell(" @x"), safe_cell("a")
    ("'=1+1", "' @x", 'a')
    """
    first = text.lstrip(" \"'\u00a0")[:1]
    return f"'{text}" if first and first in "=+-@\t\r\n" else text
