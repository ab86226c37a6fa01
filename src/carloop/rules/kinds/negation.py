"""``not``: the opposite of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

import carloop.rules as language
from carloop.rules.history import History
from carloop.rules.people import People
from carloop.rules.words import Names

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler


@dataclass(frozen=True, slots=True)
class Not:
    """Persons who do not satisfy the rule."""

    rule: language.Rule
    kind: Literal["not"] = "not"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        return self.rule.people(compiler).inverted()

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        return not self.rule.matches(history, now)

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        inner = self.rule.sentence(lang, names)
        return f"不满足（{inner}）" if lang == "zh" else f"not ({inner})"
