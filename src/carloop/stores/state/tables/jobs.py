"""Long-running work: what was asked, how far it is, what came of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from carloop.stores.state.tables.base import metadata

job = Table(
    "job",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("message", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("result", Text),
    Column("created_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("cancel_requested", Boolean, nullable=False),
    Index("ix_job_tenant_created_at", "tenant", "created_at"),
    Index("ix_job_state_created_at", "state", "created_at"),
)
