"""Tables of profiles: field states by fragment, and wrapped subject keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from carloop.stores.state.tables.base import metadata

attribute = Table(
    "attribute",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("field", String(200), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("blind", LargeBinary(16)),
    Column("occurred_at", BigInteger, nullable=False),
    Index("ix_attribute_blind", "tenant", "field", "blind"),
)

subject_key = Table(
    "subject_key",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("space", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
)
