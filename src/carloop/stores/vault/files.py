"""Small secret files: created whole or not at all, destroyed so that nothing is left to read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create_once(path: Path, content: bytes) -> bool:
    """Write a file of mode 0600 unless it exists; durable. True where this call made it.

    The file appears whole: of several processes one wins, and nobody reads a half of it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    finally:
        draft.unlink()
        sync_directory(path.parent)
    return True


def destroy(path: Path) -> None:
    """Overwrite, then remove a file; durable.

    Overwriting reaches the blocks of a plain file system; on copy-on-write or flash storage the old
    blocks may outlive it, which is why keys are stored wrapped.
    """
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make creations and removals in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
