"""Tables of segments, their snapshots, and saved funnels."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from carloop.stores.state.tables.base import metadata

segment = Table(
    "segment",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", String(36), nullable=False),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("rule", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("template", String(100)),
    Column("created_by", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("uq_segment_uuid", "tenant", "uuid", unique=True),
)

segment_snapshot = Table(
    "segment_snapshot",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("segment", BigInteger, primary_key=True, autoincrement=False),
    Column("members", LargeBinary, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("refreshed_at", BigInteger, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
)

saved_funnel = Table(
    "saved_funnel",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("uuid", String(36), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("params", JSON, nullable=False),
    Column("template", String(100)),
    Column("created_at", BigInteger, nullable=False),
    Index("uq_saved_funnel_name", "tenant", "name", unique=True),
)
