"""``required``: a cell that must be filled; a placeholder does not fill it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from carloop.engines.quality.checks import GOOD, Check, Context, Dimension, Late, Row
from carloop.engines.quality.values import is_empty, is_placeholder


@dataclass(frozen=True, slots=True)
class Required:
    """Faults: ``missing``, ``placeholder``."""

    field: str
    kind: Literal["required"] = "required"

    dimension: ClassVar = Dimension.COMPLETENESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Judges every row."""
        return _Filled(self.field)


class _Filled:
    def __init__(self, column: str) -> None:
        self._column = column

    def look(self, number: int, row: Row) -> str | None:
        value = row.get(self._column)
        if is_empty(value):
            return "missing"
        return "placeholder" if is_placeholder(value) else GOOD

    def late(self) -> Iterable[Late]:
        return ()
