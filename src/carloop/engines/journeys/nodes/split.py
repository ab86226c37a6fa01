"""Split: a share of the people goes one way, the rest another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from carloop.engines.journeys.effects import Draw, Effect, NodeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Sends ``percent`` of the people by ``a``, the others by ``b``.

    Whoever comes again goes the same way; nothing is drawn by chance.

    Attributes:
        salt: splits with the same salt send a person the same way, in every journey; empty: the
            split is of this node alone.
    """

    ports: ClassVar[tuple[str, ...]] = ("a", "b")
    title: ClassVar[dict[str, str]] = {"zh": "随机分流", "en": "Random split"}

    id: str
    kind: Literal["split"] = "split"
    percent: Annotated[float, Field(ge=0, le=100)] = 50
    salt: Annotated[str, Field(max_length=64, pattern="^[ -~]*$")] = ""

    def step(self, state: NodeState, now: int) -> Effect:
        """Let the engine draw for each person."""
        return Draw(self.salt, self.percent / 100)
