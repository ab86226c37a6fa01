"""What people edit and others follow: a public id, a revision to lock by, soft deletion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Table, insert, select, update

from carloop.kit.errors import Conflict, NotFound


class Edited(Protocol):
    """A record with a number, a public id and a count of its changes."""

    @property
    def id(self) -> int:
        """Number; 0 until stored."""
        ...

    @property
    def revision(self) -> int:
        """Counts changes."""
        ...


T = TypeVar("T", bound=Edited)


class EditableRows(ABC, Generic[T]):
    """Rows of one such table; ``noun`` names them in errors (``<noun>_unknown``, ``stale``)."""

    table: ClassVar[Table]
    noun: ClassVar[str]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @abstractmethod
    def _fixed(self, it: T) -> Mapping[str, Any]:
        """Columns that never change."""

    @abstractmethod
    def _changing(self, it: T) -> Mapping[str, Any]:
        """Columns that an edit may change."""

    @abstractmethod
    def _record(self, row: Row[Any]) -> T:
        """The record of a row."""

    def add(self, it: T) -> T:
        """Store a new record; returns it with its number."""
        values = {**self._fixed(it), **self._changing(it), "revision": 1}
        created = self._connection.execute(insert(self.table).values(values))
        assert created.inserted_primary_key is not None
        return _with(it, id=created.inserted_primary_key[0], revision=1)

    def save(self, it: T) -> T:
        """Store a changed record; ``Conflict`` where somebody changed it meanwhile."""
        c = self.table.c
        changed = self._connection.execute(
            update(self.table)
            .where(c.id == it.id, c.revision == it.revision, c.deleted_at.is_(None))
            .values({**self._changing(it), "revision": it.revision + 1})
        )
        if changed.rowcount == 0:
            raise Conflict(f"the {self.noun} was changed meanwhile", code="stale")
        return _with(it, revision=it.revision + 1)

    def get(self, tenant: int, uuid: str) -> T:
        """One record by public id; ``NotFound`` where the tenant has none of this id."""
        c = self.table.c
        return self._one(c.tenant == tenant, c.uuid == uuid, c.deleted_at.is_(None))

    def numbered(self, id: int) -> T:
        """One record by number, a removed one too."""
        return self._one(self.table.c.id == id)

    def _mark_removed(self, id: int, now: int) -> None:
        c = self.table.c
        self._connection.execute(update(self.table).where(c.id == id).values(deleted_at=now))

    def _one(self, *where: ColumnElement[bool]) -> T:
        found = self._all(*where)
        if not found:
            raise NotFound(f"no such {self.noun}", code=f"{self.noun}_unknown")
        return found[0]

    def _all(
        self, *where: ColumnElement[bool], newest: bool = False, limit: int | None = None
    ) -> Sequence[T]:
        """By number, upwards unless ``newest`` come first."""
        c = self.table.c
        order = c.id.desc() if newest else c.id
        query = select(self.table).where(*where).order_by(order).limit(limit)
        return [self._record(row) for row in self._connection.execute(query)]


def _with(it: T, **values: Any) -> T:
    changed: T = replace(it, **values)  # type: ignore[type-var]
    return changed
