"""``attribute``: a field of the profile compared with a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from carloop.rules.comparison import Comparison, Op, Value
from carloop.rules.history import History
from carloop.rules.people import People
from carloop.rules.reading import read_attribute
from carloop.rules.words import Names, comparison_words

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler


@dataclass(frozen=True, slots=True)
class Attribute:
    """Persons whose ``field`` satisfies the comparison.

    A missing field satisfies only ``not_exists``, ``!=``, ``not_in`` and ``not_contains``: "is not
    X" includes "unknown".
    """

    field: str
    op: Op
    value: Value = None
    kind: Literal["attribute"] = "attribute"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.field) <= 128:
            raise ValueError("a field name has 1 to 128 characters")
        Comparison(self.op, self.value)

    @property
    def comparison(self) -> Comparison:
        """The operator and its value."""
        return Comparison(self.op, self.value)

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        found = compiler.attribute(self.field, self.comparison)
        return found.inverted() if self.comparison.negated else found

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        actual = read_attribute(history.attributes.get(self.field))
        return self.comparison.holds(actual, now, history.zone)

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        return comparison_words(lang, names.field(self.field, lang), self.comparison)
