"""The table of sources."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from carloop.stores.state.tables.base import metadata

source = Table(
    "source",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("historical", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("version", Integer, nullable=False),
)

source_settings = Table(
    "source_settings",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
