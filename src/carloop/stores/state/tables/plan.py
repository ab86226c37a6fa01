"""Tables of the tracking plan: a tenant's own events, its touchpoints, its published versions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from carloop.stores.state.tables.base import metadata

plan_event = Table(
    "plan_event",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(200), primary_key=True),
    Column("document", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_by", String(128), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

plan_setting = Table(
    "plan_setting",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_by", String(128), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

plan_version = Table(
    "plan_version",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("events", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("note", String(500), nullable=False),
    Column("restored", Integer),
    Column("created_by", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
