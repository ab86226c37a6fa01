"""``duplicate``: the same again within some days: one person's leads for one series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, Check, Context, Dimension, Late, Row
from carloop.engines.quality.values import instant_in, is_empty


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Fault: ``duplicate``: the same ``fields`` came at most ``days`` before.

    Judged in order of ``time``, whatever the order of the rows; a chain of repeats is judged link
    by link, so that each but the first is one. ``format`` is that of the times.
    """

    fields: tuple[str, ...]
    time: str
    days: float = 30
    format: str = "iso"
    kind: Literal["duplicate"] = "duplicate"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.fields) <= 10:
            raise ValueError("one to ten columns")
        if not 0 < self.days <= 3653:
            raise ValueError("days between 0 and ten years")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are the same."""
        return self.fields

    def open(self, context: Context) -> Check:
        """Remembers every key with its times."""
        return _Again(self, context)


class _Again:
    def __init__(self, rule: Duplicate, context: Context) -> None:
        self._rule = rule
        self._zone = context.zone
        self._found: dict[tuple[str, ...], list[tuple[float, int]]] = {}

    def look(self, number: int, row: Row) -> str | None:
        values = [row.get(column) for column in self._rule.fields]
        if any(is_empty(value) for value in values):
            return None
        at = instant_in(row.get(self._rule.time), self._rule.format, self._zone)
        if at is None:
            return None
        key = tuple(as_text(value) for value in values)
        self._found.setdefault(key, []).append((at.timestamp(), number))
        return GOOD

    def late(self) -> Iterable[Late]:
        within = timedelta(days=self._rule.days).total_seconds()
        for key, rows in self._found.items():
            for (before, _), (at, number) in pairwise(sorted(rows)):
                if at - before <= within:
                    yield Late(number, "duplicate", key[0])
