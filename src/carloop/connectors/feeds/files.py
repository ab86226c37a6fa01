"""Files in a folder, here or elsewhere: each new and each changed one is read once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, ClassVar, Self

import msgspec

from carloop.connectors.feeds.broker import PAGE_BYTES, SAMPLE, texts
from carloop.connectors.feeds.encoding import content_version, row_json
from carloop.connectors.feeds.file_places import (
    MOST_FILES,
    Entry,
    FileGone,
    LocalPlace,
    Place,
    checked_pattern,
    too_many,
)
from carloop.connectors.feeds.file_rows import (
    ENCODINGS,
    FORMATS,
    LINED,
    LONGEST_ROW,
    Item,
    Reading,
    Start,
    declared,
    items,
)
from carloop.connectors.feeds.s3 import ADDRESSING, S3Place
from carloop.connectors.feeds.sftp import LONGEST_KEY, SftpPlace
from carloop.connectors.files.log_lines import LONGEST_PATTERN, LinePattern
from carloop.connectors.files.xml_rows import record_path
from carloop.core.feeds import (
    MOST_PAGE_RECORDS,
    Allowed,
    Cursor,
    FeedColumn,
    FeedPage,
    FeedRecord,
    Probe,
    Stop,
)
from carloop.kit.errors import CarloopError, InvalidInput
from carloop.kit.settings import Reader, refuse_unknown

PLACES = ("local", "s3", "sftp")
CHANGED = ("auto", "replaced", "appended")
SETTLE_SECONDS = 5
META = "$file"
MOST_COUNTED = 1_000_000
"""Rows of one file that are told apart by content; those beyond, by their number."""
MOST_RECOUNTED = 1024**3
_NEWEST = 5
_decode = msgspec.json.Decoder().decode


class Files:
    """Reads the files of a folder that fit a pattern, the oldest first.

    *Replaced*: a file that changed is read again from its beginning; a row is known by ``key``, or
    else by its file, its content and how often that came before, so that what did not change
    counts once. *Appended*: a file goes on where it ended; a row is known by ``key``, or else by
    its folder, the file's first line and its place, so that rotated logs count once.
    """

    kind: ClassVar[str] = "files"
    title: ClassVar[Mapping[str, str]] = {"zh": "文件与文件夹", "en": "Files and folders"}
    endless: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._settings, self._allowed = settings, allowed
        self._kind = read.choice("place", "", PLACES)
        self._seconds = read.integer("timeout_seconds", 30, 1, 300)
        self._glob = checked_pattern(read.text("glob", "*", 500))
        self._settle = read.integer("settle_seconds", SETTLE_SECONDS, 0, 86_400)
        self._key = texts(settings, "key", 16, 200)
        self._changed = read.choice("changed", "auto", CHANGED)
        self._read = _reading(read, settings)
        if self._changed == "appended" and self._read.format not in ("auto", *LINED):
            raise InvalidInput(
                "only formats of lines grow at their end", code="setting_invalid", path="changed"
            )
        self._place = self._opened()

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        return _schema()

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one folder; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """The newest files: their columns, and their first rows."""
        entries = self._entries()
        sample: list[bytes] = []
        notes = [] if entries else ["no_files"]
        for entry in reversed(entries[-_NEWEST:]):
            try:
                with self._place.open(entry) as file:
                    for item in items(file, entry.name, self._read):
                        if item.code:
                            notes.append("unreadable_rows")
                        else:
                            sample.append(item.body)
                        if len(sample) >= SAMPLE or item.row > 2 * SAMPLE:
                            break
            except FileGone:
                continue
            except InvalidInput as error:
                if error.path:
                    raise
                notes.append("unreadable_rows")
            if len(sample) >= SAMPLE:
                break
        columns = self._columns(entries)
        return Probe(columns, tuple(sample), None, tuple(dict.fromkeys(notes)))

    def columns(self) -> tuple[FeedColumn, ...]:
        """Those that the newest readable file declares."""
        return self._columns(self._entries())

    def count(self) -> int | None:
        """Rows that are told apart, by reading everything; None beyond a million, or 1 GiB."""
        found: set[bytes] = set()
        progress, entries = _Progress(None), self._entries()
        if sum(entry.size for entry in entries) > MOST_RECOUNTED:
            return None
        for entry in entries:
            for record in self._records(entry, progress):
                found.add(hashlib.blake2b(record.key.encode(), digest_size=8).digest())
                if len(found) > MOST_COUNTED:
                    return None
        return len(found)

    def acknowledge(self, page: FeedPage) -> None:
        """Nothing: files stay where they are."""

    def close(self) -> None:
        """Hang up."""
        self._place.close()

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Rows of new and changed files.

        The cursor tells the stamp of every file that was read (``done``), and how far a file is
        that was not read to its end or that may grow (``at``: stamp or first line, rows, bytes).
        """
        progress = _Progress(cursor)
        entries = self._entries()
        kept: list[FeedRecord] = []
        weight = 0
        try:
            for entry in entries:
                if stop():
                    break
                for record in self._records(entry, progress):
                    kept.append(record)
                    weight += len(record.body)
                    if len(kept) >= MOST_PAGE_RECORDS or weight >= PAGE_BYTES:
                        yield FeedPage(kept, progress.cursor())
                        kept, weight = [], 0
                        if stop():
                            return
        except CarloopError:
            if kept:
                yield FeedPage(kept, progress.cursor())
            raise
        else:
            progress.forget({entry.name for entry in entries}, stopped=stop())
        yield FeedPage(kept, progress.cursor())
        if progress.trouble is not None:
            raise progress.trouble

    def _entries(self) -> list[Entry]:
        """The oldest first; what changed a moment ago is left for the next time."""
        found = list(_bounded(self._place.entries(self._glob)))
        now = time.time()
        settled = [
            entry
            for entry in found
            if self._appended(entry.name) or not 0 <= now - entry.changed < self._settle
        ]
        return sorted(settled, key=lambda entry: (entry.changed, entry.name))

    def _columns(self, entries: list[Entry]) -> tuple[FeedColumn, ...]:
        for entry in reversed(entries[-_NEWEST:]):
            try:
                with self._place.open(entry) as file:
                    if columns := declared(file, entry.name, self._read):
                        return columns
            except FileGone:
                continue
            except InvalidInput as error:
                if error.path:
                    raise
        return ()

    def _appended(self, name: str) -> bool:
        if self._changed != "auto":
            return self._changed == "appended"
        try:
            return self._read.of(name) == "log"
        except InvalidInput:
            return False

    def _records(self, entry: Entry, progress: _Progress) -> Iterator[FeedRecord]:
        """New rows of a file, ``progress`` being true after each of them."""
        try:
            if self._appended(entry.name):
                yield from self._grown(entry, progress)
            elif progress.done.get(entry.name) != entry.stamp:
                yield from self._whole(entry, progress)
        except FileGone:
            return
        except InvalidInput as error:
            if error.path:
                raise
            if error.code == "permission_missing":
                progress.trouble = error
                return
            progress.finish(entry)
            body = row_json({META: {"name": entry.name}})
            yield FeedRecord(entry.name, body, entry.stamp, error.code)

    def _whole(self, entry: Entry, progress: _Progress) -> Iterator[FeedRecord]:
        before = progress.at.get(entry.name)
        read = before[1] if before and before[0] == entry.stamp else 0
        repeats: dict[bytes, int] = {}
        with self._place.open(entry) as file:
            for item in items(file, entry.name, self._read):
                record = self._record(entry, item, repeats)
                if item.row <= read:
                    continue
                progress.at[entry.name] = [entry.stamp, item.row, 0]
                yield record
        if self._place.unchanged(entry):
            progress.finish(entry)

    def _grown(self, entry: Entry, progress: _Progress) -> Iterator[FeedRecord]:
        with self._place.open(entry) as file:
            head = _first_line(file)
            if not head:
                return
            before = progress.at.get(entry.name)
            goes_on = before is not None and before[0] == head and before[2] <= entry.size
            start = Start(*before[1:]) if goes_on and before else Start()
            folder = entry.name.rpartition("/")[0]
            reading = self._read._replace(growing=True)
            for item in items(file, entry.name, reading, start):
                progress.at[entry.name] = [head, item.row, item.end]
                yield self._placed(entry, item, f"{folder}/{head}@{item.end}")

    def _record(self, entry: Entry, item: Item, repeats: dict[bytes, int]) -> FeedRecord:
        """A row of a file that is read as a whole."""
        key = self._own_key(item)
        if key or item.code:
            return self._placed(entry, item, "")
        if item.row > MOST_COUNTED:
            return FeedRecord(
                f"{entry.name}#{item.row}", _with_meta(entry, item), content_version(item.body)
            )
        content = hashlib.blake2b(item.body, digest_size=8).digest()
        repeats[content] = repeats.get(content, 0) + 1
        key = f"{entry.name}/{content.hex()}/{repeats[content]}"
        return FeedRecord(key, _with_meta(entry, item))

    def _placed(self, entry: Entry, item: Item, place: str) -> FeedRecord:
        """A row that is known by its own key, or by its place."""
        version = content_version(item.body)
        if item.code:
            return FeedRecord(f"{entry.name}#{item.row}", item.body, version, item.code)
        return FeedRecord(self._own_key(item) or place, _with_meta(entry, item), version)

    def _own_key(self, item: Item) -> str:
        """The values of the key's columns as JSON; empty where one of them is missing."""
        if not self._key or item.code:
            return ""
        document = _decode(item.body)
        values = [_found(document, name) for name in self._key]
        if any(value is None or value == "" for value in values):
            return ""
        return msgspec.json.encode(values, order="deterministic").decode()

    def _opened(self) -> Place:
        if self._kind == "local":
            return LocalPlace(Reader(self._settings).text("folder", limit=1000), self._allowed)
        if self._kind == "s3":
            return S3Place(self._settings, self._allowed, self._seconds)
        return SftpPlace(self._settings, self._allowed, self._seconds)


