"""Sources in the state store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from carloop.core.sources import Source, SourceSettings


class SourceRepository(Protocol):
    """The ways in; a removed source keeps its number and its name for the events it sent."""

    def add(self, source: Source) -> Source:
        """Store a new source (``id`` 0); returns it with its number.

        Raises:
            Conflict: ``name_taken``.
        """
        ...

    def save(self, source: Source) -> Source:
        """Store a changed source whose ``version`` is the one that was read; returns the next.

        Raises:
            Conflict: ``stale`` or ``name_taken``.
        """
        ...

    def get(self, tenant: int, id: int) -> Source | None:
        """One source by number, removed ones too."""
        ...

    def named(self, tenant: int, name: str) -> Source | None:
        """One source by name, removed ones not."""
        ...

    def list(self, tenant: int | None = None) -> Sequence[Source]:
        """All sources by number, removed ones too, of one tenant or of all."""
        ...

    def add_settings(self, settings: SourceSettings) -> None:
        """Store a further version of a source's settings.

        Raises:
            Conflict: ``stale``: that version exists.
        """
        ...

    def settings(self, tenant: int, source: int) -> SourceSettings | None:
        """The settings in force."""
        ...

    def settings_versions(self, tenant: int, source: int, limit: int) -> Sequence[SourceSettings]:
        """Newest first."""
        ...
