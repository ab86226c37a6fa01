"""One JSON object per line; nested objects become dotted columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from carloop.connectors.files.table import LONGEST_ROW, BadRow, Row, Table, Value, named
from carloop.kit.errors import InvalidInput

SAMPLE_ROWS = 1000


def read_jsonl(path: Path) -> Table:
    """Columns are those of the first 1000 lines; a later new one makes its row bad.

    Raises:
        InvalidInput: ``file_empty``, ``too_many_columns``.
    """
    found: dict[str, None] = {}
    for number, record in _records(path):
        if isinstance(record, dict):
            found.update(dict.fromkeys(record))
        if number >= SAMPLE_ROWS:
            break
    if not found:
        raise InvalidInput("the file holds no JSON object", code="file_empty")
    columns = named(list(found))

    def rows() -> Iterator[Row | BadRow]:
        for number, record in _records(path):
            if isinstance(record, str):
                yield BadRow(number, record)
            elif record.keys() - found.keys():
                yield BadRow(number, "column_unknown")
            else:
                yield Row(number, [record.get(column) for column in found])

    return Table(columns, rows, encoding="utf-8")


def _records(path: Path) -> Iterator[tuple[int, dict[str, Value] | str]]:
    """Numbered flat objects, or the code of what is wrong with the line."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_ROW + 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not text:
                continue
            number += 1
            if len(line) > LONGEST_ROW:
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST_ROW)
                yield number, "row_too_long"
                continue
            yield number, _record(text)


def _record(text: bytes) -> dict[str, Value] | str:
    try:
        value = msgspec.json.decode(text)
    except UnicodeDecodeError:
        return "invalid_encoding"
    except (msgspec.DecodeError, RecursionError):
        return "malformed_json"
    if not isinstance(value, dict):
        return "not_an_object"
    flat: dict[str, Value] = {}
    flatten(value, "", flat)
    return flat


def flatten(value: dict[str, Any], prefix: str, into: dict[str, Value]) -> None:
    """Nested objects as dotted names, lists as JSON text.

    >>> flat = {}
    >>> flatten({"a": {"b": 1}, "c": [1]}, "", flat)
    >>> flat
    {'a.b': 1, 'c': '[1]'}
    """
    for key, item in value.items():
        if isinstance(item, dict):
            flatten(item, f"{prefix}{key}.", into)
        elif isinstance(item, list):
            into[prefix + key] = msgspec.json.encode(item).decode()
        else:
            into[prefix + key] = item
