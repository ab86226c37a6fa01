"""The consent ledger (append-only) and the suppression list (keyed hashes of addresses)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from carloop.stores.state.tables.base import AutoId, metadata

consent = Table(
    "consent",
    metadata,
    Column("id", AutoId, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("policy_version", String(100), nullable=False),
    Column("source", String(100), nullable=False),
    Column("evidence", String(500), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Index("ix_consent_tenant_subject", "tenant", "subject"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(16), primary_key=True),
    Column("reason", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
)
