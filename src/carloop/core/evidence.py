"""Evidence: what one event says about who is who, and what became of it."""

from __future__ import annotations

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
