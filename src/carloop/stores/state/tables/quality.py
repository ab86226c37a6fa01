"""Tables of data quality: rules, code tables, faults met at ingest, scores, findings, alerts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from carloop.stores.state.tables.base import AutoId, metadata

quality_rule = Table(
    "quality_rule",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("key", String(128), nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("table_name", String(200), nullable=False),
    Column("definition", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    UniqueConstraint("tenant", "key"),
    sqlite_autoincrement=True,
)

quality_code_table = Table(
    "quality_code_table",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(100), primary_key=True),
    Column("codes", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("updated_by", String(128), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

quality_ingest_fault = Table(
    "quality_ingest_fault",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("event", String(200), primary_key=True),
    Column("path", String(200), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

quality_score = Table(
    "quality_score",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("table_name", String(200), primary_key=True),
    Column("field", String(200), primary_key=True),
    Column("dimension", String(16), primary_key=True),
    Column("good", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("computed_at", BigInteger, nullable=False),
)

quality_finding = Table(
    "quality_finding",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("table_name", String(200), nullable=False),
    Column("field", String(200), nullable=False),
    Column("rule", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("code", String(64), nullable=False),
    Column("checked", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("examples", Text, nullable=False),
    Index("ix_quality_finding_day", "tenant", "day", "source"),
    sqlite_autoincrement=True,
)

quality_alert = Table(
    "quality_alert",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("table_name", String(200), nullable=False),
    Column("dimension", String(16), nullable=False),
    Column("day", String(10), nullable=False),
    Column("percent", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index("ix_quality_alert_open", "tenant", "closed_at"),
    sqlite_autoincrement=True,
)
