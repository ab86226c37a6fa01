"""The journal in one SQLite file: WAL, ``synchronous=FULL``, group commit by a writer thread.

Ids come from AUTOINCREMENT inside the committing transaction, so that they rise in commit order
even with several writing processes: a reader that has seen an id will never miss a smaller one.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import structlog

from carloop.core.events import Received
from carloop.core.ports.journal import Batch, JournalKeys
from carloop.kit.errors import Permanent, Unavailable
from carloop.kit.faults import reach
from carloop.stores.journal.sealing import Sealer, day_of

log = structlog.get_logger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, source INTEGER NOT NULL, protocol TEXT NOT NULL,
    hint TEXT NOT NULL, received_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS batch_received ON batch (received_at);
"""
_INSERT = (
    "INSERT INTO batch (tenant, source, protocol, hint, received_at, body) VALUES (?,?,?,?,?,?)"
)
_READ = (
    "SELECT id, tenant, source, protocol, hint, received_at, body FROM batch"
    " WHERE id > ? ORDER BY id"
)
_EXPIRE = (
    "DELETE FROM batch WHERE id IN"
    " (SELECT id FROM batch WHERE received_at < ? AND id <= ? ORDER BY received_at LIMIT 500)"
)
_GROUP_BYTES = 8 * 1024 * 1024

_Waiting = tuple[Received, "Future[int]"]


class SqliteJournal:
    """The journal of one data directory; each process opens its own.

    Args:
        path: the database file; made when absent.
        keys: the daily keys bodies are encrypted with.
        queue_bytes: bound of what waits for the disk; beyond it ``submit`` refuses.
    """

    def __init__(
        self, path: Path, keys: JournalKeys, *, queue_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._path = path
        self._keys = keys
        self._queue_bytes = queue_bytes
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="journal", daemon=True)
        self._readers = threading.local()
        self._connect().close()
        self._writer.start()

    @property
    def pending_bytes(self) -> int:
        """How much waits for the disk."""
        return self._pending

    def submit(self, received: Received) -> Future[int]:
        """Queue one body; the future gives its batch id once it is durable."""
        with self._lock:
            if self._closed:
                raise Unavailable("the journal is closed", code="journal_closed")
            if self._pending and self._pending + len(received.body) > self._queue_bytes:
                raise Unavailable(
                    "too much waits for the disk", code="overloaded", retry_after_seconds=1
                )
            self._pending += len(received.body)
            future: Future[int] = Future()
            self._waiting.put((received, future))
        return future

    def append(self, batches: Sequence[Received]) -> list[int]:
        """Append and wait until all are durable."""
        return [future.result() for future in [self.submit(b) for b in batches]]

    def read(self, after: int, max_bytes: int) -> Iterator[Batch]:
        """Batches after an id, in order; one that cannot be opened is logged and left out."""
        db, sealer = self._reader()
        size = 0
        for id_, tenant, source, protocol, hint, received_at, sealed in db.execute(_READ, (after,)):
            received = Received(
                tenant=tenant, source=source, protocol=protocol, received_at=received_at,
                body=b"", hint=hint,
            )  # fmt: skip
            try:
                received.body = sealer.open(received, sealed)
            except Permanent as error:
                log.error("journal_batch_unreadable", batch=id_, code=error.code)
                continue
            yield Batch(id_, received)
            size += len(received.body)
            if size >= max_bytes:
                return

    def last_id(self) -> int:
        """Id of the newest batch ever appended, 0 before the first."""
        db, _ = self._reader()
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").fetchone()
        return int(row[0]) if row else 0

    def received_at(self, after: int) -> int | None:
        """When the first batch beyond ``after`` was received; None when there is none."""
        db, _ = self._reader()
        row = db.execute(
            "SELECT received_at FROM batch WHERE id > ? ORDER BY id LIMIT 1", (after,)
        ).fetchone()
        return int(row[0]) if row else None

    def expire(self, before_ms: int, through: int) -> int:
        """Remove old batches that were loaded, give their pages back, destroy their keys."""
        db = self._connect()
        try:
            removed = 0
            while changed := db.execute(_EXPIRE, (before_ms, through)).rowcount:
                removed += changed
            db.execute("PRAGMA incremental_vacuum").fetchall()
            oldest = db.execute("SELECT min(received_at) FROM batch").fetchone()[0]
        finally:
            db.close()
        reach("journal.expired")
        self._keys.destroy_before(day_of(before_ms if oldest is None else min(oldest, before_ms)))
        return removed

    def close(self) -> None:
        """Finish what is queued, then stop the writer."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._waiting.put(None)
        self._writer.join()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=30, check_same_thread=False)
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.executescript(_SCHEMA)
        return db

    def _reader(self) -> tuple[sqlite3.Connection, Sealer]:
        found: tuple[sqlite3.Connection, Sealer] | None = getattr(self._readers, "pair", None)
        if found is None:
            found = self._readers.pair = (self._connect(), Sealer(self._keys))
        return found

    def _write_loop(self) -> None:
        sealer = Sealer(self._keys)
        db: sqlite3.Connection | None = None
        going = True
        while going:
            group, going = self._next_group()
            if not group:
                continue
            try:
                db = db or self._connect()
                ids = _commit(db, sealer, [received for received, _ in group])
            except Exception as error:
                if db is not None:
                    db.close()
                    db = None
                self._fail(group, error)
            else:
                self._release(group)
                for (_, future), id_ in zip(group, ids, strict=True):
                    future.set_result(id_)
        if db is not None:
            db.close()

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Whatever waits, at least one; False once the journal is closing."""
        group: list[_Waiting] = []
        size = 0
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            size += len(item[0].body)
            if size >= _GROUP_BYTES:
                return group, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _release(self, group: Sequence[_Waiting]) -> None:
        with self._lock:
            self._pending -= sum(len(received.body) for received, _ in group)

    def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        full = isinstance(error, (sqlite3.OperationalError, OSError)) and (
            "full" in str(error) or "space" in str(error)
        )
        code = "disk_full" if full else "journal_failed"
        log.warning("journal_refused", code=code, error=type(error).__name__)
        self._release(group)
        for _, future in group:
            refused = Unavailable("the journal takes nothing now", code=code, retry_after_seconds=5)
            refused.__cause__ = error
            future.set_exception(refused)


def _commit(db: sqlite3.Connection, sealer: Sealer, group: Sequence[Received]) -> list[int]:
    """One durable transaction; the write lock is taken after the slow part."""
    sealer.renew()
    rows = [(r.tenant, r.source, r.protocol, r.hint, r.received_at, sealer.seal(r)) for r in group]
    db.execute("BEGIN IMMEDIATE")
    try:
        ids = [int(db.execute(_INSERT, row).lastrowid or 0) for row in rows]
        reach("journal.before_commit")
        db.execute("COMMIT")
        reach("journal.committed")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return ids
