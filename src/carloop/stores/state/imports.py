"""Imports over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from carloop.core.ports.imports import ImportRun, SavedMapping
from carloop.stores.state.tables.imports import import_mapping, import_run


class SqlImports:
    """``core.ports.imports.ImportRepository`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mapping(self, tenant: int, name: str) -> SavedMapping | None:
        """One saved mapping."""
        table = import_mapping
        row = self._connection.execute(
            select(table).where(table.c.tenant == tenant, table.c.name == name)
        ).first()
        return None if row is None else _mapping(row)

    def mappings(self, tenant: int) -> Sequence[SavedMapping]:
        """All saved mappings by name."""
        table = import_mapping
        rows = self._connection.execute(
            select(table).where(table.c.tenant == tenant).order_by(table.c.name)
        )
        return [_mapping(row) for row in rows]

    def save_mapping(self, mapping: SavedMapping) -> None:
        """Save, in place of one of the same name."""
        table = import_mapping
        self._connection.execute(
            delete(table).where(table.c.tenant == mapping.tenant, table.c.name == mapping.name)
        )
        self._connection.execute(
            insert(table).values(
                tenant=mapping.tenant,
                name=mapping.name,
                document=mapping.text,
                saved_at=mapping.saved_at,
            )
        )

    def run(self, tenant: int, source: int, digest: str) -> ImportRun | None:
        """An earlier run of the same file and mapping into the same source."""
        table = import_run
        row = self._connection.execute(
            select(table).where(
                table.c.tenant == tenant, table.c.source == source, table.c.digest == digest
            )
        ).first()
        if row is None:
            return None
        return ImportRun(
            tenant=row.tenant,
            source=row.source,
            digest=row.digest,
            started_at=row.started_at,
            rows_done=row.rows_done,
            report=json.loads(row.report),
            finished_at=row.finished_at,
        )

    def save_run(self, run: ImportRun) -> None:
        """Save how far a run is."""
        table = import_run
        self._connection.execute(
            delete(table).where(
                table.c.tenant == run.tenant,
                table.c.source == run.source,
                table.c.digest == run.digest,
            )
        )
        self._connection.execute(
            insert(table).values(
                tenant=run.tenant,
                source=run.source,
                digest=run.digest,
                started_at=run.started_at,
                rows_done=run.rows_done,
                report=json.dumps(dict(run.report), ensure_ascii=False),
                finished_at=run.finished_at,
            )
        )


def _mapping(row: Row[Any]) -> SavedMapping:
    return SavedMapping(tenant=row.tenant, name=row.name, text=row.document, saved_at=row.saved_at)
