"""Settings of the installation, by key."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from carloop.stores.state.tables.base import metadata

setting = Table(
    "setting",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)
