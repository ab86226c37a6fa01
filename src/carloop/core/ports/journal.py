"""The journal: written and fsynced before an answer, read by the loader, removed by age only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from carloop.core.events import Received


class Batch(NamedTuple):
    """One journalled request body and its place in the order of arrival."""

    id: int
    received: Received


class JournalKeys(Protocol):
    """One data key per UTC day. Destroying a day's key erases what was written with it."""

    def key(self, day: str) -> bytes:
        """The 32-byte key of ``day`` (``2026-11-22``); made, and durable, on first use."""
        ...

    def find(self, day: str) -> bytes | None:
        """The key of ``day``, or None when it was never made or has been destroyed."""
        ...

    def destroy_before(self, day: str) -> int:
        """Destroy the keys of all days before ``day``; returns how many there were."""
        ...


class Journal(Protocol):
    """An append-only log of received bodies; several processes may append to one journal."""

    def submit(self, received: Received) -> Future[int]:
        """Queue one body; the future gives its batch id once it is durable on disk.

        The future raises ``Unavailable`` (``disk_full``, ``journal_failed``): nothing was kept.

        Raises:
            Unavailable: ``overloaded``: the bounded queue is full; nothing was kept.
        """
        ...

    def append(self, batches: Sequence[Received]) -> list[int]:
        """Append and wait until all are durable; returns the batch ids in the order given.

        Raises:
            Unavailable: ``disk_full`` or ``journal_failed``; nothing was acknowledged.
        """
        ...

    def read(self, after: int, max_bytes: int) -> Iterator[Batch]:
        """Batches with id greater than ``after``, in order, up to about ``max_bytes``."""
        ...

    def last_id(self) -> int:
        """Id of the newest batch ever appended, 0 before the first."""
        ...

    def expire(self, before_ms: int, through: int) -> int:
        """Remove batches received before ``before_ms`` with id up to ``through``.

        ``through`` is the loader's cursor: what is not loaded is never removed. Keys of days that
        have no batch left are destroyed. Returns the number of batches removed.
        """
        ...

    def close(self) -> None:
        """Finish what is queued, then release the handles."""
        ...
