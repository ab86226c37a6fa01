"""The state store over SQLAlchemy: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from carloop.core.ports.state import Closing
from carloop.kit.errors import CarloopError, Conflict, Permanent, Unavailable
from carloop.stores.state.engine import open_engines
from carloop.stores.state.tx import SqlTx


class SqlState:
    """Hands out transactions; one writer at a time, readers beside it on their own snapshots."""

    def __init__(self, url: str) -> None:
        """Open the database at ``url``; no table is created here (see :meth:`migrate`)."""
        self.url = url
        self.writer, self.reader = open_engines(url)
        self.closing: Closing | None = None
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def read(self) -> Iterator[SqlTx]:
        """A consistent read.

        Raises:
            Unavailable: ``state_unavailable``, ``state_busy``.
        """
        with _translated(), self.reader.connect() as connection, connection.begin():
            yield SqlTx(connection)

    @contextmanager
    def write(self) -> Iterator[SqlTx]:
        """A write transaction: commits on leaving, rolls back on an exception.

        Raises:
            Unavailable: ``disk_full``, ``state_busy``, ``state_unavailable``; nothing was written.
            Conflict: ``already_exists``: a uniqueness rule was broken.
        """
        if self._owner == threading.get_ident():
            raise RuntimeError("a write transaction is already open in this thread")
        committed: Callable[[], None] | None = None
        with self._lock, _translated(), self.writer.connect() as connection:
            self._owner = threading.get_ident()
            try:
                with connection.begin():
                    tx = SqlTx(connection)
                    yield tx
                    if self.closing is not None:
                        committed = self.closing(tx)
            finally:
                self._owner = None
        if committed is not None:
            committed()

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        from carloop.stores.state.migrate import upgrade

        with _translated(), self.writer.begin() as connection:
            upgrade(connection)

    def checkpoint(self) -> None:
        """Empty SQLite's write-ahead log, so that what was removed is in no file; else nothing.

        Waits for readers of older snapshots.

        Raises:
            Unavailable: ``state_busy``: a reader kept an older snapshot all the time.
        """
        if self.writer.dialect.name == "sqlite":
            with self._lock, _translated(), self.writer.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise Unavailable("the write-ahead log is in use", code="state_busy")

    def close(self) -> None:
        """Release every connection."""
        self.writer.dispose()
        self.reader.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _translate(error) from error


_BY_SQLITE = {
    "SQLITE_FULL": "disk_full",
    "SQLITE_BUSY": "state_busy",
    "SQLITE_LOCKED": "state_busy",
}
_BY_SQLSTATE = {"53100": "disk_full", "55P03": "state_busy", "40P01": "state_busy"}


def _translate(error: DBAPIError) -> CarloopError:
    """The engine's error in our words; never with the values of the statement."""
    cause = error.orig
    sqlstate = getattr(cause, "sqlstate", None) or ""
    name = getattr(cause, "sqlite_errorname", None) or ""
    primary = "_".join(name.split("_")[:2])
    if primary == "SQLITE_CONSTRAINT" or sqlstate.startswith("23"):
        return Conflict("a record like this exists already", code="already_exists")
    code = _BY_SQLITE.get(primary) or _BY_SQLSTATE.get(sqlstate)
    if code is not None:
        return Unavailable(f"the state store cannot write: {code}", code=code)
    if (
        error.connection_invalidated
        or sqlstate[:2] in ("08", "57")
        or primary
        in (
            "SQLITE_IOERR",
            "SQLITE_CANTOPEN",
        )
    ):
        return Unavailable("the state store does not answer", code="state_unavailable")
    return Permanent(
        "the state store refused a statement", code="state_refused", cause=name or sqlstate
    )
