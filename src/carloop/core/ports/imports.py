"""Saved mappings, and how far each import of a file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMapping:
    """A named mapping; ``text`` is its JSON document."""

    tenant: int
    name: str
    text: str
    saved_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """One import of one file with one mapping into one source.

    Attributes:
        digest: of the file's content and the mapping.
        started_at: of the first attempt; rows without a time carry it, so that a repeat is equal.
        rows_done: rows before which nothing is to be read again.
        report: counts so far; the final report once ``finished_at`` is set.
    """

    tenant: int
    source: int
    digest: str
    started_at: int
    rows_done: int = 0
    report: Mapping[str, Any]
    finished_at: int | None = None


class ImportRepository(Protocol):
    """The tables of imports."""

    def mapping(self, tenant: int, name: str) -> SavedMapping | None:
        """One saved mapping."""
        ...

    def mappings(self, tenant: int) -> Sequence[SavedMapping]:
        """All saved mappings by name."""
        ...

    def save_mapping(self, mapping: SavedMapping) -> None:
        """Save, in place of one of the same name."""
        ...

    def run(self, tenant: int, source: int, digest: str) -> ImportRun | None:
        """An earlier run of the same file and mapping into the same source."""
        ...

    def save_run(self, run: ImportRun) -> None:
        """Save how far a run is."""
        ...
