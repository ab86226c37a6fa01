"""Profiles: what is known about a person, field by field, whatever order it arrives in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carloop.core.events import ProfileOp
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue


@dataclass(frozen=True, slots=True)
class ProfileWrite:
    """The profile changes of one event, for the fragment it is filed under.

    ``occurred_at`` is in milliseconds since the epoch. The pipeline hands each message over
    exactly once.
    """

    fragment: int
    ops: Sequence[ProfileOp]
    occurred_at: int
    message_id: str
    source: int = 0


class ProfileWriter:
    """Applies profile changes in batches. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher

    def apply(self, tx: Tx, tenant: int, writes: Sequence[ProfileWrite]) -> None:
        """Fold ``writes`` into the stored attributes; any order gives the same profile."""
        raise NotImplementedError

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
