"""Tables of feeds: what is read, how far, with what outcome."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from carloop.stores.state.tables.base import AutoId, metadata

feed = Table(
    "feed",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("source", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("settings_enc", LargeBinary, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("schedule", String(100), nullable=False),
    Column("drift", String(16), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    UniqueConstraint("tenant", "source"),
    sqlite_autoincrement=True,
)

feed_progress = Table(
    "feed_progress",
    metadata,
    Column("feed", BigInteger, primary_key=True, autoincrement=False),
    Column("cursor", Text),
    Column("columns", Text, nullable=False),
    Column("due_at", BigInteger, index=True),
    Column("failures", Integer, nullable=False),
    Column("code", String(64), nullable=False),
)

feed_run = Table(
    "feed_run",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("feed", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("state", String(16), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("code", String(64), nullable=False),
    Index("ix_feed_run_feed", "feed", "id"),
    sqlite_autoincrement=True,
)

feed_drift = Table(
    "feed_drift",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("feed", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("mapped", Boolean, nullable=False),
    Column("accepted_by", String(128), nullable=False),
)

feed_mapping = Table(
    "feed_mapping",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)
