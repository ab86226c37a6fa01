"""``codes``: a value that a code table knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row


@dataclass(frozen=True, slots=True)
class Codes:
    """Fault: ``unknown_code``. Either ``allowed`` values, or a code ``table`` by its name."""

    field: str
    allowed: tuple[str, ...] = ()
    table: str = ""
    kind: Literal["codes"] = "codes"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if bool(self.allowed) == bool(self.table):
            raise ValueError("either allowed values or a table")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check | None:
        """Judges cells that hold something; None while nobody has imported the table."""
        known = frozenset(self.allowed) if self.allowed else context.codes.get(self.table)
        return _Known(self.field, known) if known else None


class _Known(CellCheck):
    def __init__(self, column: str, known: frozenset[str]) -> None:
        super().__init__(column)
        self._known = known

    def judge(self, value: Any, row: Row) -> str | None:
        return GOOD if as_text(value) in self._known else "unknown_code"
