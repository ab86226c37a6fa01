"""Identity in the state store: identifiers, edges, their log, and who was erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from carloop.core.evidence import Verdict


class Fragment(NamedTuple):
    """One identifier as it is stored.

    Attributes:
        number: dense per tenant, from 1.
        key: keyed hash of the normalised identifier.
        uuid: 16 bytes; the public id while it is the canonical fragment of its person.
        person: the canonical fragment of its person.
        value: the clear value where it is not identifying, else ``None``.
        sealed: the encrypted value where it is identifying, else ``None``.
        hub: shared by strangers; links nobody.
        first_at: when it was first evidenced, milliseconds since the epoch.
    """

    number: int
    key: bytes
    type: str
    namespace: str
    uuid: bytes
    person: int
    value: str | None
    sealed: bytes | None
    hub: bool
    first_at: int
    source: int


class LogEntry(NamedTuple):
    """One change of who is who: ``moved`` joined (merge) or left (split) the person ``kept``."""

    at: int
    kind: str
    kept: int
    moved: int
    evidence: Sequence[Mapping[str, Any]]
    by: str


class IdentityRepository(Protocol):
    """The identity graph of one or more tenants."""

    def next_numbers(self, tenant: int, space: str, count: int) -> int:
        """Take ``count`` numbers of a number space; returns the first."""
        ...

    def by_keys(self, tenant: int, keys: Collection[bytes]) -> list[Fragment]:
        """Fragments by identifier key; unknown keys are left out."""
        ...

    def by_numbers(self, tenant: int, numbers: Collection[int]) -> list[Fragment]:
        """Fragments by number."""
        ...

    def by_uuid(self, tenant: int, uuid: bytes) -> Fragment | None:
        """One fragment by its public id."""
        ...

    def of_persons(self, tenant: int, persons: Collection[int]) -> list[Fragment]:
        """All fragments of these persons, by number."""
        ...

    def add(self, tenant: int, fragments: Sequence[Fragment]) -> None:
        """Store new fragments."""
        ...

    def move(self, tenant: int, persons: Mapping[int, int]) -> None:
        """Set the person of fragments: fragment → canonical fragment."""
        ...

    def mark_hubs(self, tenant: int, numbers: Collection[int]) -> None:
        """Fragments that link nobody from now on."""
        ...

    def edges_of(self, tenant: int, numbers: Collection[int]) -> list[Verdict]:
        """Every edge with an end in ``numbers``, once each."""
        ...

    def edges_between(self, tenant: int, pairs: Collection[tuple[int, int]]) -> list[Verdict]:
        """Edges of exactly these pairs, each given as (smaller, larger)."""
        ...

    def put_edges(self, tenant: int, edges: Iterable[Verdict], by: str = "") -> None:
        """Store edges; an edge of the same pair (evidence or decision) is replaced."""
        ...

    def log(self, tenant: int, entries: Sequence[LogEntry]) -> None:
        """Append to the log."""
        ...

    def log_of(self, tenant: int, numbers: Collection[int]) -> list[LogEntry]:
        """Entries that name one of these fragments, newest first."""
        ...

    def erased(self, tenant: int, keys: Collection[bytes]) -> dict[bytes, int]:
        """When the identifiers with these keys were erased (milliseconds), if they were."""
        ...

    def remember_erased(self, tenant: int, keys: Collection[bytes], at: int) -> None:
        """Leave tombstones: keyed hashes, no values."""
        ...

    def remove(self, tenant: int, numbers: Collection[int]) -> None:
        """Remove fragments with their edges and log entries for good."""
        ...
