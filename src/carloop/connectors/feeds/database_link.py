"""How a database is reached: guarded address, read-only session, time limits, our own errors."""

from __future__ import annotations

import socket
import sqlite3
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pymysql
from psycopg.types.string import TextLoader
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from carloop.core.feeds import Allowed
from carloop.kit.egress import AddressForbidden, HostUnknown, resolve
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader

DIALECTS: Mapping[str, tuple[str, int]] = {
    "postgresql": ("postgresql+psycopg://", 5432),
    "mysql": ("mysql+pymysql://", 3306),
    "sqlite": ("sqlite://", 0),
}
"""SQLAlchemy's URL and the standard port of each; MariaDB is ``mysql``."""
ENCRYPTION = ("prefer", "require", "verify", "disable")
_AS_TEXT = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")
"""Taken as PostgreSQL writes them: Python has no ``infinity`` and no years before Christ."""
_ACCESS = {1044, 1045, 1142, 1143, 1698}
_UNKNOWN = {1049: "database_unknown", 1146: "table_unknown", 1054: "column_unknown"}


class Link:
    """Settings of a connection, checked.

    Raises:
        InvalidInput: a setting is missing or wrong; ``path_forbidden``: a file outside the
            folders the installation allows.
    """

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        read = Reader(settings)
        self.dialect = read.choice("dialect", "", tuple(DIALECTS))
        self._allowed = allowed
        self._database = read.text("database", limit=1000)
        self._username = read.text("username", "", 128)
        self._password = read.text("password", "")
        self._encryption = read.choice("encryption", "prefer", ENCRYPTION)
        self._timeout = read.integer("timeout_seconds", 60, 1, 3600)
        self._port = read.integer("port", DIALECTS[self.dialect][1] or 1, 1, 65535)
        if self.dialect == "sqlite":
            self._file = allowed_file(self._database, allowed)
            self._host = ""
        else:
            self._host = read.text("host", limit=253)

    def engine(self) -> Engine:
        """An engine without a pool: a feed reads over one connection at a time."""
        creators: Mapping[str, Callable[[], Any]] = {
            "postgresql": self._postgresql,
            "mysql": self._mysql,
            "sqlite": self._sqlite,
        }
        return create_engine(
            DIALECTS[self.dialect][0], creator=creators[self.dialect], poolclass=NullPool
        )

    def _address(self) -> str:
        try:
            return resolve(self._host, self._port, (self._port,), self._allowed.hosts)
        except AddressForbidden as error:
            raise InvalidInput(
                "a private address; the installation must allow it",
                code="address_forbidden",
                path="host",
            ) from error
        except HostUnknown as error:
            raise Retryable("the host does not resolve", code="unreachable") from error

    def _postgresql(self) -> Any:
        modes = {"prefer": "prefer", "require": "require", "verify": "verify-full"}
        limit = self._timeout * 1000
        connection = psycopg.connect(
            host=self._host,
            hostaddr=self._address(),
            port=self._port,
            dbname=self._database,
            user=self._username or None,
            password=self._password or None,
            sslmode=modes.get(self._encryption, "disable"),
            connect_timeout=min(self._timeout, 10),
            tcp_user_timeout=limit,
            application_name="carloop",
            options=f"-c default_transaction_read_only=on -c statement_timeout={limit}"
            " -c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601",
            keepalives=1,
            keepalives_idle=30,
            keepalives_interval=10,
        )
        for name in _AS_TEXT:
            connection.adapters.register_loader(name, TextLoader)
        return connection

    def _mysql(self) -> Any:
        address = self._address()
        connection = pymysql.connect(
            host=self._host,
            port=self._port,
            user=self._username,
            password=self._password,
            database=self._database,
            charset="utf8mb4",
            connect_timeout=min(self._timeout, 10),
            read_timeout=self._timeout,
            write_timeout=self._timeout,
            ssl=self._tls(),
            defer_connect=True,
        )
        stream = socket.create_connection((address, self._port), min(self._timeout, 10))
        connection.connect(stream)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("SET SESSION time_zone = '+00:00'")
        return connection

    def _tls(self) -> ssl.SSLContext | None:
        if self._encryption in ("disable", "prefer"):
            return None
        context = ssl.create_default_context()
        if self._encryption == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _sqlite(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._file))}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, timeout=min(self._timeout, 10), check_same_thread=False
        )
        connection.execute("PRAGMA query_only = ON")
        return connection


def allowed_file(path: str, allowed: Allowed) -> Path:
    """The real path of a file within the allowed folders, links followed.

    Raises:
        InvalidInput: ``path_forbidden``, ``file_unknown``.
    """
    real = Path(path).resolve()
    if not any(real.is_relative_to(Path(folder).resolve()) for folder in allowed.folders):
        raise InvalidInput(
            "outside the folders that the installation allows",
            code="path_forbidden",
            path="database",
        )
    if not real.is_file():
        raise InvalidInput("no such file", code="file_unknown", path="database")
    return real


def failure(error: Exception) -> CarloopError:
    """What a driver says, in our words; nothing of its text, which may quote values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, CarloopError):
        return cause
    if isinstance(cause, psycopg.Error):
        return _of_postgresql(cause)
    if isinstance(cause, pymysql.err.MySQLError):
        return _of_mysql(cause)
    if isinstance(cause, sqlite3.Error):
        return InvalidInput("the file is no database, or broken", code="file_broken")
    if isinstance(cause, TimeoutError):
        return Retryable("the database does not answer in time", code="timed_out")
    return Retryable("the database cannot be reached", code="unreachable")


def _of_postgresql(error: psycopg.Error) -> CarloopError:
    state, text = error.sqlstate or "", str(error)
    if state.startswith("28") or "password" in text or ("role" in text and "exist" in text):
        return _refused()
    if state == "3D000" or ("database" in text and "does not exist" in text):
        return InvalidInput("no such database", code="database_unknown", path="database")
    if state == "42501":
        return InvalidInput("no right to read this", code="permission_missing", path="table")
    if state == "42P01":
        return InvalidInput("no such table or view", code="table_unknown", path="table")
    if state == "42703":
        return InvalidInput("a column is gone", code="column_unknown", path="table")
    if state == "57014":
        return Retryable("the database took too long", code="timed_out")
    if isinstance(error, psycopg.OperationalError):
        return Retryable("the database cannot be reached", code="unreachable")
    return InvalidInput("the database refuses this", code="query_refused")


def _of_mysql(error: pymysql.err.MySQLError) -> CarloopError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if number in _ACCESS:
        return _refused()
    if number in _UNKNOWN:
        return InvalidInput("no such database, table or column", code=_UNKNOWN[number])
    if isinstance(error, pymysql.err.OperationalError | pymysql.err.InterfaceError):
        late = number == 2013 and "timed out" in str(error)
        code = "timed_out" if late else "unreachable"
        return Retryable("the database cannot be reached", code=code)
    return InvalidInput("the database refuses this", code="query_refused")


def _refused() -> CarloopError:
    return InvalidInput(
        "the database refuses these credentials", code="credentials_refused", path="password"
    )
