"""Condition: yes or no by a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from carloop.engines.journeys.effects import Ask, Effect, Go, NodeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Asks whether the person satisfies a rule now, and takes ``yes`` or ``no``."""

    ports: ClassVar[tuple[str, ...]] = ("yes", "no")
    title: ClassVar[dict[str, str]] = {"zh": "条件判断", "en": "Condition"}

    id: str
    rule: dict[str, Any]
    kind: Literal["condition"] = "condition"

    def step(self, state: NodeState, now: int) -> Effect:
        """Ask first, then follow the answer."""
        if state.answer is None:
            return Ask(self.rule)
        return Go("yes" if state.answer else "no")
