"""The consent ledger and the suppression list in the state store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from carloop.core.consent import ConsentEntry


class Consents(Protocol):
    """Append-only; nothing changes an entry, and only erasure removes what a person said."""

    def append(self, tenant: int, entry: ConsentEntry, recorded_at: int, by: str) -> ConsentEntry:
        """Add one entry; returns it with its number."""
        ...

    def of(self, tenant: int, people: Sequence[int]) -> Mapping[int, Sequence[ConsentEntry]]:
        """Entries per person (canonical number), of all the fragments that are that person now."""
        ...

    def forget(self, tenant: int, subjects: Collection[int]) -> None:
        """Remove every entry of erased fragments."""
        ...


class Suppression(NamedTuple):
    """One address: its keyed hash, a code that says why, and since when (epoch ms)."""

    key: bytes
    reason: str
    at: int


class Suppressions(Protocol):
    """Addresses that nothing may be sent to, as keyed hashes."""

    def add(self, tenant: int, key: bytes, reason: str, at: int) -> None:
        """Put an address on the list; one that is there stays as it is."""
        ...

    def lift(self, tenant: int, key: bytes) -> bool:
        """Take an address off the list; True where it was there."""
        ...

    def get(self, tenant: int, key: bytes) -> Suppression | None:
        """One address, if it is on the list."""
        ...

    def page(
        self, tenant: int, *, before: tuple[int, bytes] | None, limit: int
    ) -> Sequence[Suppression]:
        """Newest first, beyond ``(at, key)``."""
        ...

    def among(self, tenant: int, keys: Sequence[bytes]) -> frozenset[bytes]:
        """Which of ``keys`` are on the list."""
        ...
