"""Copies of the files beside the stores: the journal, its keys, and what waits to be imported."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from carloop.kit.errors import Conflict
from carloop.stores.vault.sealed_files import open_file, seal_file

_JOURNAL = "journal.db"
_DAY_KEYS = Path("secret") / "journal"
_MASTER_KEY = Path("secret") / "master.key"
_UPLOADS = "uploads"


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
    """``core.ports.archive.FileArchive`` of one data directory.

    Args:
        data: the directory.
        key: 32 bytes that uploads are sealed with in the copy; they lie in clear where they wait.
    """

    def __init__(self, data: Path, key: bytes) -> None:
        self._data = data
        self._key = key

    def dump(self, directory: Path, *, with_key: bool) -> None:
        """Copy the journal, its wrapped day keys and uploads; the master key only ``with_key``.

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
        self._seal_uploads(directory / _UPLOADS)
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
        uploads = self._data / _UPLOADS
        for sealed in sorted((directory / _UPLOADS).glob("*")):
            uploads.mkdir(mode=0o700, exist_ok=True)
            open_file(self._key, sealed, uploads / sealed.name)

    def _seal_uploads(self, target: Path) -> None:
        """An import that ends meanwhile takes its file away: then nobody needs it any more."""
        target.mkdir(mode=0o700)
        for upload in sorted((self._data / _UPLOADS).glob("*")):
            try:
                seal_file(self._key, upload, target / upload.name)
            except FileNotFoundError:
                continue

    @staticmethod
    def _copy_keys(source: Path, target: Path) -> None:
        (target / _DAY_KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in sorted((source / _DAY_KEYS).glob("*.key")):
            shutil.copy2(key, target / _DAY_KEYS / key.name)
