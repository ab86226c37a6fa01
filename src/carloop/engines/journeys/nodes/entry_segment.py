"""Entry: people who enter a segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from carloop.engines.journeys.effects import Effect, Go, NodeState
from carloop.kit.clock import from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySegment:
    """Takes in whoever enters a segment.

    Attributes:
        segment: public id of the segment.
        reentry: ``once`` ever, once a ``daily`` calendar day of the tenant, or ``every_time``.
        audience: ``new`` takes only people who enter from now on; ``all`` also those who are in the
            segment at the moment of publication.
    """

    ports: ClassVar[tuple[str, ...]] = ("next",)
    title: ClassVar[dict[str, str]] = {"zh": "进入分群", "en": "Enters segment"}

    id: str
    segment: str
    kind: Literal["entry_segment"] = "entry_segment"
    reentry: Literal["once", "daily", "every_time"] = "once"
    audience: Literal["new", "all"] = "new"

    def step(self, state: NodeState, now: int) -> Effect:
        """Go on at once."""
        return Go()

    def entry_key(self, as_of: int, zone: ZoneInfo) -> str:
        """What makes an entry the same as an earlier one: the second is not taken.

        Args:
            as_of: instant of the segment's change, epoch milliseconds.
            zone: the tenant's time zone, whose calendar ``daily`` follows.
        """
        if self.reentry == "daily":
            return f"d:{from_ms(as_of).astimezone(zone).date().isoformat()}"
        return f"t:{as_of}" if self.reentry == "every_time" else ""
