"""Segments and rules as the journeys need them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from carloop.core.ports.state import Tx


class Change(Protocol):
    """Who entered a segment at one refresh; persons by canonical number."""

    @property
    def tenant(self) -> int:
        """Tenant number."""
        ...

    @property
    def segment(self) -> int:
        """Segment number."""
        ...

    @property
    def entered(self) -> Collection[int]:
        """Who came in and may start journeys."""
        ...

    @property
    def entered_by_history(self) -> Collection[int]:
        """Who came in through imported history alone, and starts nothing."""
        ...

    @property
    def as_of(self) -> int:
        """The instant the segment was computed for, epoch milliseconds."""
        ...


class Audience(Protocol):
    """Looks segments up and asks rules about people."""

    def number(self, tx: Tx, tenant: int, uuid: str) -> int:
        """The number of the segment with this public id.

        Raises:
            NotFound: there is none.
        """
        ...

    def members(self, tx: Tx, tenant: int, segment: int) -> Iterable[int]:
        """Who is in the segment as of its last refresh."""
        ...

    def check(self, tenant: int, rule: Mapping[str, Any]) -> None:
        """Whether ``rule`` can be asked.

        Raises:
            InvalidInput: with the ``path`` of the fault.
        """
        ...

    def matching(
        self, tenant: int, rule: Mapping[str, Any], people: Collection[int], now: int
    ) -> Collection[int]:
        """Those of ``people`` who satisfy ``rule`` at ``now`` (epoch milliseconds).

        Raises:
            InvalidInput: the rule cannot be asked any more.
            Unavailable: the event store does not answer now.
        """
        ...
