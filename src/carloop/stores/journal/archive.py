"""Copies of the journal and of the secrets it needs."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from carloop.kit.errors import Conflict

_JOURNAL = "journal.db"
_DAY_KEYS = Path("secret") / "journal"
_MASTER_KEY = Path("secret") / "master.key"


def restore_master_key(directory: Path, data: Path) -> bool:
    """Bring back the master key of a backup that holds it; call before the stores are opened.

    True where it did; False where the backup holds none or the data directory has one already.
    """
    source, target = directory / _MASTER_KEY, data / _MASTER_KEY
    if not source.exists() or target.exists():
        return False
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy2(source, target)
    return True


class JournalFiles:
    """``core.ports.archive.FileArchive`` of one data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def dump(self, directory: Path, *, with_key: bool) -> None:
        """Copy the journal and its wrapped day keys; the master key only ``with_key``.

        Keys are copied after the journal, so that every body copied has its key.
        """
        directory.mkdir(mode=0o700, parents=True)
        if (self._data / _JOURNAL).exists():
            with (
                closing(sqlite3.connect(self._data / _JOURNAL)) as source,
                closing(sqlite3.connect(directory / _JOURNAL)) as target,
            ):
                source.backup(target)
        self._copy_keys(self._data, directory)
        if with_key:
            shutil.copy2(self._data / _MASTER_KEY, directory / _MASTER_KEY)

    def load(self, directory: Path) -> None:
        """Copy them into an empty data directory."""
        if (self._data / _JOURNAL).exists():
            raise Conflict("the data directory holds a journal", code="not_empty")
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (directory / _JOURNAL).exists():
            shutil.copy2(directory / _JOURNAL, self._data / _JOURNAL)
        self._copy_keys(directory, self._data)

    @staticmethod
    def _copy_keys(source: Path, target: Path) -> None:
        (target / _DAY_KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in sorted((source / _DAY_KEYS).glob("*.key")):
            shutil.copy2(key, target / _DAY_KEYS / key.name)
