"""What a file holds, row by row, with the place after each row where its format has lines."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from carloop.connectors.feeds.encoding import row_json
from carloop.connectors.files import BadRow, open_table
from carloop.connectors.files.delimited import SAMPLE, detect_delimiter, detect_encoding
from carloop.connectors.files.log_lines import LinePattern
from carloop.connectors.files.table import Table, named
from carloop.connectors.files.xml_rows import xml_rows
from carloop.core.feeds import LONGEST_RECORD, FeedColumn
from carloop.kit.errors import InvalidInput

LONGEST_ROW = LONGEST_RECORD - 8 * 1024
"""Leaves room for the name of the file."""
FORMATS = ("auto", "csv", "jsonl", "parquet", "excel", "xml", "log")
LINED = ("csv", "jsonl", "log")
"""Formats that may grow at their end."""
ENCODINGS = ("auto", "utf-8", "gb18030")
MOST_SPOOLED = 2 * 1024 * 1024 * 1024
_BATCH = 1_000
_SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".xlsx": "excel", ".xml": "xml", ".log": "log",
}  # fmt: skip
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Item(NamedTuple):
    """A row.

    Attributes:
        row: counts from 1, without the header.
        end: bytes of the file up to and with this row; 0 where its format has no lines.
        body: a JSON object, or what stood there where ``code`` is set.
        code: why it cannot be read.
    """

    row: int
    end: int
    body: bytes
    code: str = ""


class Start(NamedTuple):
    """Where reading begins: after so many rows and bytes."""

    row: int = 0
    offset: int = 0


class Reading(NamedTuple):
    """How files are read.

    Attributes:
        format: one of :data:`FORMATS`.
        encoding: one of :data:`ENCODINGS`.
        growing: a last line without its end is still being written.
        record: path to the record element of XML.
        pattern: of log lines.
        unmatched: whether lines that the pattern does not fit are kept, as unreadable.
    """

    format: str
    encoding: str = "auto"
    growing: bool = False
    record: tuple[str, ...] = ()
    pattern: LinePattern | None = None
    unmatched: bool = True

    def of(self, name: str) -> str:
        """The format of a file, by its name where none is set.

        Raises:
            InvalidInput: ``format_unknown``; ``setting_missing``: what this format needs.
        """
        found = self.format
        if found == "auto":
            found = _SUFFIXES.get(Path(name).suffix.lower(), "")
        if not found:
            raise InvalidInput("a format that cannot be told by its name", code="format_unknown")
        if found == "xml" and not self.record:
            raise InvalidInput("XML needs a record", code="setting_missing", path="record")
        if found == "log" and self.pattern is None:
            raise InvalidInput("log lines need a pattern", code="setting_missing",
                               path="line_pattern")  # fmt: skip
        return found


def items(file: BinaryIO, name: str, reading: Reading, start: Start = Start()) -> Iterator[Item]:  # noqa: B008
    """The rows of a file after ``start``; a whole file that cannot be read raises.

    Formats without lines begin at the first row whatever ``start`` says.

    Raises:
        InvalidInput: ``file_empty``, ``file_broken``, ``too_many_columns``, ``format_unknown`` …
    """
    kind = reading.of(name)
    if kind == "csv":
        return _csv_items(file, reading, start)
    if kind == "jsonl":
        return _jsonl_items(file, reading, start)
    if kind == "log":
        return _log_items(file, reading, start)
    if kind == "xml":
        return _xml_items(file, reading)
    return _table_items(file, kind)


def declared(file: BinaryIO, name: str, reading: Reading) -> tuple[FeedColumn, ...]:
    """The columns that a file declares; empty where its format declares none.

    Raises:
        InvalidInput: as :func:`items`.
    """
    kind = reading.of(name)
    if kind == "csv":
        return tuple(FeedColumn(column, "text") for column in _Csv(file, reading).columns)
    if kind == "log":
        assert reading.pattern is not None
        return tuple(FeedColumn(group, "text") for group in reading.pattern.groups)
    if kind in ("parquet", "excel"):
        with _spooled(file, kind) as path:
            return _typed_columns(path, kind)
    return ()


class _Lines:
    """Lines of a file as texts, and how far it was read."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int, growing: bool) -> None:
        self._file, self._encoding, self._growing = file, encoding, growing
        self.offset = offset
        self.raw: list[bytes] = []
        self.too_long = self.ended = False

    def take(self) -> bytes | None:
        """The next line's bytes, cut where it is too long; None at the end."""
        line = self._file.readline(LONGEST_ROW + 1)
        whole = line.endswith(b"\n")
        length = len(line)
        if len(line) > LONGEST_ROW and not whole:
            self.too_long = True
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = self._file.readline(LONGEST_ROW)
                length += len(rest)
            whole = rest.endswith(b"\n")
        if not line or (self._growing and not whole):
            self.ended = True
            return None
        self.offset += length
        return line

    def __iter__(self) -> Iterator[str]:
        while (line := self.take()) is not None:
            if sum(map(len, self.raw)) <= LONGEST_ROW:
                self.raw.append(line)
            text = line.decode(self._encoding, "surrogateescape")
            yield text.removeprefix("\ufeff") if self.offset == len(line) else text

    def begin(self) -> None:
        """A new row begins."""
        self.raw.clear()
        self.too_long = False


