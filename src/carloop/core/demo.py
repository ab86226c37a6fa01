"""What a demo generator yields: request bodies for the real pipeline, with where they come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoBatch:
    """One batch for ``POST /api/events``.

    Attributes:
        source: name of the source it is filed under (created on first use).
        body: a JSON array of events in the own protocol, at most 2 500.
        events: how many it holds.
    """

    source: str
    body: bytes
    events: int
