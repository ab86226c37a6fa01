"""Parquet, in batches of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from carloop.connectors.files.table import BadRow, Row, Table, Value, named
from carloop.kit.errors import InvalidInput

BATCH = 2000


def read_parquet(path: Path) -> Table:
    """Every column of the file; nested values as JSON text.

    Raises:
        InvalidInput: ``file_broken``, ``too_many_columns``.
    """
    import pyarrow as pa  # slow to import, and an engine is to be back soon
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns, total = named(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("not a readable Parquet file", code="file_broken") from error

    def rows() -> Iterator[Row | BadRow]:
        number = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                lists = [column.to_pylist() for column in batch.columns]
                for values in zip(*lists, strict=True):
                    number += 1
                    yield Row(number, [_plain(value) for value in values])

    return Table(columns, rows, total)


def _plain(value: Any) -> Value:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if hasattr(value, "isoformat"):
        return value  # type: ignore[no-any-return]
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)
