"""``identifier``: a usable value of an identifier type: form, check digit, no fake.

VINs (GB 16735, 49 CFR 565), ID cards (GB 11643), mobile numbers, IMEIs and the rest are judged by
the very functions that take them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from carloop.core.cells import as_text
from carloop.core.identifiers import (
    IdentifierTypes,
    InvalidIdentifier,
    RawIdentifier,
)
from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row
from carloop.engines.quality.values import is_empty


@dataclass(frozen=True, slots=True)
class IdentifierRule:
    """Faults: ``placeholder`` (fakes such as 13800138000), ``format``, ``checksum``, ``masked``.

    ``type``: the name of an identifier type, or an alias of it.
    """

    field: str
    type: str
    kind: Literal["identifier"] = "identifier"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check | None:
        """Judges cells that hold something, a placeholder too."""
        known = self.type in context.identifiers.by_alias
        return _Usable(self.field, self.type, context.identifiers) if known else None


class _Usable(CellCheck):
    def __init__(self, column: str, type_: str, types: IdentifierTypes) -> None:
        super().__init__(column)
        self._type = type_
        self._types = types

    def look(self, number: int, row: Row) -> str | None:
        value = row.get(self.column)
        return None if is_empty(value) else self.judge(value, row)

    def judge(self, value: Any, row: Row) -> str | None:
        try:
            self._types.normalise(RawIdentifier(self._type, as_text(value), "-"))
        except InvalidIdentifier as error:
            return error.code
        return GOOD
