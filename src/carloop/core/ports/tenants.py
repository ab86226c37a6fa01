"""Tenants: whose data it is, and the time zone their calendar lives in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant.

    Attributes:
        id: tenant number; leads every key.
        name: shown in the console.
        zone: IANA time zone of its calendar.
        settings: free values, such as ``small_count``.
        created_at: milliseconds since the epoch.
    """

    id: int
    name: str
    zone: str = DEFAULT_ZONE
    settings: Mapping[str, Any] = field(default_factory=dict)
    created_at: int = 0


class Tenants(Protocol):
    """The tenants of the installation."""

    def save(self, tenant: Tenant) -> None:
        """Add the tenant, or replace what is known of it."""
        ...

    def get(self, tenant: int) -> Tenant:
        """One tenant.

        Raises:
            NotFound: ``tenant_unknown``.
        """
        ...

    def all(self) -> Sequence[Tenant]:
        """Every tenant by number."""
        ...
