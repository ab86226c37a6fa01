"""The three databases that feeds read, each with an empty place of its own for one test."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pymysql
import pytest


@dataclass
class Served:
    """A database to be read: ``execute`` writes into it; ``settings`` lead a feed there."""

    dialect: str
    settings: dict[str, Any]
    execute: Callable[..., None]

    def fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows by position."""
        mark = "?" if self.dialect == "sqlite" else "%s"
        for row in rows:
            self.execute(f"INSERT INTO {table} VALUES ({', '.join([mark] * len(row))})", tuple(row))


def absent(name: str) -> None:
    """Skip the test, or fail it where services are required."""
    if os.environ.get("CARLOOP_REQUIRE_SERVICES"):
        pytest.fail(f"{name} does not answer")
    pytest.skip(f"{name} does not answer on its standard port")


@contextmanager
def postgresql() -> Iterator[Served]:
    """A schema of PostgreSQL on its standard port."""
    schema = f"feed_{uuid4().hex[:12]}"
    login = {"host": "127.0.0.1", "dbname": "test", "user": "postgres", "connect_timeout": 3}
    try:
        connection = psycopg.connect(**login, autocommit=True)  # type: ignore[arg-type]
    except psycopg.OperationalError:
        absent("PostgreSQL")
        raise
    with connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"SET search_path TO {schema}")
        settings = {
            "dialect": "postgresql", "host": "127.0.0.1", "database": "test",
            "username": "postgres", "schema": schema,
        }  # fmt: skip
        try:
            yield Served("postgresql", settings, lambda sql, row=None: _run(connection, sql, row))
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def _run(connection: Any, sql: str, row: Any) -> None:
    connection.execute(sql, row)


@contextmanager
def mariadb() -> Iterator[Served]:
    """A database of MariaDB on its standard port."""
    name = f"feed_{uuid4().hex[:12]}"
    try:
        connection = pymysql.connect(
            host="127.0.0.1", user="root", password="", autocommit=True, connect_timeout=3
        )
    except pymysql.err.OperationalError:
        absent("MariaDB")
        raise

    def execute(sql: str, row: Any = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, row)

    execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    execute(f"USE {name}")
    settings = {"dialect": "mysql", "host": "127.0.0.1", "database": name, "username": "root"}
    try:
        yield Served("mysql", settings, execute)
    finally:
        execute(f"DROP DATABASE {name}")
        connection.close()


@contextmanager
def sqlite(directory: Path) -> Iterator[Served]:
    """A file of SQLite."""
    path = directory / f"{uuid4().hex[:12]}.db"
    connection = sqlite3.connect(path, isolation_level=None)

    def execute(sql: str, row: Any = ()) -> None:
        connection.execute(sql, row or ())

    try:
        yield Served("sqlite", {"dialect": "sqlite", "database": str(path)}, execute)
    finally:
        connection.close()
