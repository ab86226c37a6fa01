"""Wait: a fixed time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from carloop.engines.journeys.effects import Effect, Go, NodeState, Park

MAX_DAYS = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Stays for ``days`` + ``hours`` + ``minutes`` after arrival; elapsed time, no calendar."""

    ports: ClassVar[tuple[str, ...]] = ("next",)
    title: ClassVar[dict[str, str]] = {"zh": "等待", "en": "Wait"}

    id: str
    kind: Literal["wait"] = "wait"
    days: Annotated[int, Field(ge=0, le=MAX_DAYS)] = 0
    hours: Annotated[int, Field(ge=0, le=MAX_DAYS * 24)] = 0
    minutes: Annotated[int, Field(ge=0, le=MAX_DAYS * 24 * 60)] = 0

    @property
    def duration_ms(self) -> int:
        """How long, in milliseconds."""
        return ((self.days * 24 + self.hours) * 60 + self.minutes) * 60_000

    def step(self, state: NodeState, now: int) -> Effect:
        """Park until the time is over; the very instant counts as over."""
        due = state.arrived_at + self.duration_ms
        return Go() if now >= due else Park(due)
