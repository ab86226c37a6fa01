"""Files in: each format is one file and one line in the mapping below. All of them stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from carloop.connectors.files.delimited import read_delimited
from carloop.connectors.files.excel import read_excel
from carloop.connectors.files.jsonl import read_jsonl
from carloop.connectors.files.parquet import read_parquet
from carloop.connectors.files.table import BadRow, Row, Table, Value
from carloop.kit.errors import InvalidInput, NotFound

FORMATS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
}


def open_table(path: Path, name: str | None = None) -> Table:
    """The rows of a file; ``name`` where the file's own name does not show its format.

    Raises:
        NotFound: ``file_unknown``.
        InvalidInput: ``format_unknown``, ``file_empty``, ``too_many_columns``, ``file_broken``.
    """
    if not path.is_file():
        raise NotFound("no such file", code="file_unknown")
    suffix = Path(name or path.name).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise InvalidInput(f"not a format that can be imported ({known})", code="format_unknown")
    return FORMATS[suffix](path)


__all__ = ["FORMATS", "BadRow", "Row", "Table", "Value", "open_table"]
