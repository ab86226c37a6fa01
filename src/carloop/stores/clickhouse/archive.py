"""Copies of the event store: one Native file per table, the same in process and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from carloop.core.ports.archive import Summaries, TableSummary
from carloop.kit.errors import Conflict, Unavailable
from carloop.sql import ident
from carloop.stores.clickhouse.errors import translated
from carloop.stores.clickhouse.store import ClickHouseStore

_BLOCK = 1 << 20
_SUFFIX = ".native.zst"
_ATTEMPTS = 20
_TABLES = """
SELECT t.name, t.engine LIKE '%ReplacingMergeTree',
       groupArray((c.name, c.default_kind IN ('MATERIALIZED', 'ALIAS')))
FROM system.tables AS t INNER JOIN system.columns AS c
  ON c.database = t.database AND c.table = t.name
WHERE t.database = currentDatabase() AND t.engine LIKE '%MergeTree'
  AND t.name != 'schema_migrations'
GROUP BY ALL ORDER BY t.name
"""


class _Table(NamedTuple):
    name: str
    final: bool
    columns: tuple[str, ...]

    @property
    def log(self) -> bool:
        return "seq" in self.columns

    def source(self, last_seq: int) -> str:
        final = " FINAL" if self.final else ""
        only = f" WHERE seq <= {int(last_seq)}" if self.log else ""
        return f"FROM {ident(self.name)}{final}{only}"


class ClickHouseArchive:
    """``core.ports.archive.EventArchive``. A table with ``seq`` is a log, others projections."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store

    def dump_projections(self, directory: Path) -> Summaries:
        """Write the tables that follow the state store."""
        directory.mkdir(parents=True, exist_ok=True)
        return {t.name: self._dump(t, directory, 0) for t in self._tables() if not t.log}

    def dump_logs(self, directory: Path, last_seq: int) -> Summaries:
        """Write the rows of the logs with ``seq`` up to ``last_seq``."""
        directory.mkdir(parents=True, exist_ok=True)
        return {t.name: self._dump(t, directory, last_seq) for t in self._tables() if t.log}

    def load(self, directory: Path) -> None:
        """Read a dump into empty, migrated tables."""
        files = {p.name.removesuffix(_SUFFIX): p for p in directory.glob(f"*{_SUFFIX}")}
        with translated():
            client = self._store.writer()
            for name in files:
                if client.query(f"SELECT 1 FROM {ident(name)} LIMIT 1").result_rows:
                    raise Conflict("the event store holds data", code="not_empty", table=name)
            for name, path in files.items():
                self._store.insert_file(name, path)

    def summaries(self, last_seq: int) -> Summaries:
        """Every table's rows and checksum, logs up to ``last_seq``."""
        return {table.name: self._summary(table, last_seq) for table in self._tables()}

    def _dump(self, table: _Table, directory: Path, last_seq: int) -> TableSummary:
        """Write a table and say what was written: the same before and after, or it is repeated.

        An erasure, the retention or the projector may change rows while they are read.
        """
        path = directory / f"{table.name}{_SUFFIX}"
        before = self._summary(table, last_seq)
        for _ in range(_ATTEMPTS):
            self._write(table, path, last_seq)
            after = self._summary(table, last_seq)
            if after == before:
                if not after.rows:
                    path.unlink()
                return after
            before = after
        raise Unavailable(
            "rows keep changing while they are copied", code="backup_unsteady", table=table.name
        )

    def _write(self, table: _Table, path: Path, last_seq: int) -> None:
        columns = ", ".join(f"`{name}`" for name in table.columns)
        compressor = zstandard.ZstdCompressor(level=3)
        with translated(), path.open("wb") as file, compressor.stream_writer(file) as packed:
            stream = self._store.writer().raw_stream(
                f"SELECT {columns} {table.source(last_seq)}", fmt="Native"
            )
            try:
                while block := stream.read(_BLOCK):
                    packed.write(block)
            finally:
                stream.close()

    def _summary(self, table: _Table, last_seq: int) -> TableSummary:
        texts = ", ".join(f"ifNull(toString(`{name}`), '')" for name in sorted(table.columns))
        with translated():
            rows = self._store.writer().query(
                f"SELECT count(), sum(sipHash64(tuple({texts}))) {table.source(last_seq)}"
            )
        count, checksum = rows.result_rows[0]
        return TableSummary(int(count), f"{int(checksum):016x}")

    def _tables(self) -> Iterator[_Table]:
        with translated():
            found = self._store.writer().query(_TABLES).result_rows
        for name, final, columns in found:
            stored = tuple(column for column, computed in columns if not computed)
            yield _Table(name, bool(final), stored)
