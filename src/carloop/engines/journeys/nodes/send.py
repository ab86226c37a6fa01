"""Send: one message through one channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from carloop.core.consent import MARKETING
from carloop.engines.journeys.effects import Effect, Go, NodeState, Post
from carloop.engines.journeys.templates import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Puts a message into the outbox; whether it may leave is decided when it would.

    Attributes:
        channel: public id of the channel; empty in a draft.
        template: texts by language.
        purpose: what consent is needed for.
        ttl_hours: dropped instead of sent when it could not leave within this time.
    """

    ports: ClassVar[tuple[str, ...]] = ("next",)
    title: ClassVar[dict[str, str]] = {"zh": "发送消息", "en": "Send a message"}

    id: str
    kind: Literal["send"] = "send"
    channel: str = ""
    template: Annotated[dict[Literal["zh", "en"], Text], Field(max_length=2)]
    purpose: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")] = MARKETING
    ttl_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24

    def step(self, state: NodeState, now: int) -> Effect:
        """Post the message and go on."""
        if not self.channel or not self.template:
            return Go()
        texts = {str(language): text for language, text in self.template.items()}
        return Post(self.channel, self.purpose, self.ttl_hours * 3_600_000, texts)
