"""How fast a channel may send: a bucket of tokens that fills at a steady rate.

The bucket is one instant, ``free_at``: when it would be full again. Instants are epoch
microseconds. In any ``t`` seconds at most ``burst + t × per_second`` messages leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``per_second`` messages in the long run, at most ``burst`` at once.

    ``burst`` absent: one second's worth, at least one.
    """

    per_second: Annotated[float, Field(gt=0, le=100_000)]
    burst: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @property
    def interval(self) -> int:
        """Microseconds from one token to the next."""
        return max(1, round(1_000_000 / self.per_second))

    @property
    def size(self) -> int:
        """Tokens in a full bucket."""
        return self.burst or max(1, int(self.per_second))


def available(rate: Rate, free_at: int, now: int) -> int:
    """Messages that may leave at ``now``.

    >>> available(Rate(2.0, 3), 0, 10_000_000), available(Rate(2.0, 3), 11_000_000, 10_000_000)
    (3, 1)
    """
    return max(0, (now + rate.size * rate.interval - max(free_at, now)) // rate.interval)


def draw(rate: Rate, free_at: int, now: int, messages: int) -> int:
    """The bucket after ``messages`` left at ``now``."""
    return max(free_at, now) + messages * rate.interval


def next_at(rate: Rate, free_at: int) -> int:
    """When the next message may leave, epoch microseconds."""
    return free_at - (rate.size - 1) * rate.interval