class _Progress:
    """What was read, as the cursor tells it."""

    def __init__(self, cursor: Cursor | None) -> None:
        told = cursor or {}
        self.done: dict[str, str] = dict(told.get("done", {}))
        self.at: dict[str, list[Any]] = dict(told.get("at", {}))
        self.trouble: InvalidInput | None = None
        """A file that may not be read now; the others are, then this is told."""

    def cursor(self) -> dict[str, Any]:
        return {"done": dict(self.done), "at": dict(self.at)}

    def finish(self, entry: Entry) -> None:
        self.done[entry.name] = entry.stamp
        self.at.pop(entry.name, None)

    def forget(self, names: set[str], *, stopped: bool) -> None:
        """Files that are no longer there."""
        if not stopped:
            self.done = {name: stamp for name, stamp in self.done.items() if name in names}
            self.at = {name: state for name, state in self.at.items() if name in names}


def _bounded(entries: Iterator[Entry]) -> Iterator[Entry]:
    for number, entry in enumerate(entries, start=1):
        if number > MOST_FILES:
            raise too_many()
        yield entry


def _first_line(file: BinaryIO) -> str:
    """Names a file that grows by its first line; empty while that is not complete."""
    file.seek(0)
    line = file.readline(LONGEST_ROW)
    file.seek(0)
    if not line.endswith(b"\n") and len(line) < LONGEST_ROW:
        return ""
    return content_version(line)


