"""Tables of entities, relations and grants."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text

from carloop.stores.state.tables.base import metadata

entity = Table(
    "entity",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", LargeBinary(16), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("plain", String(255)),
    Column("sealed", LargeBinary),
    Index("uq_entity_key", "tenant", "type", "key", unique=True),
    Index("uq_entity_uuid", "tenant", "type", "uuid", unique=True),
    Index("ix_entity_plain", "tenant", "type", "plain"),
)

relation_fact = Table(
    "relation_fact",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("object", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Text, primary_key=True),
    Column("begins", Boolean, primary_key=True),
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("source", BigInteger, nullable=False),
    Index("ix_relation_fact_subject", "tenant", "kind", "subject"),
)

relation = Table(
    "relation",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("object", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger),
    Column("source", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Index("ix_relation_subject", "tenant", "kind", "subject"),
)

grant = Table(
    "grant_",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("dimension", String(64), primary_key=True),
    Column("entity", BigInteger, primary_key=True, autoincrement=False),
    Column("fragment", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_grant_fragment", "tenant", "fragment"),
)
