"""What the pipeline keeps: its cursor, the ids it has seen, and the events it could not take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt


class SeenChunk(NamedTuple):
    """The ids of one commit: 16 bytes each, of events with ``seq`` up to ``seq_to``."""

    seq_to: int
    day: int
    ids: bytes


class PipelineRepository(Protocol):
    """The cursor and the truth about which event ids were taken."""

    def cursor(self, name: str) -> int:
        """The position of a reader; 0 before its first commit."""
        ...

    def move_cursor(self, name: str, value: int) -> None:
        """Set the position of a reader."""
        ...

    def add_seen(self, chunk: SeenChunk) -> None:
        """Append the ids of one commit."""
        ...

    def seen_after(self, seq: int) -> Iterator[SeenChunk]:
        """Chunks with ``seq_to`` beyond ``seq``, oldest first."""
        ...

    def last_seen(self) -> int:
        """``seq_to`` of the newest chunk; 0 where there is none."""
        ...

    def forget_seen(self, before_day: int) -> int:
        """Drop chunks of days (since the epoch) before ``before_day``; returns how many."""
        ...


class QuarantineState(StrEnum):
    """What became of an event that could not be taken."""

    OPEN = "open"
    REPLAYED = "replayed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """One event that could not be taken.

    Attributes:
        id: 0 until it is stored.
        batch, index: its journal batch and its place in it.
        raw: sealed bytes of the event, under the key of ``day``.
        day: UTC day it was received, ``2026-11-22``; when that day's key goes, so does the event.
        occurred_at: as its sender said, ms; 0 where that cannot be read. Not stored.
        faults: (path, code) of identifiers and keys in it that are not usable. Not stored.
    """

    tenant: int
    source: int
    batch: int
    index: int
    code: str
    path: str
    event: str
    day: str
    raw: bytes
    at: int
    state: QuarantineState = QuarantineState.OPEN
    id: int = 0
    occurred_at: int = 0
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How many open events of one source share a reason."""

    source: int
    code: str
    event: str
    count: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which events; what is None does not limit.

    Attributes:
        ids: these alone.
        upto: ids up to this one, so that what fails again is not met again.
        since, until: received from, and before (epoch ms).
    """

    source: int | None = None
    code: str | None = None
    event: str | None = None
    ids: tuple[int, ...] | None = None
    upto: int | None = None
    since: int | None = None
    until: int | None = None

    def told(self) -> dict[str, Any]:
        """What is limited, as a document; ``QuarantineFilter(**document)`` is the same again."""
        return {name: value for name, value in asdict(self).items() if value is not None}


EVERYTHING = QuarantineFilter()


class QuarantineRepository(Protocol):
    """Events that could not be taken. Repeats of (tenant, batch, index) are harmless."""

    def add(self, events: Sequence[QuarantinedEvent]) -> None:
        """Keep events; those already kept stay as they are."""
        ...

    def page(
        self,
        tenant: int,
        *,
        limit: int,
        before: int | None = None,
        only: QuarantineFilter = EVERYTHING,
        state: QuarantineState | None = QuarantineState.OPEN,
    ) -> Sequence[QuarantinedEvent]:
        """Newest first, with id below ``before``."""
        ...

    def count(self, tenant: int, only: QuarantineFilter) -> int:
        """How many open events that is."""
        ...

    def summary(self, tenant: int) -> Sequence[QuarantineCount]:
        """Open events by source, code and event name, most first."""
        ...

    def count_since(self, tenant: int, at: int) -> dict[int, int]:
        """How many were kept since ``at`` (epoch ms), by source, whatever became of them."""
        ...

    def mark(self, tenant: int, ids: Sequence[int], state: QuarantineState) -> int:
        """Set the state of open events; returns how many changed."""
        ...

    def expire(self, before_day: str) -> int:
        """Remove events of days before ``before_day``; returns how many."""
        ...


class SeenIds(Protocol):
    """The index over all ids seen: a cache that can be rebuilt from the state store."""

    def catch_up(self, chunks: PipelineRepository) -> int:
        """Load what was committed and is not indexed yet; returns the number of ids loaded."""
        ...

    def known(self, ids: Sequence[bytes]) -> npt.NDArray[np.bool_]:
        """Which of these 16-byte ids were seen before."""
        ...

    def add(self, chunk: SeenChunk) -> None:
        """Add the ids of a chunk that is committed."""
        ...

    def forget(self, before_day: int) -> None:
        """Drop what is wholly older than ``before_day``."""
        ...
