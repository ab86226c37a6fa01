"""``date``: a date or time of the expected form, not before and not after what can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Literal

from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row
from carloop.engines.quality.values import instant_in


@dataclass(frozen=True, slots=True)
class DateRule:
    """Faults: ``invalid_date``, ``too_early``, ``too_late``.

    ``format``: as ``strptime``, or ``iso``, or ``ms``. ``since`` and ``until`` are days or times in
    ISO form, the end included.
    """

    field: str
    format: str = "iso"
    since: str = ""
    until: str = ""
    kind: Literal["date"] = "date"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for bound in (self.since, self.until):
            if bound:
                datetime.fromisoformat(bound)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Judges cells that hold something."""
        return _Dated(self, context.zone)


class _Dated(CellCheck):
    def __init__(self, rule: DateRule, zone: tzinfo) -> None:
        super().__init__(rule.field)
        self._format = rule.format
        self._zone = zone
        self._since = instant_in(rule.since, "iso", zone) if rule.since else None
        self._until = instant_in(rule.until, "iso", zone) if rule.until else None

    def judge(self, value: Any, row: Row) -> str | None:
        at = instant_in(value, self._format, self._zone)
        if at is None:
            return "invalid_date"
        if self._since is not None and at < self._since:
            return "too_early"
        if self._until is not None and at > self._until:
            return "too_late"
        return GOOD
