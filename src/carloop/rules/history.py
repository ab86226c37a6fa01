"""What one person has done and is, as much as a rule may ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event of a person; ``occurred_at`` in ms since the epoch."""

    event: str
    occurred_at: int
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """One person, all fragments together.

    Attributes:
        events: in any order.
        attributes: the winning value per field: text, number, boolean, aware datetime or list of
            texts; of identifying fields the normalised text.
        segments: ids of the segments the person is in.
        zone: the tenant's zone, for calendar windows.
    """

    events: Sequence[Occurrence] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    zone: ZoneInfo = UTC_ZONE
