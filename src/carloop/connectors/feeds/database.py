"""Tables and views of a relational database: whole, or what changed since the last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, ClassVar, Self, cast
from uuid import UUID

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Engine,
    and_,
    column,
    func,
    inspect,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql.elements import quoted_name

from carloop.connectors.feeds.database_link import DIALECTS, ENCRYPTION, Link, failure
from carloop.connectors.feeds.encoding import content_version, row_json
from carloop.core.feeds import (
    LONGEST_RECORD,
    MOST_PAGE_RECORDS,
    Allowed,
    Cursor,
    FeedColumn,
    FeedPage,
    FeedRecord,
    Probe,
    Stop,
)
from carloop.kit.errors import InvalidInput
from carloop.kit.settings import Reader, refuse_unknown

SAMPLE = 20
OVERLAP_SECONDS = 60
OVERLAP_NUMBERS = 1_000


class Database:
    """Reads one table or view, read-only, in one ordered pass per run.

    *Full*: every row each time; a row that did not change is the same event and counts once.
    *Incremental*: rows whose watermark is not older than the last one seen, less an overlap for
    transactions that committed late; rows without a watermark are read every time.
    """

    kind: ClassVar[str] = "database"
    title: ClassVar[Mapping[str, str]] = {"zh": "关系数据库", "en": "Relational database"}
    endless: ClassVar[bool] = False

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed) -> None:
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        self._link = Link(settings, allowed)
        self._schema = read.text("schema", "", 128) or None
        self._table = read.text("table", limit=128)
        self._mode = read.choice("mode", "full", ("full", "incremental"))
        self._watermark = read.text("watermark", "", 128)
        self._key = _names(settings.get("key", []))
        self._overlap = read.integer("overlap_seconds", OVERLAP_SECONDS, 0, 30 * 86_400)
        if self._mode == "incremental" and not self._watermark:
            raise InvalidInput(
                "reading what changed needs a watermark column",
                code="setting_missing",
                path="watermark",
            )
        self._engine: Engine | None = None
        self._timed = False
        """Whether the watermark is an instant to the database, not a text that looks like one."""

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings."""
        name = {"type": "string", "maxLength": 128}
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["dialect", "database", "table"],
            "properties": {
                "dialect": {"type": "string", "enum": list(DIALECTS), "title": "Database"},
                "host": {"type": "string", "maxLength": 253, "title": "Host"},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "database": {"type": "string", "maxLength": 1000, "title": "Name or file"},
                "username": {"type": "string", "maxLength": 128},
                "password": {"type": "string", "maxLength": 2000, "writeOnly": True},
                "encryption": {"type": "string", "enum": list(ENCRYPTION), "default": "prefer"},
                "schema": name,
                "table": {**name, "minLength": 1, "title": "Table or view"},
                "mode": {"type": "string", "enum": ["full", "incremental"], "default": "full"},
                "watermark": {**name, "title": "Column that grows with every change"},
                "key": {
                    "type": "array",
                    "items": name,
                    "maxItems": 16,
                    "title": "Columns that name a row; none: its primary key",
                },
                "overlap_seconds": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 30 * 86_400,
                    "default": OVERLAP_SECONDS,
                },
                "timeout_seconds": {"type": "integer", "minimum": 1, "maximum": 3600},
            },
        }

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed of one table; connects to nothing yet."""
        return cls(settings, allowed)

    def probe(self) -> Probe:
        """Columns, the first rows, the number of rows."""
        columns = self.columns()
        key = self._key_columns()
        notes = [] if key else ["no_primary_key"]
        with self._connected() as connection:
            picked = [_column(found.name) for found in columns]
            query = select(*picked).select_from(self._from()).limit(SAMPLE)
            names = [found.name for found in columns]
            rows = [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
            total = self._count(connection)
            if self._mode == "incremental":
                mark = _column(self._watermark)
                missing = select(func.count()).select_from(self._from()).where(mark.is_(None))
                if connection.scalar(missing):
                    notes.append("watermark_nulls")
        return Probe(columns, tuple(map(row_json, rows)), total, tuple(notes))

    def columns(self) -> tuple[FeedColumn, ...]:
        """The columns as the database declares them now, in its order."""
        with self._connected() as connection:
            try:
                found = inspect(connection).get_columns(self._table, schema=self._schema)
            except NoSuchTableError as error:
                raise InvalidInput(
                    "no such table or view", code="table_unknown", path="table"
                ) from error
        columns = tuple(FeedColumn(c["name"], _type_name(c["type"])) for c in found)
        known = {found.name for found in columns}
        for name in (*self._key, *([self._watermark] if self._watermark else [])):
            if name not in known:
                raise InvalidInput(f"no column {name!r}", code="column_unknown", path="table")
        return columns

    def count(self) -> int | None:
        """Rows of the table now."""
        with self._connected() as connection:
            return self._count(connection)

    def acknowledge(self, page: FeedPage) -> None:
        """Nothing: a table keeps its rows."""

    def close(self) -> None:
        """Hang up."""
        if self._engine is not None:
            self._engine.dispose()

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Rows after ``cursor``, ordered, in one pass over one snapshot."""
        columns = self.columns()
        names = [found.name for found in columns]
        types = dict(columns)
        self._timed = self._link.dialect != "sqlite" and types.get(self._watermark, "").startswith(
            ("timestamp", "date")
        )
        key = self._key_columns()
        with self._connected() as connection:
            total = self._count(connection)
            if self._mode == "full":
                after = self._after_key(key, cursor)
                yield from self._read(connection, names, key, after, stop, total)
                if not stop():
                    yield FeedPage((), cursor={})
                return
            mark = _column(self._watermark)
            yield from self._read(connection, names, key, mark.is_(None), stop, None, keep=True)
            yield from self._read(connection, names, key, self._after_mark(cursor), stop, total)

    def _read(
        self,
        connection: Connection,
        names: list[str],
        key: list[str],
        where: ColumnElement[bool],
        stop: Stop,
        total: int | None,
        *,
        keep: bool = False,
    ) -> Iterator[FeedPage]:
        """One pass; ``keep`` leaves the cursor where it is."""
        marked = self._mode == "incremental" and not keep
        order = [self._watermark] * marked + key
        query = (
            select(*(_column(name) for name in names))
            .select_from(self._from())
            .where(where)
            .order_by(*(_column(name) for name in order))
        )
        result = connection.execution_options(
            stream_results=True, yield_per=MOST_PAGE_RECORDS
        ).execute(query)
        places = [names.index(name) for name in key]
        mark = names.index(self._watermark) if marked else None
        repeats: dict[str, int] = {}
        rows = iter(result)
        while not stop() and (page := list(islice(rows, MOST_PAGE_RECORDS))):
            records = [
                self._record(dict(zip(names, row, strict=True)), row, places, mark, repeats)
                for row in page
            ]
            yield FeedPage(records, None if keep else _cursor(page[-1], places, mark), total=total)

    def _record(
        self,
        row: Mapping[str, Any],
        values: Sequence[Any],
        places: list[int],
        mark: int | None,
        repeats: dict[str, int],
    ) -> FeedRecord:
        body = row_json(row)
        content = content_version(body)
        if places:
            key = "/".join(str(values[place]) for place in places)
        else:
            repeats[content] = repeats.get(content, 0) + 1
            key = f"{content}/{repeats[content]}"
        version = content if mark is None or not places else f"{values[mark]}"
        code = "row_too_long" if len(body) > LONGEST_RECORD else ""
        return FeedRecord(key, body[:LONGEST_RECORD], version if places else "", code)

    def _after_key(self, key: list[str], cursor: Cursor | None) -> ColumnElement[bool]:
        if not key or not cursor:
            return true()
        values = [_thawed(value) for value in cursor["key"]]
        columns = [_column(name) for name in key]
        return or_(
            *(
                and_(
                    *(columns[j] == values[j] for j in range(i)),
                    columns[i] > values[i],
                )
                for i in range(len(columns))
            )
        )

    def _after_mark(self, cursor: Cursor | None) -> ColumnElement[bool]:
        mark = _column(self._watermark)
        if not cursor:
            return mark.is_not(None)
        newer: ColumnElement[bool] = mark >= self._less_overlap(_thawed(cursor["mark"]))
        return newer

    def _less_overlap(self, mark: Any) -> Any:
        if isinstance(mark, int | Decimal) and not isinstance(mark, bool):
            return mark - min(OVERLAP_NUMBERS, self._overlap * OVERLAP_NUMBERS)
        at = mark
        if isinstance(mark, str):
            try:
                at = datetime.fromisoformat(mark)
            except ValueError:
                return mark
        if isinstance(at, datetime):
            earlier = at - timedelta(seconds=self._overlap)
            if isinstance(mark, str) and not self._timed:
                separator = "T" if "T" in mark else " "
                return earlier.isoformat(separator)[: max(len(mark), 10)]
            return earlier
        return at

    def _key_columns(self) -> list[str]:
        if self._key:
            return self._key
        with self._connected() as connection:
            try:
                found = inspect(connection).get_pk_constraint(self._table, schema=self._schema)
            except (NoSuchTableError, NotImplementedError):
                return []
        return list(found.get("constrained_columns") or [])

    def _count(self, connection: Connection) -> int:
        return int(connection.scalar(select(func.count()).select_from(self._from())) or 0)

    def _from(self) -> Any:
        return table(quoted_name(self._table, True), schema=self._schema)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._engine is None:
            self._engine = self._link.engine()
        try:
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, OSError) as error:
            raise failure(error) from error
        except NoSuchTableError:
            raise
        except SQLAlchemyError as error:
            raise InvalidInput("the database refuses this", code="query_refused") from error


def _column(name: str) -> ColumnClause[Any]:
    """A column without a type, so that its values come as the driver gives them."""
    return column(quoted_name(name, True))


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(n, str) and n for n in value):
        raise InvalidInput("a list of column names", code="setting_invalid", path="key")
    return value


def _type_name(type_: Any) -> str:
    return str(type_).lower().partition(" collate")[0][:64] or "unknown"


def _cursor(row: Sequence[Any], places: list[int], mark: int | None) -> dict[str, Any] | None:
    if mark is not None:
        return {"mark": _frozen(row[mark])}
    return {"key": [_frozen(row[place]) for place in places]} if places else None


def _frozen(value: Any) -> Any:
    """A cursor value as JSON; its type goes with it where JSON has none."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": bytes(value).hex()}
    return value


_THAW = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": bytes.fromhex,
}


def _thawed(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, text),) = cast(dict[str, str], value).items()
        return _THAW[kind](text)  # type: ignore[operator]
    return value
