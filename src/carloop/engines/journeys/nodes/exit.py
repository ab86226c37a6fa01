"""Exit: the journey ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from carloop.engines.journeys.effects import Effect, Leave, NodeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Ends the journey; ``reason`` is kept with the enrolment."""

    ports: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[dict[str, str]] = {"zh": "结束", "en": "Exit"}

    id: str
    kind: Literal["exit"] = "exit"
    reason: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")] = "completed"

    def step(self, state: NodeState, now: int) -> Effect:
        """Leave."""
        return Leave(self.reason)
