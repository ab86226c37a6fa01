"""Answers kept so that a repeated POST is answered, not done again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from carloop.stores.state.tables.base import metadata

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("ix_idempotency_at", "at"),
)