class _Csv:
    """A text table; UTF-16 is turned into UTF-8 first, and then has no places."""

    def __init__(self, file: BinaryIO, reading: Reading) -> None:
        sample = file.read(SAMPLE)
        file.seek(0)
        encoding = detect_encoding(sample) if reading.encoding == "auto" else reading.encoding
        if encoding == "utf-16":
            if reading.growing:
                raise InvalidInput("UTF-16 cannot grow", code="encoding_unsupported")
            text = io.TextIOWrapper(file, "utf-16", "surrogateescape", newline="\n")
            file = _Recoded(text)
            sample, encoding = sample.decode("utf-16", "replace").encode(), "utf-8"
        encoding = encoding.removesuffix("-sig")
        self.delimiter = detect_delimiter(sample.decode(encoding, "replace"))
        self.file, self.encoding, self._growing = file, encoding, reading.growing
        csv.field_size_limit(LONGEST_RECORD)
        self.lines = _Lines(file, encoding, 0, reading.growing)
        reader = csv.reader(self.lines, delimiter=self.delimiter)
        try:
            header = next((fields for fields in reader if fields), None)
        except csv.Error as error:
            raise InvalidInput("the header cannot be read", code=_csv_fault(error)) from error
        code = _fault(header) if header else ""
        if header is None or (self.lines.ended and reading.growing):
            raise InvalidInput("the file has no header yet", code="file_empty")
        if code or self.lines.too_long:
            raise InvalidInput("the header cannot be read", code=code or "row_too_long")
        self.columns = named(header)

    def at(self, offset: int) -> _Lines:
        """Lines from a place on; 0: after the header."""
        if offset > self.lines.offset:
            self.file.seek(offset)
            self.lines = _Lines(self.file, self.encoding, offset, self._growing)
        self.lines.begin()
        return self.lines


