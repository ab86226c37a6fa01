"""The tracking plan of a tenant in the state store; documents are JSON text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One event under work, in place of the pack's; ``revision`` counts its changes."""

    name: str
    document: str
    revision: int = 0
    updated_by: str = ""
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class PlanSettingsEntry:
    """Touchpoints and what becomes of departures; ``revision`` is 0 where nothing was saved."""

    document: str = "{}"
    revision: int = 0
    updated_by: str = ""
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """One published plan.

    Attributes:
        document: the tenant's own events and touchpoints; empty in lists.
        events, points: how many are planned in all, the packs' included.
        restored: the version it brought back.
    """

    version: int
    document: str = ""
    events: int
    points: int
    note: str
    restored: int | None
    created_by: str
    created_at: int


class PlanRepository(Protocol):
    """Events under work, settings, and published versions."""

    def events(self, tenant: int) -> Sequence[PlanEntry]:
        """All events under work, by name."""
        ...

    def event(self, tenant: int, name: str) -> PlanEntry | None:
        """One event under work."""
        ...

    def put_event(self, tenant: int, entry: PlanEntry) -> PlanEntry:
        """Store an event over the revision it says (0: none is there); its revision goes up.

        Raises:
            Conflict: ``stale``.
        """
        ...

    def remove_event(self, tenant: int, name: str, revision: int) -> None:
        """Forget an event of that revision.

        Raises:
            Conflict: ``stale``.
        """
        ...

    def settings(self, tenant: int) -> PlanSettingsEntry:
        """Settings; empty ones where nothing was saved."""
        ...

    def put_settings(self, tenant: int, entry: PlanSettingsEntry) -> PlanSettingsEntry:
        """Store settings over the revision they say; their revision goes up.

        Raises:
            Conflict: ``stale``.
        """
        ...

    def tenants(self) -> Sequence[int]:
        """Tenants that have settings or published a plan."""
        ...

    def add_version(self, tenant: int, version: PlanVersion) -> None:
        """Keep a published plan.

        Raises:
            Conflict: ``already_exists``.
        """
        ...

    def version(self, tenant: int, number: int | None = None) -> PlanVersion | None:
        """One published plan with its document; None asks for the newest."""
        ...

    def versions(self, tenant: int, *, before: int | None, limit: int) -> Sequence[PlanVersion]:
        """Newest first, those with a number below ``before``, without their documents."""
        ...
