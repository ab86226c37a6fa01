"""Tables of the identity graph."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from carloop.stores.state.tables.base import AutoId, metadata

number_space = Table(
    "number_space",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("space", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

identifier = Table(
    "identifier",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("type", String(64), nullable=False),
    Column("namespace", String(100), nullable=False),
    Column("uuid", LargeBinary(16), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("value", Text),
    Column("sealed", LargeBinary),
    Column("hub", Boolean, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("source", BigInteger, nullable=False),
    Index("uq_identifier_key", "tenant", "key", unique=True),
    Index("uq_identifier_uuid", "tenant", "uuid", unique=True),
    Index("ix_identifier_person", "tenant", "person"),
)

identity_edge = Table(
    "identity_edge",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("a", BigInteger, primary_key=True, autoincrement=False),
    Column("b", BigInteger, primary_key=True, autoincrement=False),
    Column("decision", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("reason", String(80), nullable=False),
    Column("by", String(200), nullable=False),
    Index("ix_identity_edge_b", "tenant", "b"),
)

identity_log = Table(
    "identity_log",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("moved", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("by", String(200), nullable=False),
    Index("ix_identity_log_kept", "tenant", "kept"),
    Index("ix_identity_log_moved", "tenant", "moved"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("key", LargeBinary(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
