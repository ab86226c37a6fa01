"""Configured feeds, how far each has read, its runs, and what changed in its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from carloop.core.feeds import FeedColumn


class RunState(StrEnum):
    """How a run ended, or that it goes on."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """By somebody, or because the process ended; reading goes on from the cursor."""


class DriftKind(StrEnum):
    """What became of a column since the last run."""

    ADDED = "added"
    REMOVED = "removed"
    RETYPED = "retyped"
    RENAMED = "renamed"
    """One column gone, one of the same type in its place: a guess, and said to be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFeed:
    """A configured feed. Times are epoch milliseconds.

    Attributes:
        id: internal number; ``uuid`` is the public id.
        source: number of the source its events are filed under.
        key, settings_enc: sealed settings, credentials among them.
        mapping: JSON of what its columns mean; empty until somebody said so, and it does not run.
        schedule: ``manual``, ``continuous``, ``every 15m`` or a cron line in the tenant's zone.
        drift: what a run does when a mapped column is gone: ``stop`` (nothing is read until
            somebody decides) or ``go_on``.
        revision: counts changes, for optimistic locking.
    """

    tenant: int
    uuid: str
    source: int
    kind: str
    key: bytes
    settings_enc: bytes
    created_by: str
    created_at: int
    updated_at: int
    mapping: str = ""
    schedule: str = "manual"
    drift: str = "stop"
    enabled: bool = True
    id: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProgress:
    """How far a feed is; written by its runner alone.

    Attributes:
        cursor: where reading goes on.
        columns: as last seen.
        due_at: next run; None: not by itself.
        failures: failed runs in a row.
        code: of the last failure, empty after a success.
    """

    feed: int
    cursor: Mapping[str, Any] | None = None
    columns: Sequence[FeedColumn] = ()
    due_at: int | None = None
    failures: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """One reading of a feed.

    Attributes:
        records: read and journalled; ``bad`` of them cannot be read and lie in quarantine.
        total: records at the source when the run began, where it could tell.
        trigger: ``schedule``, ``manual`` or ``again`` (from the beginning).
    """

    tenant: int
    feed: int
    started_at: int
    trigger: str
    id: int = 0
    state: RunState = RunState.RUNNING
    finished_at: int | None = None
    records: int = 0
    bad: int = 0
    bytes: int = 0
    total: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One change of a feed's columns; ``mapped`` where the mapping uses the column."""

    tenant: int
    feed: int
    at: int
    kind: DriftKind
    column: str
    detail: str = ""
    mapped: bool = False
    id: int = 0
    accepted_by: str = field(default="")


class FeedRepository(Protocol):
    """The tables of feeds."""

    def add(self, feed: StoredFeed) -> StoredFeed:
        """Store a new feed; returns it with its number."""
        ...

    def save(self, feed: StoredFeed) -> StoredFeed:
        """Store a changed feed; ``Conflict`` (``stale``) where somebody changed it meanwhile."""
        ...

    def get(self, tenant: int, uuid: str) -> StoredFeed:
        """One feed; ``NotFound`` (``feed_unknown``)."""
        ...

    def numbered(self, id: int) -> StoredFeed:
        """One feed by number, a removed one too."""
        ...

    def list(self, tenant: int) -> Sequence[StoredFeed]:
        """All feeds of a tenant by number."""
        ...

    def remove(self, feed: StoredFeed, now: int) -> None:
        """Delete softly; it runs no more."""
        ...

    def progress(self, feed: int) -> FeedProgress:
        """How far a feed is; a fresh one where nothing is noted."""
        ...

    def save_progress(self, progress: FeedProgress) -> None:
        """Note how far it is."""
        ...

    def due(self, now: int, limit: int) -> Sequence[StoredFeed]:
        """Enabled feeds whose time has come, longest waiting first."""
        ...

    def start_run(self, run: FeedRun) -> FeedRun:
        """Note a run; returns it with its number."""
        ...

    def save_run(self, run: FeedRun) -> None:
        """Note how far a run is."""
        ...

    def runs(self, feed: int, limit: int, before: int | None = None) -> Sequence[FeedRun]:
        """Newest first."""
        ...

    def running(self) -> Sequence[FeedRun]:
        """Runs without an end, of all tenants."""
        ...

    def add_drift(self, drifts: Sequence[Drift]) -> None:
        """Note changes of columns."""
        ...

    def drift(
        self, feed: int, *, pending: bool, limit: int = 500, before: int | None = None
    ) -> Sequence[Drift]:
        """Changes, newest first; ``pending`` those that nobody has accepted."""
        ...

    def accept_drift(self, feed: int, by: str) -> int:
        """Accept all pending changes; returns how many."""
        ...

    def keep_mapping(self, tenant: int, digest: str, text: str) -> None:
        """Keep a mapping for ever under its digest: what was journalled with it needs it."""
        ...

    def kept_mapping(self, tenant: int, digest: str) -> str | None:
        """A mapping by its digest."""
        ...

    def mapping_of(self, tenant: int, source: int) -> str | None:
        """The mapping in force of the feed that files under ``source``."""
        ...
