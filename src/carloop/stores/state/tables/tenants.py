"""Tenants: number, name, time zone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from carloop.stores.state.tables.base import metadata

tenant = Table(
    "tenant",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("settings", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
