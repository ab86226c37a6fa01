"""The audit log in the state store: append-only, chained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that somebody did.

    Attributes:
        id: 1, 2, 3 … without a gap, over all tenants.
        at: epoch milliseconds.
        caller: ``user:3``, ``token:k1f…`` or ``system``.
        action: the operation (``create_segment``, ``reveal_field``).
        object: what it was done to, a path or an id; never a personal value.
        detail: canonical JSON.
        mac: HMAC-SHA256 over this entry and the previous mac.
    """

    id: int
    at: int
    tenant: int
    caller: str
    action: str
    object: str
    detail: str
    mac: bytes = b""


class AuditRepository(Protocol):
    """Appends and reads; there is nothing to change or remove an entry with."""

    def last(self) -> AuditEntry | None:
        """The newest entry."""
        ...

    def append(self, entry: AuditEntry) -> None:
        """Store one entry."""
        ...

    def walk(self) -> Iterator[AuditEntry]:
        """All entries, oldest first."""
        ...

    def page(
        self,
        tenant: int,
        *,
        before: int | None,
        limit: int,
        caller: str | None = None,
        action: str | None = None,
    ) -> Sequence[AuditEntry]:
        """Entries of a tenant, newest first, with an id below ``before``."""
        ...
