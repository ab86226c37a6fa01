"""A schema of our own in the local PostgreSQL, dropped after use."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass

import psycopg
from sqlalchemy import MetaData, text

from carloop.stores.state.store import SqlState

_DEFAULT = "postgresql://root@127.0.0.1:5432/test"


def postgres_url() -> str | None:
    """The URL of a PostgreSQL that answers, or None (``CARLOOP_TEST_POSTGRES_URL`` overrides)."""
    url = os.environ.get("CARLOOP_TEST_POSTGRES_URL", _DEFAULT)
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return None
    return url


@dataclass(frozen=True, slots=True)
class PostgresSchema:
    """One schema and the state store that lives in it."""

    server: str
    name: str
    state: SqlState

    @classmethod
    def create(cls, server: str) -> PostgresSchema:
        """Make an empty schema."""
        name = f"carloop_test_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        url = f"{server}?options=-csearch_path%3D{name}%20-csynchronous_commit%3Doff"
        return cls(server, name, SqlState(url))

    def empty(self, metadata: MetaData) -> None:
        """Remove every row and restart every sequence."""
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with self.state.writer.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))

    def drop(self) -> None:
        """Remove the schema with all it holds."""
        self.state.close()
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {self.name} CASCADE")
