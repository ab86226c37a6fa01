"""Where events wait: in memory, or in a spool on disk that outlives the process."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

Waiting = tuple[int, bytes]
"""Number in order of arrival, and the event."""


class Buffer(Protocol):
    """Events in order of arrival. Called by one thread at a time."""

    durable: bool

    def add(self, events: Sequence[bytes], most: int) -> bool:
        """Take all of these, or none where more than ``most`` would wait then."""

    def first(self, events: int, size: int) -> list[Waiting]:
        """The oldest: at most so many and of so many bytes, but always one."""

    def remove(self, numbers: Collection[int]) -> None:
        """Forget these."""

    def __len__(self) -> int:
        """How many wait."""

    def sends(self) -> bool:
        """Whether this process is the one that sends what waits."""

    def forked(self) -> None:
        """This process is a fresh child of the one that made the buffer."""

    def close(self) -> None:
        """Let go of files; they are opened again when they are needed."""


class Memory:
    """Events that wait in this process alone."""

    durable = False

    def __init__(self) -> None:
        self._events: OrderedDict[int, bytes] = OrderedDict()
        self._next = 1

    def add(self, events: Sequence[bytes], most: int) -> bool:
        """See :class:`Buffer`."""
        if len(self._events) + len(events) > most:
            return False
        for event in events:
            self._events[self._next] = event
            self._next += 1
        return True

    def first(self, events: int, size: int) -> list[Waiting]:
        """See :class:`Buffer`."""
        found: list[Waiting] = []
        for number, event in self._events.items():
            size -= len(event)
            if len(found) >= events or (found and size < 0):
                break
            found.append((number, event))
        return found

    def remove(self, numbers: Collection[int]) -> None:
        """See :class:`Buffer`."""
        for number in numbers:
            self._events.pop(number, None)

    def __len__(self) -> int:
        """See :class:`Buffer`."""
        return len(self._events)

    def sends(self) -> bool:
        """See :class:`Buffer`."""
        return True

    def forked(self) -> None:
        """The parent sends what waited: a child starts empty."""
        self._events.clear()

    def close(self) -> None:
        """See :class:`Buffer`."""


class Spool:
    """Events in a SQLite file, synced before :meth:`add` returns.

    Several processes may add to one file; one at a time sends, the one that holds the lock file.
    The operating system gives the lock back when that process ends, however it ends.
    """

    durable = True

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connection: sqlite3.Connection | None = None
        self._lock: sqlite3.Connection | None = None
        self._held = False
        self._open = threading.Lock()

    def _db(self) -> sqlite3.Connection:
        with self._open:
            if self._connection is None:
                made = not self._path.exists()
                self._connection = _connect(self._path, 30.0)
                if made:
                    self._path.chmod(0o600)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS waiting"
                    " (number INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL)"
                )
            return self._connection

    def add(self, events: Sequence[bytes], most: int) -> bool:
        """See :class:`Buffer`."""
        db = self._db()
        db.execute("BEGIN IMMEDIATE")
        try:
            fits = len(self) + len(events) <= most
            if fits:
                rows = [(event,) for event in events]
                db.executemany("INSERT INTO waiting (event) VALUES (?)", rows)
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        return fits

    def first(self, events: int, size: int) -> list[Waiting]:
        """See :class:`Buffer`."""
        found: list[Waiting] = []
        rows = self._db().execute(
            "SELECT number, event FROM waiting ORDER BY number LIMIT ?", (events,)
        )
        for number, event in rows.fetchall():
            size -= len(event)
            if found and size < 0:
                break
            found.append((number, bytes(event)))
        return found

    def remove(self, numbers: Collection[int]) -> None:
        """See :class:`Buffer`."""
        db = self._db()
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM waiting WHERE number = ?", [(n,) for n in numbers])
        db.execute("COMMIT")

    def __len__(self) -> int:
        """See :class:`Buffer`."""
        # Events leave in their order: the span of numbers is their count, and takes no scan.
        ends = "SELECT (SELECT max(number) FROM waiting), (SELECT min(number) FROM waiting)"
        last, first = self._db().execute(ends).fetchone()
        return 0 if last is None else int(last - first + 1)

    def sends(self) -> bool:
        """See :class:`Buffer`."""
        if not self._held:
            if self._lock is None:
                self._lock = _connect(self._path.with_name(self._path.name + ".lock"), 0.0)
            try:
                self._lock.execute("BEGIN EXCLUSIVE")
                self._held = True
            except sqlite3.OperationalError:
                return False
        return True

    def forked(self) -> None:
        """A child opens the file anew; the parent has closed it before (SQLite demands that)."""
        self._open = threading.Lock()

    def close(self) -> None:
        """See :class:`Buffer`."""
        for connection in (self._connection, self._lock):
            if connection is not None:
                connection.close()
        self._connection = self._lock = None
        self._held = False


def _connect(path: Path, seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        str(path), timeout=seconds, isolation_level=None, check_same_thread=False
    )
