"""The journal: written and fsynced before an answer, read by the loader, removed by age only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from carloop.core.events import Received


class Batch(NamedTuple):
    """One journalled request body and its place in the order of arrival."""

    id: int
    received: Received


class Journal(Protocol):
    """An append-only log of received bodies. ``append`` returns only when they are durable."""

    def append(self, batches: Sequence[Received]) -> list[int]:
        """Append in one fsynced transaction; returns the batch ids, ascending.

        Raises:
            Unavailable: ``disk_full`` or ``journal_failed``; nothing was acknowledged.
        """
        ...

    def read(self, after: int, max_bytes: int) -> Iterator[Batch]:
        """Batches with id greater than ``after``, in order, up to about ``max_bytes``."""
        ...

    def last_id(self) -> int:
        """Id of the newest batch, 0 when empty."""
        ...

    def expire(self, before_ms: int) -> int:
        """Remove batches received before ``before_ms``, and destroy their day keys."""
        ...
