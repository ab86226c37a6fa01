"""CSV and its kin: encoding and delimiter found by looking, bad rows set aside."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from carloop.connectors.files.table import LONGEST_ROW, BadRow, Row, Table, named
from carloop.kit.errors import InvalidInput

SAMPLE = 1024 * 1024
DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_delimited(path: Path) -> Table:
    """A text table with a header line.

    Raises:
        InvalidInput: ``file_empty``, ``too_many_columns``, ``row_too_long`` of the header.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    encoding = detect_encoding(sample)
    delimiter = detect_delimiter(sample.decode(encoding, errors="replace"))

    def rows() -> Iterator[list[str] | BadRow]:
        csv.field_size_limit(LONGEST_ROW)
        with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            number = 0
            while True:
                try:
                    fields = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield BadRow(number, "row_too_long")
                    number += 1
                    continue
                if not fields:
                    continue
                yield _checked(number, fields)
                number += 1

    header = next(rows(), None)
    if header is None or isinstance(header, BadRow):
        code = "file_empty" if header is None else header.code
        raise InvalidInput("the file has no readable header", code=code)
    columns = named(header)

    def body() -> Iterator[Row | BadRow]:
        for number, fields in enumerate(rows()):
            if number == 0:
                continue
            if isinstance(fields, BadRow):
                yield fields
            elif len(fields) != len(columns):
                yield BadRow(number, "column_count")
            else:
                yield Row(number, fields)

    return Table(columns, body, encoding=encoding)


def _checked(number: int, fields: list[str]) -> list[str] | BadRow:
    if sum(map(len, fields)) > LONGEST_ROW:
        return BadRow(number, "row_too_long")
    text = "".join(fields)
    if "\x00" in text:
        return BadRow(number, "nul")
    if not text.isascii() and any("\udc80" <= char <= "\udcff" for char in text):
        return BadRow(number, "invalid_encoding")
    return fields


def detect_encoding(sample: bytes) -> str:
    """``utf-8``, with or without mark, ``utf-16``, or else ``gb18030`` (which holds GBK).

    >>> detect_encoding("姓名".encode("gbk")), detect_encoding("姓名".encode())
    ('gb18030', 'utf-8')
    """
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=len(sample) < SAMPLE)
    except UnicodeDecodeError as error:
        try:
            codecs.getincrementaldecoder("gb18030")().decode(sample, final=False)
        except UnicodeDecodeError:
            return "utf-8"
        return "utf-8" if _mostly_utf8(sample, error.start) else "gb18030"
    return "utf-8"


def _mostly_utf8(sample: bytes, start: int) -> bool:
    """True where many multi-byte characters were sound before the first broken one."""
    return len(sample[:start].decode()) < start - 50


def detect_delimiter(text: str) -> str:
    """The separator that the header line holds most of.

    >>> detect_delimiter("a;b;c,d"), detect_delimiter("a")
    (';', ',')
    """
    header = next(iter(text.lstrip("\ufeff\r\n").splitlines()), "")
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)
