"""Saved mappings, and how far each import of a file is."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from carloop.stores.state.tables.base import metadata

import_mapping = Table(
    "import_mapping",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(128), primary_key=True),
    Column("document", Text, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
)

import_run = Table(
    "import_run",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(96), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("rows_done", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("finished_at", BigInteger),
)
