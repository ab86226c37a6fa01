"""A file that the engine replaces and the gateway reads: what may be sent by whom."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import structlog

T = TypeVar("T")
log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.25


class PublishedFile(Generic[T]):
    """Reads the file anew where it was replaced, looking at most every quarter of a second.

    Args:
        path: while it is absent or unreadable, what was read last stays in force.
        decode: turns its bytes into what it holds.
    """

    def __init__(self, path: Path, decode: Callable[[bytes], T]) -> None:
        self._path = path
        self._decode = decode
        self._version: tuple[int, int, int] | None = None
        self._looked = float("-inf")

    def fresh(self, now: float, *, at_once: bool = False) -> T | None:
        """What it holds, where that changed since the last call; otherwise None.

        Args:
            now: seconds since the epoch.
            at_once: look even if somebody looked just now: something asked for was not in it, and
                may have been made in between.
        """
        if not at_once and 0 <= now - self._looked < LOOK_EVERY_SECONDS:
            return None
        self._looked = now
        try:
            stat = os.stat(self._path)
            version = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if version == self._version:
                return None
            found = self._decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.error("published_file_unreadable", file=self._path.name, error=type(error).__name__)
            return None
        self._version = version
        return found
