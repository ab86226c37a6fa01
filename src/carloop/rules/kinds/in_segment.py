"""``in_segment``: membership of another segment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from carloop.rules.history import History
from carloop.rules.people import People
from carloop.rules.words import Names

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler


@dataclass(frozen=True, slots=True)
class InSegment:
    """Persons in the segment with this id, as its rule stands now."""

    segment: str
    kind: Literal["in_segment"] = "in_segment"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.segment) <= 64:
            raise ValueError("not a segment id")

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        return compiler.member(self.segment)

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        return self.segment in history.segments

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        title = names.segment(self.segment, lang)
        return f"属于人群「{title}」" if lang == "zh" else f'is in segment "{title}"'
