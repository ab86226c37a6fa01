"""The queue of changes on their way to the event store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from carloop.stores.state.tables.base import AutoId, metadata

projection_queue = Table(
    "projection_queue",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("tenant", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
