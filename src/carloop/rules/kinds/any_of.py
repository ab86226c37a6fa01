"""``any``: at least one of several rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

import carloop.rules as language
from carloop.rules.history import History
from carloop.rules.people import People, some
from carloop.rules.words import Names, grouped

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Persons who satisfy at least one of the rules; at least one is given."""

    rules: tuple[language.Rule, ...]
    kind: Literal["any"] = "any"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not self.rules:
            raise ValueError("at least one rule")

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        return some([rule.people(compiler) for rule in self.rules])

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        return any(rule.matches(history, now) for rule in self.rules)

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        return grouped(lang, self.rules, " 或 " if lang == "zh" else " or ", names)
