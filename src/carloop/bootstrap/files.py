"""Small files under ``DIR/run`` that other processes read: replaced whole, readable by us only."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from carloop.app.audit import Head
from carloop.core.hooks import Hook, encode_hooks
from carloop.core.write_keys import WriteKey, encode_write_keys
from carloop.kit.errors import Conflict


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in place of another, durably; readers see the old or the new."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


class KeysFile:
    """The write keys as the gateway reads them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, keys: Sequence[WriteKey]) -> None:
        """Replace what is published."""
        replace_file(self._path, encode_write_keys(keys))


class HooksFile:
    """Settings of sources with an address of their own, as the gateway reads them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, hooks: Sequence[Hook]) -> None:
        """Replace what is published."""
        replace_file(self._path, encode_hooks(hooks))


class HeadInFile:
    """The newest audit entry, noted beside the state store; a ``core`` ``HeadFile``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Head | None:
        """The head noted last; None where none was."""
        try:
            noted = json.loads(self._path.read_text("ascii"))
        except FileNotFoundError:
            return None
        return Head(int(noted["id"]), str(noted["mac"]))

    def write(self, head: Head) -> None:
        """Note a newer head, durably."""
        replace_file(self._path, json.dumps({"id": head.id, "mac": head.mac}).encode())


class Ownership:
    """One process owns the data directory; the system releases it when the process dies.

    Raises:
        Conflict: ``data_in_use``: another process owns it.
    """

    def __init__(self, lock: Path) -> None:
        for directory in (lock.parent.parent, lock.parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = lock.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Conflict("another carloop uses this data directory", code="data_in_use") from None

    def release(self) -> None:
        """Let another process own the directory."""
        self._file.close()


def is_owned(lock: Path) -> bool:
    """Whether a process owns the data directory."""
    if not lock.exists():
        return False
    try:
        Ownership(lock).release()
    except Conflict:
        return True
    return False
