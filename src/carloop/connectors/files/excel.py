"""Excel workbooks: the first sheet, read row by row, bombs refused before they unpack."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from carloop.connectors.files.table import LONGEST_ROW, BadRow, Row, Table, Value, named
from carloop.kit.errors import InvalidInput, TooLarge

MOST_UNPACKED = 1024 * 1024 * 1024
MOST_RATIO = 200
SMALL = 10 * 1024 * 1024


def read_excel(path: Path) -> Table:
    """The first sheet; its first row that is not empty is the header.

    Raises:
        InvalidInput: ``file_broken``, ``file_empty``, ``too_many_columns``.
        TooLarge: ``too_large_unpacked``.
    """
    _refuse_bombs(path)
    header = next(_cells(path), None)
    if header is None:
        raise InvalidInput("the first sheet is empty", code="file_empty")
    while header and header[-1] is None:
        header.pop()
    columns = named(header)

    def rows() -> Iterator[Row | BadRow]:
        for number, values in enumerate(_cells(path)):
            if number == 0:
                continue
            if any(value is not None for value in values[len(columns) :]):
                yield BadRow(number, "column_count")
            elif sum(len(v) for v in values if isinstance(v, str)) > LONGEST_ROW:
                yield BadRow(number, "row_too_long")
            else:
                padded = values[: len(columns)] + [None] * (len(columns) - len(values))
                yield Row(number, padded)

    return Table(columns, rows)


def _refuse_bombs(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidInput("not a readable workbook", code="file_broken") from error
    if sum(part.file_size for part in parts) > MOST_UNPACKED or any(
        part.file_size > SMALL and part.file_size > MOST_RATIO * max(part.compress_size, 1)
        for part in parts
    ):
        raise TooLarge("the workbook unpacks to too much", code="too_large_unpacked")


def _cells(path: Path) -> Iterator[list[Value]]:
    from openpyxl import load_workbook  # slow to import, and an engine is to be back soon

    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, ParseError, zipfile.BadZipFile) as error:
        raise InvalidInput("not a readable workbook", code="file_broken") from error
    try:
        for row in workbook.worksheets[0].iter_rows(values_only=True):
            if any(value is not None for value in row):
                yield [_plain(value) for value in row]
    finally:
        workbook.close()


def _plain(value: Any) -> Value:
    if value is None or isinstance(value, str | int | float | bool | datetime | date):
        return value
    return str(value)
