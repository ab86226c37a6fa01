"""What a node may ask of the engine. Nodes decide; they do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carloop.engines.journeys.templates import Template


@dataclass(frozen=True, slots=True)
class NodeState:
    """All a node knows when it is stepped.

    Attributes:
        arrived_at: when the person came to this node, epoch milliseconds.
        answer: what came of the node's ``Ask``; None while it was not put yet.
    """

    arrived_at: int
    answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """Follow the edge that leaves by ``port``."""

    port: str = "next"


@dataclass(frozen=True, slots=True)
class Park:
    """Stay until ``until`` (epoch milliseconds)."""

    until: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Does the person satisfy ``rule``? The node is stepped again with the answer."""

    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """Put a message into the outbox, then follow ``next``.

    Attributes:
        channel: public id of the channel.
        purpose: what consent is needed for.
        ttl_ms: after this long the message is dropped instead of sent late.
    """

    channel: str
    purpose: str
    ttl_ms: int
    template: Template = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draw:
    """Follow ``a`` for a ``share`` (0 to 1) of the people, ``b`` for the rest, always the same.

    An empty ``salt`` means one of the node's own.
    """

    salt: str
    share: float


@dataclass(frozen=True, slots=True)
class Leave:
    """The journey ends here for this person."""

    reason: str


Effect = Go | Park | Ask | Post | Draw | Leave
