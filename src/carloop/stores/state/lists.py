"""Long ``IN`` lists in pieces that every database takes, and inserts that forgive repeats."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
PIECE = 500


def pieces(values: Collection[T], size: int = PIECE) -> Iterator[list[T]]:
    """``values`` in lists of at most ``size``."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece


def insert_rows(
    db: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    replace: bool = False,
    new: bool = False,
) -> None:
    """Insert many rows by position, past SQLAlchemy's conversions, for the hot path.

    Args:
        db: the open connection.
        table: where to; none of the columns may need converting (JSON does).
        names: columns, in the order of each row's values.
        rows: the values.
        replace: replace rows with the same primary key.
        new: leave rows whose primary key is there already as they are.
    """
    if not rows:
        return
    quote = db.dialect.identifier_preparer.quote
    mark = "?" if db.dialect.name == "sqlite" else "%s"
    columns = ", ".join(quote(name) for name in names)
    text = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({', '.join([mark] * len(names))})"
    if replace:
        keys = [c.name for c in table.primary_key]
        values = ", ".join(f"{quote(n)} = excluded.{quote(n)}" for n in names if n not in keys)
        text += f" ON CONFLICT ({', '.join(quote(k) for k in keys)}) DO UPDATE SET {values}"
    elif new:
        text += " ON CONFLICT DO NOTHING"
    db.exec_driver_sql(text, [tuple(row) for row in rows])


def upsert(db: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, replacing those with the same primary key; all rows have the same columns."""
    if not rows:
        return
    keys = [c.name for c in table.primary_key]
    statement = _insert(db, table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _insert(db: Connection, table: Table) -> Any:
    return (postgresql if db.dialect.name == "postgresql" else sqlite).insert(table)
