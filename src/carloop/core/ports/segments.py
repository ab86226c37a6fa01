"""Segments and saved funnels in the state store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One saved rule.

    Attributes:
        id: number within the tenant, never re-used; 0 until stored.
        uuid: public id.
        rule: the rule's JSON form.
        version: counts changes, for optimistic locking.
        template: name of the pack's template it came from, if any.
        created_at, deleted_at: epoch milliseconds.
    """

    tenant: int
    id: int = 0
    uuid: str
    name: str
    description: str = ""
    rule: Mapping[str, Any]
    version: int = 1
    template: str | None = None
    created_by: str = ""
    created_at: int = 0
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who was in a segment as of ``refreshed_at`` (epoch ms).

    Attributes:
        members: a portable roaring bitmap of canonical persons.
        rule_version: version of the segment whose rule this is the answer to.
        seq: every event up to this sequence was seen.
    """

    members: bytes
    count: int
    refreshed_at: int
    rule_version: int
    seq: int


@dataclass(frozen=True, slots=True)
class SavedFunnel:
    """A funnel kept by name; ``params`` as ``/api/analytics/funnel`` takes them."""

    tenant: int
    uuid: str
    name: str
    params: Mapping[str, Any]
    template: str | None = None
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """Who entered and left a segment at one refresh; persons by canonical number.

    ``entered_by_history``: those of them who came in by imported history alone; they are not in
    ``entered``. ``as_of`` in epoch milliseconds.
    """

    tenant: int
    segment: int
    entered: Sequence[int]
    left: Sequence[int]
    as_of: int
    entered_by_history: Sequence[int] = field(default=())


class SegmentRepository(Protocol):
    """Segments with their snapshots, and saved funnels."""

    def add(self, segment: Segment) -> Segment:
        """Store a new segment; the next free number is given.

        Raises:
            Conflict: ``name_taken``.
        """
        ...

    def save(self, segment: Segment) -> Segment:
        """Store a changed segment under optimistic locking; its version goes up.

        Raises:
            Conflict: ``stale``, ``name_taken``.
        """
        ...

    def by_uuid(self, tenant: int, uuid: str) -> Segment | None:
        """One segment by public id, deleted ones too."""
        ...

    def get(self, tenant: int, id: int) -> Segment | None:
        """One segment by number, deleted ones too."""
        ...

    def all(self, tenant: int, *, deleted: bool = False) -> Sequence[Segment]:
        """All that are not deleted (or all that are), by number."""
        ...

    def page(
        self, tenant: int, *, deleted: bool, before: int | None, limit: int
    ) -> Sequence[Segment]:
        """Newest first, those with a number below ``before``."""
        ...

    def snapshot(self, tenant: int, id: int) -> Snapshot | None:
        """The newest snapshot."""
        ...

    def put_snapshot(self, tenant: int, id: int, snapshot: Snapshot) -> None:
        """Replace the snapshot."""
        ...

    def add_funnel(self, funnel: SavedFunnel) -> None:
        """Keep a funnel.

        Raises:
            Conflict: ``name_taken``.
        """
        ...

    def funnels(self, tenant: int) -> Sequence[SavedFunnel]:
        """Kept funnels by name."""
        ...

    def remove_funnel(self, tenant: int, uuid: str) -> bool:
        """Forget a funnel; False where there is none."""
        ...
