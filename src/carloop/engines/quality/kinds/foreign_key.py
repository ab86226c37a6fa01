"""``foreign_key``: the key of a row in another table: a dealer, a vehicle, a customer."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Fault: ``unknown_key``. ``reference``: a table given beside this one, or a code table."""

    field: str
    reference: str
    kind: Literal["foreign_key"] = "foreign_key"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check | None:
        """Judges cells that hold something; None where the other table is not at hand."""
        known = context.references.get(self.reference) or context.codes.get(self.reference)
        return _Exists(self.field, known) if known else None


class _Exists(CellCheck):
    def __init__(self, column: str, known: Container[str]) -> None:
        super().__init__(column)
        self._known = known

    def judge(self, value: Any, row: Row) -> str | None:
        return GOOD if as_text(value) in self._known else "unknown_key"
