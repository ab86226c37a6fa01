"""What changed in the state store and still has to reach the event store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol


class Change(NamedTuple):
    """One thing that changed.

    ``kind`` is ``fragment`` (``a``: its number), ``fragments`` (those from ``a`` up to and
    including ``b``, minted together: one row instead of thousands), ``attribute`` (``name``: field,
    ``a``: fragment), ``grant`` (``name``: dimension, ``a``: fragment, ``b``: entity) or ``erased``
    (``a``: fragment whose every row must go).
    """

    kind: str
    a: int
    b: int = 0
    name: str = ""


class QueuedChange(NamedTuple):
    """A change with its place in the queue, which becomes the version of its row."""

    id: int
    tenant: int
    change: Change


class ProjectionRepository(Protocol):
    """The queue between the state store and the event store."""

    def queue(self, tenant: int, changes: Iterable[Change]) -> None:
        """Append changes."""
        ...

    def next(self, limit: int) -> list[QueuedChange]:
        """The oldest changes."""
        ...

    def done(self, ids: Collection[int]) -> None:
        """Remove changes that have arrived."""
        ...

    def waiting(self) -> int:
        """How many changes have not arrived yet."""
        ...