class _Recoded(io.BytesIO):
    """A text as UTF-8, line by line."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        super().__init__()
        self._text = text

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._text.readline(-1 if size is None else size).encode("utf-8", "surrogateescape")


def _csv_items(file: BinaryIO, reading: Reading, start: Start) -> Iterator[Item]:
    table = _Csv(file, reading)
    lines = table.at(start.offset)
    reader = csv.reader(lines, delimiter=table.delimiter)
    row = start.row
    while True:
        code = ""
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fields, code = [], _csv_fault(error)
        if lines.ended and reading.growing:
            return
        if not fields and not code:
            continue
        row += 1
        code = code or ("row_too_long" if lines.too_long else _fault(fields))
        code = code or ("column_count" if len(fields) != len(table.columns) else "")
        raw = b"".join(lines.raw)[:LONGEST_ROW]
        yield (
            Item(row, lines.offset, raw, code)
            if code
            else _sound(row, lines.offset, row_json(dict(zip(table.columns, fields, strict=True))))
        )


def _csv_fault(error: csv.Error) -> str:
    return "row_too_long" if "limit" in str(error) else "row_broken"


def _fault(fields: list[str]) -> str:
    text = "".join(fields)
    if "\x00" in text:
        return "nul"
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        return "invalid_encoding"
    return ""


def _sound(row: int, end: int, body: bytes) -> Item:
    return Item(row, end, body[:LONGEST_ROW], "row_too_long" if len(body) > LONGEST_ROW else "")


def _numbered(
    file: BinaryIO, reading: Reading, start: Start
) -> Iterator[tuple[int, int, bytes, bool]]:
    """``(row, end, line, too long)`` of lines that are not empty."""
    file.seek(start.offset)
    lines = _Lines(file, "utf-8", start.offset, reading.growing)
    row = start.row
    while (line := lines.take()) is not None:
        text = line.removeprefix(b"\xef\xbb\xbf") if row == start.row == 0 else line
        if text.strip():
            row += 1
            yield row, lines.offset, text.strip(b"\r\n")[:LONGEST_ROW], lines.too_long
        lines.begin()


def _jsonl_items(file: BinaryIO, reading: Reading, start: Start) -> Iterator[Item]:
    for row, end, line, too_long in _numbered(file, reading, start):
        text = line.strip()
        code = "row_too_long" if too_long else ""
        if not code and reading.encoding == "gb18030":
            try:
                text = text.decode("gb18030").encode()
            except UnicodeError:
                code = "invalid_encoding"
        yield Item(row, end, text, code or _json_fault(text))


def _json_fault(text: bytes) -> str:
    try:
        text.decode()
    except UnicodeDecodeError:
        return "invalid_encoding"
    try:
        _decode(text)
    except msgspec.ValidationError:
        return "not_an_object"
    except (msgspec.DecodeError, RecursionError):
        return "malformed_json"
    return ""


def _log_items(file: BinaryIO, reading: Reading, start: Start) -> Iterator[Item]:
    assert reading.pattern is not None
    encoding = reading.encoding
    if encoding == "auto":
        file.seek(0)
        encoding = detect_encoding(file.read(SAMPLE)).removesuffix("-sig")
        if encoding == "utf-16":
            raise InvalidInput("UTF-16 has no plain lines", code="encoding_unsupported")
    found = _numbered(file, reading, start)
    while batch := list(islice(found, _BATCH)):
        texts, codes = [], []
        for _, _, line, too_long in batch:
            text, code = "", "row_too_long" if too_long else "nul" if b"\x00" in line else ""
            if not code:
                try:
                    text = line.decode(encoding)
                except UnicodeError:
                    code = "invalid_encoding"
            texts.append(text)
            codes.append(code)
        for (row, end, line, _), code, told in zip(
            batch, codes, reading.pattern.match(texts), strict=True
        ):
            if code:
                yield Item(row, end, line, code)
            elif told is not None:
                yield _sound(row, end, row_json(told))
            elif reading.unmatched:
                yield Item(row, end, line, "line_unmatched")


def _xml_items(file: BinaryIO, reading: Reading) -> Iterator[Item]:
    for item in xml_rows(file, reading.record, reading.encoding):
        body = row_json(item.value)
        yield Item(item.number, 0, body, item.code) if item.code else _sound(item.number, 0, body)


def _table_items(file: BinaryIO, kind: str) -> Iterator[Item]:
    with _spooled(file, kind) as path:
        table = _opened(path, kind)
        for row in table.rows():
            if isinstance(row, BadRow):
                yield Item(row.number, 0, row_json({"row": row.number}), row.code)
            else:
                body = row_json(dict(zip(table.columns, row.values, strict=True)))
                yield _sound(row.number, 0, body)


def _opened(path: Path, kind: str) -> Table:
    return open_table(path, "x.xlsx" if kind == "excel" else "x.parquet")


def _typed_columns(path: Path, kind: str) -> tuple[FeedColumn, ...]:
    columns = _opened(path, kind).columns
    if kind == "excel":
        return tuple(FeedColumn(column, "cell") for column in columns)
    import pyarrow.parquet as pq  # slow to import, and an engine is to be back soon

    types = pq.read_schema(path).types
    return tuple(FeedColumn(c, str(t)[:64]) for c, t in zip(columns, types, strict=True))


@contextmanager
def _spooled(file: BinaryIO, kind: str) -> Iterator[Path]:
    """The file at a path of this machine: its own, or a copy that goes away.

    Raises:
        InvalidInput: ``file_too_large``.
    """
    name = getattr(file, "name", None)
    if isinstance(name, str):
        yield Path(name)
        return
    file.seek(0)
    with tempfile.NamedTemporaryFile(
        prefix="carloop-", suffix={"excel": ".xlsx"}.get(kind, "")
    ) as copy:
        while piece := file.read(1024 * 1024):
            copy.write(piece)
            if copy.tell() > MOST_SPOOLED:
                raise InvalidInput("too large for its format", code="file_too_large")
        copy.flush()
        yield Path(copy.name)
