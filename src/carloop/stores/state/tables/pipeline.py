"""The pipeline's cursor, the ids it has seen, and quarantine."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from carloop.stores.state.tables.base import AutoId, metadata

cursor = Table(
    "cursor",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

seen_chunk = Table(
    "seen_chunk",
    metadata,
    Column("seq_to", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
    Column("ids", LargeBinary, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("tenant", BigInteger, nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("index", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("path", String(400), nullable=False),
    Column("event", String(200), nullable=False),
    Column("day", String(10), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("tenant", "batch", "index"),
    Index("ix_quarantine_tenant_state_source", "tenant", "state", "source", "code"),
    Index("ix_quarantine_tenant_at", "tenant", "at"),
    sqlite_autoincrement=True,
)
