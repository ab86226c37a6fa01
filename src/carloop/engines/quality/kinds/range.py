"""``range``: a number between two bounds, both included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row
from carloop.engines.quality.values import number_in


@dataclass(frozen=True, slots=True)
class Range:
    """Faults: ``too_small``, ``too_large``, ``not_a_number``; without bounds, a number at all."""

    field: str
    least: float | None = None
    most: float | None = None
    kind: Literal["range"] = "range"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least is above most")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Judges cells that hold something."""
        return _Between(self)


class _Between(CellCheck):
    def __init__(self, rule: Range) -> None:
        super().__init__(rule.field)
        self._rule = rule

    def judge(self, value: Any, row: Row) -> str | None:
        number = number_in(value)
        if number is None:
            return "not_a_number"
        if self._rule.least is not None and number < self._rule.least:
            return "too_small"
        if self._rule.most is not None and number > self._rule.most:
            return "too_large"
        return GOOD