def _with_meta(entry: Entry, item: Item) -> bytes:
    meta = row_json({META: {"name": entry.name, "row": item.row}})
    return meta if item.body == b"{}" else item.body[:-1] + b"," + meta[1:]


def _found(document: Any, name: str) -> Any:
    """A column by its name, or a nested member by its path."""
    if name in document:
        return document[name]
    for step in name.split("."):
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _reading(read: Reader, settings: Mapping[str, Any]) -> Reading:
    format_ = read.choice("format", "auto", FORMATS)
    record, pattern = read.text("record", "", 500), read.text("line_pattern", "", LONGEST_PATTERN)
    try:
        steps = record_path(record) if record else ()
    except ValueError as error:
        raise InvalidInput("names joined by /", code="setting_invalid", path="record") from error
    unmatched = read.choice("unmatched", "keep", ("keep", "skip")) == "keep"
    encoding = read.choice("text_encoding", "auto", ENCODINGS)
    lines = LinePattern(pattern) if pattern else None
    reading = Reading(format_, encoding, False, steps, lines, unmatched)
    if format_ != "auto":
        reading.of("")
    return reading


def _schema() -> dict[str, Any]:
    def text(longest: int, title: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", "maxLength": longest, "title": title, **more}

    def choice(options: tuple[str, ...], default: str, title: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(options), "default": default, "title": title, **more}

    def number(low: int, high: int, default: int, title: str) -> dict[str, Any]:
        told = {"type": "integer", "minimum": low, "maximum": high, "default": default}
        return {**told, "title": title}

    properties: dict[str, Any] = {
        "place": {"type": "string", "enum": list(PLACES), "title": "Where the files lie"},
        "host": text(253, "SFTP: host"),
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "title": "SFTP: port (22)"},
        "username": text(256, "SFTP: user"),
        "password": text(2000, "SFTP: password, or the passphrase of the key", writeOnly=True),
        "private_key": text(LONGEST_KEY, "SFTP: private key (PEM)", writeOnly=True),
        "host_key": text(200, "SFTP: fingerprint of the server's key",
                         description="SHA256:…; a trial without it tells what the server shows"),
        "endpoint": text(500, "S3: address of the service, unless it is AWS"),
        "region": text(64, "S3: region", default="us-east-1"),
        "bucket": text(63, "S3: bucket"),
        "access_key_id": text(200, "S3: access key id; none: without credentials"),
        "secret_access_key": text(2000, "S3: secret access key", writeOnly=True),
        "addressing": choice(ADDRESSING, "auto", "S3: where the bucket's name stands",
                             description="virtual: before the host; path: after it"),
        "folder": text(1000, "Folder", description="for S3 what the names of objects begin with"),
        "glob": text(500, "Pattern of names", default="*",
                     description="* within one folder, ** for any below; such as orders/*.csv"),
        "format": choice(FORMATS, "auto", "Format", description="auto: by the name's ending"),
        "text_encoding": choice(ENCODINGS, "auto", "Encoding", description="gb18030 holds GBK"),
        "record": text(500, "XML: path to the element that is a record",
                       description="such as orders/order"),
        "line_pattern": text(LONGEST_PATTERN, "Log: pattern of a line (RE2), named groups",
                             description=r"such as ^(?P<time>\S+) (?P<device>\S+) (?P<text>.*)$"),
        "unmatched": choice(("keep", "skip"), "keep", "Log: lines that the pattern does not fit",
                            description="keep: in quarantine"),
        "key": {
            "type": "array", "maxItems": 16, "items": {"type": "string", "maxLength": 200},
            "title": "Columns that name a row, in whatever file it comes",
            "description": "none: its file and content; of a file that grows, its place",
        },
        "changed": choice(CHANGED, "auto", "What happens to a file that changes",
                          description="replaced: read again; appended: read on; auto: logs so"),
        "settle_seconds": number(0, 86_400, SETTLE_SECONDS,
                                 "Leave a file that changed less than this many seconds ago"),
        "timeout_seconds": number(1, 300, 30, "Longest wait for an answer (s)"),
    }  # fmt: skip
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["place"],
        "properties": properties,
    }
