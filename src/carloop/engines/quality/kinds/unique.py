"""``unique``: no two rows with the same values in these columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from carloop.core.cells import as_text
from carloop.engines.quality.checks import GOOD, Check, Context, Dimension, Late, Row
from carloop.engines.quality.values import is_empty


@dataclass(frozen=True, slots=True)
class Unique:
    """Fault: ``repeated``, of every row but the first. Rows with an empty column are not judged."""

    fields: tuple[str, ...]
    kind: Literal["unique"] = "unique"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.fields) <= 10:
            raise ValueError("one to ten columns")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns together."""
        return self.fields

    def open(self, context: Context) -> Check:
        """Remembers a hash of every key."""
        return _Once(self.fields)


class _Once:
    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._seen: set[int] = set()

    def look(self, number: int, row: Row) -> str | None:
        values = [row.get(column) for column in self._columns]
        if any(is_empty(value) for value in values):
            return None
        key = hash(tuple(as_text(value) for value in values))
        if key in self._seen:
            return "repeated"
        self._seen.add(key)
        return GOOD

    def late(self) -> Iterable[Late]:
        return ()
