"""SQLAlchemy engines for the state store: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

BUSY_TIMEOUT_MS = 10_000
WRITER_CACHE_KIB = 65_536
READER_CACHE_KIB = 8_192
"""Of each connection, and never given back; behind it stands the system's cache of the file."""
_LOCK_SQL = "SELECT pg_advisory_xact_lock(hashtextextended('carloop.' || current_schema(), 0))"


def open_engines(url: str) -> tuple[Engine, Engine]:
    """The writer's and the readers' engine for one database.

    Writers begin at once (``BEGIN IMMEDIATE``; an advisory lock on PostgreSQL), so that they queue
    instead of failing midway. Readers see one snapshot and refuse to write.

    Args:
        url: ``sqlite:///path``, ``postgresql+psycopg://…`` or ``postgresql://…``.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, "BEGIN IMMEDIATE"), _sqlite(parsed, "BEGIN", read_only=True)
    return _postgres_writer(parsed), _postgres_reader(parsed)


def _sqlite(url: Any, begin: str, *, read_only: bool = False) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=8 if read_only else 1,
        max_overflow=24 if read_only else 0,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            f"cache_size = -{READER_CACHE_KIB if read_only else WRITER_CACHE_KIB}",
            "temp_store = MEMORY",
            f"query_only = {'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_writer(url: Any) -> Engine:
    engine = create_engine(url, hide_parameters=True, pool_size=2, pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def queue_up(connection: Connection) -> None:
        connection.exec_driver_sql(_LOCK_SQL)

    return engine


def _postgres_reader(url: Any) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )
