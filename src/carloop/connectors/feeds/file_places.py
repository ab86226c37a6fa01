"""Where files lie: listed by a pattern, read in pieces. Folders of this machine are here."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from carloop.core.feeds import Allowed
from carloop.kit.errors import InvalidInput, Retryable

MOST_FILES = 10_000
"""Files of one feed; each is remembered with its state."""
MOST_LISTED = 200_000
MOST_LEVELS = 16
PIECE = 4 * 1024 * 1024


class Entry(NamedTuple):
    """A file.

    Attributes:
        name: below the feed's folder, with ``/``.
        size: bytes.
        changed: seconds since the epoch.
        stamp: differs when the file was replaced.
    """

    name: str
    size: int
    changed: float
    stamp: str


class FileGone(Exception):
    """The file was removed, or replaced since it was listed; the next run sees it as it is."""


class Place(Protocol):
    """A folder somewhere."""

    def entries(self, pattern: str) -> Iterator[Entry]:
        """Files whose name fits.

        Raises:
            InvalidInput: ``folder_unknown``, ``path_forbidden``, ``credentials_refused`` …
            Retryable: it cannot be reached now.
        """
        ...

    def open(self, entry: Entry) -> BinaryIO:
        """The bytes of a file, from its beginning; can be sought in. Raises :class:`FileGone`."""
        ...

    def unchanged(self, entry: Entry) -> bool:
        """Whether the file still is what was listed."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern: ``*``, ``?``, ``[…]`` within one level, ``**`` for any levels.

    What begins with a dot is found only by a pattern that does.

    >>> fits("2026/06/orders_1.csv", "2026/*/orders_*.csv"), fits("a/b.csv", "*.csv")
    (True, False)
    >>> fits("a/b/c.log", "**/*.log"), fits("c.log", "**/*.log"), fits(".c.log", "*")
    (True, True, False)
    """
    levels, steps = name.split("/"), pattern.split("/")

    @lru_cache(None)
    def from_(level: int, step: int) -> bool:
        if step == len(steps):
            return level == len(levels)
        if steps[step] == "**":
            return from_(level, step + 1) or (
                level < len(levels) and not levels[level].startswith(".") and from_(level + 1, step)
            )
        if level == len(levels) or not fnmatchcase(levels[level], steps[step]):
            return False
        hidden = levels[level].startswith(".") and not steps[step].startswith(".")
        return not hidden and from_(level + 1, step + 1)

    return from_(0, 0)


def checked_pattern(text: str) -> str:
    """A pattern of file names.

    Raises:
        InvalidInput: ``setting_invalid``.
    """
    steps = text.split("/")
    if len(steps) > MOST_LEVELS or any(step in ("", ".", "..") for step in steps):
        raise InvalidInput("no pattern of names", code="setting_invalid", path="glob")
    if steps.count("**") > 2 or any("**" in step and step != "**" for step in steps):
        raise InvalidInput("** stands for whole levels", code="setting_invalid", path="glob")
    return text


def levels_below(pattern: str) -> int:
    """How many folders deep a pattern looks.

    >>> levels_below("*.csv"), levels_below("a/*.csv"), levels_below("**/*.csv")
    (0, 1, 16)
    """
    return MOST_LEVELS if "**" in pattern else pattern.count("/")


def too_many() -> InvalidInput:
    """More files than a feed may remember."""
    return InvalidInput(
        f"more than {MOST_FILES} files; narrow the pattern, or move what was read away",
        code="too_many_files",
        path="glob",
    )


class LocalPlace:
    """A folder of this machine, below those that the installation allows.

    Links are followed only within them.

    Raises:
        InvalidInput: ``path_forbidden``.
    """

    def __init__(self, folder: str, allowed: Allowed) -> None:
        self._roots = [Path(root).resolve() for root in allowed.folders]
        self._folder = Path(folder)
        self._permitted(self._folder)

    def entries(self, pattern: str) -> Iterator[Entry]:
        """Regular files, sorted by nothing."""
        root = self._permitted(self._folder)
        if not root.is_dir():
            raise InvalidInput("no such folder", code="folder_unknown", path="folder")
        deepest, listed = levels_below(pattern), 0
        for directory, folders, names in os.walk(root, onerror=_unlisted):
            relative = Path(directory).relative_to(root)
            if len(relative.parts) >= deepest:
                folders.clear()
            for name in names:
                listed += 1
                if listed > MOST_LISTED:
                    raise too_many()
                path = (relative / name).as_posix()
                if fits(path, pattern) and (entry := self._entry(path)) is not None:
                    yield entry

    def open(self, entry: Entry) -> BinaryIO:
        """The file itself; never a pipe or a device."""
        try:
            real = self._permitted(self._folder / entry.name)
            opened = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise FileGone from error
        except (PermissionError, InvalidInput) as error:
            raise InvalidInput("no right to read this", code="permission_missing") from error
        except OSError as error:
            raise FileGone from error
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise FileGone
        return _Named(io.FileIO(opened), str(real))

    def unchanged(self, entry: Entry) -> bool:
        """By size and time, to the nanosecond."""
        now = self._entry(entry.name)
        return now is not None and now.stamp == entry.stamp

    def close(self) -> None:
        """Nothing to hang up."""

    def _entry(self, name: str) -> Entry | None:
        try:
            found = self._permitted(self._folder / name).stat()
        except (OSError, InvalidInput):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        stamp = f"{found.st_size}:{found.st_mtime_ns}"
        return Entry(name, found.st_size, found.st_mtime, stamp)

    def _permitted(self, path: Path) -> Path:
        real = path.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            raise InvalidInput(
                "outside the folders that the installation allows",
                code="path_forbidden",
                path="folder",
            )
        return real


class _Named(io.BufferedReader):
    """A file opened by number that knows its path."""

    def __init__(self, raw: io.RawIOBase, path: str) -> None:
        super().__init__(raw, PIECE // 4)
        self._path = path

    @property
    def name(self) -> str:
        """Where it lies."""
        return self._path


def _unlisted(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise InvalidInput("no right to list this", code="permission_missing", path="folder")
    if not isinstance(error, FileNotFoundError):
        raise Retryable("the folder cannot be listed", code="unreachable") from error


class Pieces(io.RawIOBase):
    """A remote file as a stream that can be sought in; one request for each :data:`PIECE`."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0

    def fetch(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset``, fewer only at the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object, /) -> int:
        """The next bytes."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        found = self.fetch(self._at, wanted)
        view[: len(found)] = found
        self._at += len(found)
        return len(found)

    def buffered(self) -> BinaryIO:
        """Read ahead by whole pieces."""
        return io.BufferedReader(self, PIECE)


def epoch(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; 0 where it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
