"""``chronology``: a time not before another: no test drive before the first contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row
from carloop.engines.quality.values import instant_in, is_empty


@dataclass(frozen=True, slots=True)
class Chronology:
    """Fault: ``out_of_order``: ``field`` lies before ``not_before``.

    Attributes:
        not_before: a column of the same row; with ``reference``, of the row of that table which
            ``key``, a column of this row, names.
        format: of both times, as :class:`~carloop.engines.quality.kinds.dates.DateRule` has it.
        tolerance_seconds: so much earlier is no fault, for clocks that differ.
    """

    field: str
    not_before: str
    reference: str = ""
    key: str = ""
    format: str = "iso"
    tolerance_seconds: float = 0
    kind: Literal["chronology"] = "chronology"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if bool(self.reference) != bool(self.key):
            raise ValueError("reference and key go together")
        if not 0 <= self.tolerance_seconds <= 31_536_000:
            raise ValueError("tolerance_seconds between 0 and a year")

    @property
    def columns(self) -> tuple[str, ...]:
        """The later time."""
        return (self.field,)

    def open(self, context: Context) -> Check | None:
        """Judges rows that hold both times; None where the other table is not at hand."""
        if self.reference and self.reference not in context.references:
            return None
        return _Ordered(self, context)


class _Ordered(CellCheck):
    def __init__(self, rule: Chronology, context: Context) -> None:
        super().__init__(rule.field)
        self._rule = rule
        self._zone = context.zone
        self._others = context.references.get(rule.reference)
        self._tolerance = timedelta(seconds=rule.tolerance_seconds)

    def judge(self, value: Any, row: Row) -> str | None:
        rule, first = self._rule, row
        if self._others is not None:
            key = row.get(rule.key)
            first = {} if is_empty(key) else self._others.get(as_text(key), {})
        earlier = first.get(rule.not_before)
        at = instant_in(value, rule.format, self._zone)
        before = None if is_empty(earlier) else instant_in(earlier, rule.format, self._zone)
        if at is None or before is None:
            return None
        return GOOD if at + self._tolerance >= before else "out_of_order"
