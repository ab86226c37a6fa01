"""``everyone``: the whole population."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from carloop.rules.history import History
from carloop.rules.people import EVERYONE, People
from carloop.rules.words import Names

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every known person."""

    kind: Literal["everyone"] = "everyone"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        return EVERYONE

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        return True

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        return "所有人" if lang == "zh" else "everyone"
