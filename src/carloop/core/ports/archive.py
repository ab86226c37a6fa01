"""What backup, restore and verify need of the stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol


class TableSummary(NamedTuple):
    """Enough to tell whether two copies of a table hold the same rows, in whatever order."""

    rows: int
    checksum: str


Summaries = Mapping[str, TableSummary]


class StateSnapshot(Protocol):
    """The state store as it was at one instant."""

    def cursor(self, name: str) -> int:
        """The position of a reader of the journal."""
        ...

    def dump(self, directory: Path) -> Summaries:
        """Write every table; files are the same for SQLite and PostgreSQL."""
        ...

    def summaries(self) -> Summaries:
        """Every table's rows and checksum."""
        ...


class StateArchive(Protocol):
    """Copies the state store out and in."""

    @property
    def revision(self) -> str:
        """The schema's revision."""
        ...

    def cut(self, meanwhile: Callable[[], None]) -> AbstractContextManager[StateSnapshot]:
        """A snapshot; ``meanwhile`` runs while no writer can run, the rest beside writers."""
        ...

    def load(self, directory: Path) -> None:
        """Read a dump into empty tables.

        Raises:
            Conflict: ``not_empty``.
        """
        ...


class EventArchive(Protocol):
    """Copies the event store out and in. Tables with ``seq`` are logs, the others projections."""

    def dump_projections(self, directory: Path) -> Summaries:
        """Write the tables that follow the state store; run while it stands still.

        Raises:
            Unavailable: ``backup_unsteady``: a table changed every time it was read.
        """
        ...

    def dump_logs(self, directory: Path, last_seq: int) -> Summaries:
        """Write the rows of the logs with ``seq`` up to ``last_seq``."""
        ...

    def load(self, directory: Path) -> None:
        """Read a dump into empty, migrated tables.

        Raises:
            Conflict: ``not_empty``.
        """
        ...

    def summaries(self, last_seq: int) -> Summaries:
        """Every table's rows and checksum, logs up to ``last_seq``."""
        ...


class FileArchive(Protocol):
    """Copies the journal, the keys of its days and what waits to be imported out and in."""

    def dump(self, directory: Path, *, with_key: bool) -> None:
        """Copy them, uploads sealed; the master key only ``with_key``."""
        ...

    def load(self, directory: Path) -> None:
        """Copy them into an empty data directory.

        Raises:
            Conflict: ``not_empty``.
        """
        ...
