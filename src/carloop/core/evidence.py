"""Evidence: what one event says about who is who, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from carloop.core.identifiers import Identifier


class Evidence(msgspec.Struct, frozen=True):
    """The identifiers that one event shows together.

    Attributes:
        identifiers: normalised, at least one; repeats are harmless.
        occurred_at: milliseconds since the epoch.
        message_id: breaks ties between events of the same millisecond.
        source: source number.
        bind: the sender asserts that they are one person; lifts an earlier ``unbind``.
        unbind: the sender withdraws it: no two of them are linked from then on.
    """

    identifiers: tuple[Identifier, ...]
    occurred_at: int
    message_id: str
    source: int = 0
    bind: bool = False
    unbind: bool = False


class Resolved(NamedTuple):
    """Where an event is filed.

    ``fragment`` is the number of its best identifier and never changes; ``person`` is the
    canonical fragment of that person now, and moves with merges and splits.
    """

    fragment: int
    person: int


class EdgeKind(StrEnum):
    """What an edge of the identity graph says.

    EVIDENCE: an event showed both. LINK: somebody decided that they are one person. CUT: somebody
    decided that they are not. FREE: an earlier cut was taken back; evidence decides again.
    """

    EVIDENCE = "evidence"
    LINK = "link"
    CUT = "cut"
    FREE = "free"


class Edge(NamedTuple):
    """What is known of one pair of fragments, ``a < b``.

    Of evidence, the earliest by (occurred_at, message_id) is kept; of decisions, the latest.
    """

    a: int
    b: int
    occurred_at: int
    message_id: str
    source: int
    kind: EdgeKind

    @property
    def when(self) -> tuple[int, str]:
        """Its place in time; ties are broken by the message."""
        return self.occurred_at, self.message_id

    @property
    def decision(self) -> bool:
        """True for a decision, False for evidence."""
        return self.kind is not EdgeKind.EVIDENCE


class Verdict(NamedTuple):
    """What became of an edge.

    ``reason`` is empty for accepted ones; else ``cut``, ``hub``, ``never_links``,
    ``component_too_large`` or ``limit:<identifier type>``.
    """

    edge: Edge
    accepted: bool
    reason: str
