"""Copies of the state store, in files that SQLite and PostgreSQL share.

A table is a zstd file of length-prefixed msgpack frames: the column names, then lists of rows. What
was dumped from one engine loads into the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard
from sqlalchemy import Connection, Table, func, insert, select, text

from carloop.core.ports.archive import Summaries, TableSummary
from carloop.kit.errors import Conflict, Permanent
from carloop.stores.state.migrate import head
from carloop.stores.state.schema import metadata
from carloop.stores.state.store import SqlState
from carloop.stores.state.tables.pipeline import cursor
from carloop.stores.state.tables.settings import setting

FRAME_ROWS = 1000
_SEQUENCES = "sequences.json"


class SqlStateArchive:
    """``core.ports.archive.StateArchive`` over SQLAlchemy."""

    def __init__(self, state: SqlState) -> None:
        self._state = state

    @property
    def revision(self) -> str:
        """The newest migration."""
        return head()

    @contextmanager
    def cut(self, meanwhile: Callable[[], None]) -> Iterator[SqlSnapshot]:
        """A snapshot; ``meanwhile`` runs while no writer can run, the rest beside writers."""
        with self._state.reader.connect() as connection, connection.begin():
            with self._state.write():
                connection.execute(select(func.count()).select_from(setting))
                meanwhile()
            yield SqlSnapshot(connection)

    def load(self, directory: Path) -> None:
        """Read a dump into empty tables."""
        sequences: dict[str, int] = json.loads((directory / _SEQUENCES).read_text("utf-8"))
        with self._state.write() as tx:
            for table in metadata.sorted_tables:
                if tx.connection.scalar(select(func.count()).select_from(table)):
                    raise Conflict("the state store holds data", code="not_empty", table=table.name)
            for table in metadata.sorted_tables:
                for rows in _read(directory / f"{table.name}.zst"):
                    tx.connection.execute(insert(table), rows)
            _set_sequences(tx.connection, sequences)


class SqlSnapshot:
    """``core.ports.archive.StateSnapshot``: one open read transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cursor(self, name: str) -> int:
        """The position of a reader of the journal."""
        value = self._connection.scalar(select(cursor.c.value).where(cursor.c.name == name))
        return int(value or 0)

    def dump(self, directory: Path) -> Summaries:
        """Write every table."""
        directory.mkdir(parents=True)
        summaries = {}
        for table in metadata.sorted_tables:
            with (
                (directory / f"{table.name}.zst").open("wb") as file,
                zstandard.ZstdCompressor(level=3).stream_writer(file) as packed,
            ):
                _write_frame(packed, [str(column.name) for column in table.columns])
                summaries[table.name] = self._walk(table, packed)
        sequences = json.dumps(_sequences(self._connection))
        (directory / _SEQUENCES).write_text(sequences, "utf-8")
        return summaries

    def summaries(self) -> Summaries:
        """Every table's rows and checksum."""
        return {table.name: self._walk(table, None) for table in metadata.sorted_tables}

    def _walk(self, table: Table, packed: Any) -> TableSummary:
        rows = checksum = 0
        result = self._connection.execution_options(yield_per=FRAME_ROWS).execute(select(table))
        for partition in result.partitions(FRAME_ROWS):
            frame = [list(row) for row in partition]
            for row in frame:
                digest = blake2b(msgspec.msgpack.encode(row), digest_size=8).digest()
                checksum = (checksum + int.from_bytes(digest, "big")) % 2**64
            rows += len(frame)
            if packed is not None:
                _write_frame(packed, frame)
        return TableSummary(rows, f"{checksum:016x}")


def _write_frame(file: Any, value: Any) -> None:
    data = msgspec.msgpack.encode(value)
    file.write(len(data).to_bytes(4, "big") + data)


def _read(path: Path) -> Iterator[list[dict[str, Any]]]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as packed:
        names = _read_frame(packed)
        while (rows := _read_frame(packed)) is not None:
            yield [dict(zip(names, row, strict=True)) for row in rows]


def _read_frame(file: IO[bytes]) -> Any:
    prefix = file.read(4)
    if not prefix:
        return None
    data = file.read(int.from_bytes(prefix, "big"))
    try:
        return msgspec.msgpack.decode(data)
    except msgspec.DecodeError as error:
        raise Permanent("the dump is torn", code="backup_unreadable") from error


def _serials(connection: Connection) -> Iterator[tuple[Table, str]]:
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        found = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        )
        if found is not None:
            yield table, found


def _sequences(connection: Connection) -> dict[str, int]:
    """The last number each self-numbering table gave out, also to rows that are gone."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {name: seq for name, seq in rows if name in metadata.tables}
    query = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "
    return {t.name: connection.scalar(text(query + name)) or 0 for t, name in _serials(connection)}


def _set_sequences(connection: Connection, last: dict[str, int]) -> None:
    if connection.dialect.name == "sqlite":
        for name, seq in last.items():
            if not metadata.tables[name].dialect_options["sqlite"].get("autoincrement"):
                continue
            values = {"name": name, "seq": seq}
            changed = connection.execute(
                text("UPDATE sqlite_sequence SET seq = max(seq, :seq) WHERE name = :name"), values
            )
            if not changed.rowcount:
                connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), values)
        return
    for table, sequence in _serials(connection):
        column = table.autoincrement_column
        assert column is not None
        highest = connection.scalar(select(func.max(column))) or 0
        value = max(last.get(table.name, 0), highest)
        if value:
            connection.execute(
                text("SELECT setval(:name, :value)"), {"name": sequence, "value": value}
            )
