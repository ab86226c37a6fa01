"""The identity graph in the state store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, tuple_, update

from carloop.core.evidence import Edge, EdgeKind, Verdict
from carloop.core.ports.identity import Fragment, LogEntry
from carloop.stores.state.lists import insert_rows, pieces, upsert
from carloop.stores.state.tables.identity import (
    erasure,
    identifier,
    identity_edge,
    identity_log,
    number_space,
)

_FRAGMENT = [identifier.c[name] for name in Fragment._fields]
_FRAGMENTS = {
    column: select(*_FRAGMENT).where(
        identifier.c.tenant == bindparam("tenant"),
        identifier.c[column].in_(bindparam("values", expanding=True)),
    )
    for column in ("key", "number", "uuid", "person")
}
_e = identity_edge.c
_EDGE = (_e.a, _e.b, _e.occurred_at, _e.message_id, _e.source, _e.kind, _e.accepted, _e.reason)


class SqlIdentity:
    """The :class:`~carloop.core.ports.identity.IdentityRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def next_numbers(self, tenant: int, space: str, count: int) -> int:
        """Take ``count`` numbers of a number space; returns the first."""
        t = number_space
        place = (t.c.tenant == tenant, t.c.space == space)
        last = self._db.scalar(select(t.c.last).where(*place))
        if last is None:
            self._db.execute(insert(t).values(tenant=tenant, space=space, last=count))
            return 1
        self._db.execute(update(t).where(*place).values(last=last + count))
        return int(last) + 1

    def by_keys(self, tenant: int, keys: Collection[bytes]) -> list[Fragment]:
        """Fragments by identifier key; unknown keys are left out."""
        return self._fragments(tenant, "key", keys)

    def by_numbers(self, tenant: int, numbers: Collection[int]) -> list[Fragment]:
        """Fragments by number."""
        return self._fragments(tenant, "number", numbers)

    def by_uuid(self, tenant: int, uuid: bytes) -> Fragment | None:
        """One fragment by its public id."""
        return next(iter(self._fragments(tenant, "uuid", [uuid])), None)

    def of_persons(self, tenant: int, persons: Collection[int]) -> list[Fragment]:
        """All fragments of these persons, by number."""
        return sorted(self._fragments(tenant, "person", persons))

    def _fragments(self, tenant: int, column: str, values: Collection[Any]) -> list[Fragment]:
        query = _FRAGMENTS[column]
        return [
            Fragment(*row)
            for piece in pieces(values)
            for row in self._db.execute(query, {"tenant": tenant, "values": piece})
        ]

    def add(self, tenant: int, fragments: Sequence[Fragment]) -> None:
        """Store new fragments."""
        names = ("tenant", *Fragment._fields)
        insert_rows(self._db, identifier, names, [(tenant, *f) for f in fragments])

    def move(self, tenant: int, persons: Mapping[int, int]) -> None:
        """Set the person of fragments: fragment → canonical fragment."""
        if persons:
            statement = (
                update(identifier)
                .where(identifier.c.tenant == tenant, identifier.c.number == bindparam("n"))
                .values(person=bindparam("p"))
            )
            self._db.execute(statement, [{"n": n, "p": p} for n, p in persons.items()])

    def mark_hubs(self, tenant: int, numbers: Collection[int]) -> None:
        """Fragments that link nobody from now on."""
        for piece in pieces(numbers):
            self._db.execute(
                update(identifier)
                .where(identifier.c.tenant == tenant, identifier.c.number.in_(piece))
                .values(hub=True)
            )

    def edges_of(self, tenant: int, numbers: Collection[int]) -> list[Verdict]:
        """Every edge with an end in ``numbers``, once each."""
        found = {
            (v.edge.a, v.edge.b, v.edge.decision): v
            for column in (_e.a, _e.b)
            for v in self._edges(tenant, column, numbers)
        }
        return list(found.values())

    def edges_between(self, tenant: int, pairs: Collection[tuple[int, int]]) -> list[Verdict]:
        """Edges of exactly these pairs, each given as (smaller, larger)."""
        return list(self._edges(tenant, tuple_(_e.a, _e.b), pairs))

    def _edges(self, tenant: int, ends: Any, values: Collection[Any]) -> Iterator[Verdict]:
        query = select(*_EDGE).where(
            _e.tenant == tenant, ends.in_(bindparam("ends", expanding=True))
        )
        for piece in pieces(values):
            for row in self._db.execute(query, {"ends": piece}):
                edge = Edge(row[0], row[1], row[2], row[3], row[4], EdgeKind(row[5]))
                yield Verdict(edge, bool(row[6]), row[7])

    def put_edges(self, tenant: int, edges: Iterable[Verdict], by: str = "") -> None:
        """Store edges; an edge of the same pair (evidence or decision) is replaced."""
        names = ("tenant", *Edge._fields, "decision", "accepted", "reason", "by")
        rows = [
            (tenant, *v.edge[:5], v.edge.kind.value, int(v.edge.decision), v.accepted, v.reason, by)
            for v in edges
        ]
        insert_rows(self._db, identity_edge, names, rows, replace=True)

    def log(self, tenant: int, entries: Sequence[LogEntry]) -> None:
        """Append to the log."""
        if entries:
            rows = [
                {"tenant": tenant, **e._asdict(), "evidence": list(e.evidence)} for e in entries
            ]
            self._db.execute(insert(identity_log), rows)

    def log_of(self, tenant: int, numbers: Collection[int]) -> list[LogEntry]:
        """Entries that name one of these fragments, newest first."""
        t = identity_log.c
        columns = [t[name] for name in LogEntry._fields]
        rows: dict[int, LogEntry] = {}
        for piece in pieces(numbers):
            query = (
                select(t.id, *columns)
                .where(t.tenant == tenant, or_(t.kept.in_(piece), t.moved.in_(piece)))
                .order_by(t.id.desc())
            )
            rows.update({row[0]: LogEntry(*row[1:]) for row in self._db.execute(query)})
        return [rows[id] for id in sorted(rows, reverse=True)]

    def erased(self, tenant: int, keys: Collection[bytes]) -> dict[bytes, int]:
        """When the identifiers with these keys were erased (milliseconds), if they were."""
        query = select(erasure.c.key, erasure.c.at).where(
            erasure.c.tenant == tenant, erasure.c.key.in_(bindparam("keys", expanding=True))
        )
        return {
            bytes(key): at
            for piece in pieces(keys)
            for key, at in self._db.execute(query, {"keys": piece})
        }

    def remember_erased(self, tenant: int, keys: Collection[bytes], at: int) -> None:
        """Leave tombstones: keyed hashes, no values."""
        upsert(self._db, erasure, [{"tenant": tenant, "key": key, "at": at} for key in keys])

    def remove(self, tenant: int, numbers: Collection[int]) -> None:
        """Remove fragments with their edges and log entries for good."""
        for piece in pieces(numbers):
            for table, columns in (
                (identifier, (identifier.c.number,)),
                (identity_edge, (_e.a, _e.b)),
                (identity_log, (identity_log.c.kept, identity_log.c.moved)),
            ):
                hit = or_(*(column.in_(piece) for column in columns))
                self._db.execute(delete(table).where(table.c.tenant == tenant, hit))
