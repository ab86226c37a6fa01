"""``placeholder``: a cell that says "nothing" in the place of a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, Check, Context, Dimension, Late, Row
from carloop.engines.quality.values import is_empty, is_placeholder


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Fault: ``placeholder``. ``also``: further texts of this column, compared without case."""

    field: str
    also: tuple[str, ...] = ()
    kind: Literal["placeholder"] = "placeholder"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Judges cells that hold something."""
        return _Said(self.field, frozenset(text.strip().casefold() for text in self.also))


class _Said:
    def __init__(self, column: str, also: frozenset[str]) -> None:
        self._column = column
        self._also = also

    def look(self, number: int, row: Row) -> str | None:
        value = row.get(self._column)
        if is_empty(value):
            return None
        nothing = is_placeholder(value) or as_text(value).casefold() in self._also
        return "placeholder" if nothing else GOOD

    def late(self) -> Iterable[Late]:
        return ()
