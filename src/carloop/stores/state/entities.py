"""Entities, relations and grants in the state store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from carloop.core.ports.entities import Entity, GrantRow, Relation, StoredFact
from carloop.stores.state.lists import insert_rows, pieces
from carloop.stores.state.tables.entities import entity, grant, relation, relation_fact

_e = entity.c
_f = relation_fact.c
_r = relation.c
_g = grant.c
_ENTITY = [_e[name] for name in Entity._fields]
_FACT = [_f[name] for name in StoredFact._fields]
_RELATION = [_r[name] for name in Relation._fields]
_GRANT = [_g[name] for name in GrantRow._fields]


class SqlEntities:
    """The :class:`~carloop.core.ports.entities.EntityRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def by_keys(self, tenant: int, type: str, keys: Collection[bytes]) -> list[Entity]:
        """Entities of one type by key."""
        return self._entities(tenant, type, "key", keys)

    def by_numbers(self, tenant: int, type: str, numbers: Collection[int]) -> list[Entity]:
        """Entities of one type by number."""
        return self._entities(tenant, type, "number", numbers)

    def by_uuid(self, tenant: int, type: str, uuid: bytes) -> Entity | None:
        """One entity by its public id."""
        return next(iter(self._entities(tenant, type, "uuid", [uuid])), None)

    def _entities(
        self, tenant: int, type: str, column: str, values: Collection[Any]
    ) -> list[Entity]:
        query = select(*_ENTITY).where(
            _e.tenant == tenant,
            _e.type == type,
            _e[column].in_(bindparam("values", expanding=True)),
        )
        return [
            Entity(*row)
            for piece in pieces(values)
            for row in self._db.execute(query, {"values": piece})
        ]

    def search(self, tenant: int, type: str, prefix: str, after: int, limit: int) -> list[Entity]:
        """Entities whose plain key begins with ``prefix``, by number beyond ``after``."""
        where = [_e.tenant == tenant, _e.type == type, _e.number > after]
        if prefix:
            where.append(_e.plain.startswith(prefix, autoescape=True))
        query = select(*_ENTITY).where(*where).order_by(_e.number).limit(limit)
        return [Entity(*row) for row in self._db.execute(query)]

    def add(self, tenant: int, entities: Sequence[Entity]) -> None:
        """Store new entities."""
        if entities:
            names = ("tenant", *Entity._fields)
            insert_rows(self._db, entity, names, [(tenant, *e) for e in entities])

    def add_facts(self, tenant: int, facts: Collection[StoredFact]) -> None:
        """Store facts; repeats are harmless."""
        names = ("tenant", *StoredFact._fields)
        insert_rows(self._db, relation_fact, names, [(tenant, *f) for f in facts], new=True)

    def facts_on(self, tenant: int, kind: str, objects: Collection[int]) -> list[StoredFact]:
        """All facts on these objects."""
        query = select(*_FACT).where(
            _f.tenant == tenant,
            _f.kind == kind,
            _f.object.in_(bindparam("objects", expanding=True)),
        )
        return [
            StoredFact(*row)
            for piece in pieces(objects)
            for row in self._db.execute(query, {"objects": piece})
        ]

    def facts_between(
        self, tenant: int, kind: str, pairs: Collection[tuple[int, int]]
    ) -> list[StoredFact]:
        """All facts on these pairs of object and subject."""
        query = select(*_FACT).where(
            _f.tenant == tenant,
            _f.kind == kind,
            _f.subject.in_(bindparam("subjects", expanding=True)),
        )
        found = (
            StoredFact(*row)
            for piece in pieces({subject for _, subject in pairs})
            for row in self._db.execute(query, {"subjects": piece})
        )
        return [f for f in found if (f.object, f.subject) in pairs]

    def replace_relations(
        self,
        tenant: int,
        kind: str,
        pairs: Collection[tuple[int, int]],
        relations: Sequence[Relation],
    ) -> None:
        """``relations`` are all there are of ``kind`` between these pairs (object, subject)."""
        if pairs:
            statement = delete(relation).where(
                _r.tenant == tenant,
                _r.kind == kind,
                _r.object == bindparam("o"),
                _r.subject == bindparam("s"),
            )
            self._db.execute(statement, [{"o": number, "s": subject} for number, subject in pairs])
        names = ("tenant", *Relation._fields)
        insert_rows(self._db, relation, names, [(tenant, *r) for r in relations])

    def relations(
        self,
        tenant: int,
        kinds: Collection[str],
        *,
        subjects: Collection[int] | None = None,
        objects: Collection[int] | None = None,
    ) -> list[Relation]:
        """Relations of these kinds from any of ``subjects`` or to any of ``objects``."""
        found: set[Relation] = set()
        for column, numbers in ((_r.subject, subjects), (_r.object, objects)):
            query = select(*_RELATION).where(
                _r.tenant == tenant,
                _r.kind.in_(bindparam("kinds", list(kinds), expanding=True)),
                column.in_(bindparam("numbers", expanding=True)),
            )
            for piece in pieces(numbers or ()):
                rows = self._db.execute(query, {"numbers": piece, "kinds": list(kinds)})
                found.update(Relation(*row) for row in rows)
        return sorted(found, key=lambda r: (r.kind, r.since, r.object, r.subject))

    def remove_subjects(
        self, tenant: int, kinds: Collection[str], numbers: Collection[int]
    ) -> None:
        """Remove what these subjects' relations of these kinds left, for good."""
        for table in (relation, relation_fact):
            for piece in pieces(numbers):
                self._db.execute(
                    delete(table).where(
                        table.c.tenant == tenant,
                        table.c.kind.in_(list(kinds)),
                        table.c.subject.in_(piece),
                    )
                )

    def add_grants(self, tenant: int, grants: Collection[GrantRow]) -> list[GrantRow]:
        """Store grants; returns those that are new."""
        known = set(self.grants_of(tenant, {g.fragment for g in grants}))
        new = [g for g in dict.fromkeys(grants) if g not in known]
        names = ("tenant", *GrantRow._fields)
        insert_rows(self._db, grant, names, [(tenant, *g) for g in new], new=True)
        return new

    def grants_of(self, tenant: int, fragments: Collection[int]) -> list[GrantRow]:
        """All grants on these fragments."""
        query = select(*_GRANT).where(
            _g.tenant == tenant, _g.fragment.in_(bindparam("fragments", expanding=True))
        )
        return [
            GrantRow(*row)
            for piece in pieces(fragments)
            for row in self._db.execute(query, {"fragments": piece})
        ]

    def remove_grants(self, tenant: int, fragments: Collection[int]) -> None:
        """Remove every grant on these fragments."""
        for piece in pieces(fragments):
            self._db.execute(delete(grant).where(_g.tenant == tenant, _g.fragment.in_(piece)))

    def granted(
        self, tenant: int, dims: Mapping[str, Collection[int]], fragments: Collection[int]
    ) -> bool:
        """Whether, for every dimension, some fragment is granted to one of its entities."""
        return bool(self.granted_of(tenant, dims, {0: fragments}))

    def granted_of(
        self,
        tenant: int,
        dims: Mapping[str, Collection[int]],
        persons: Mapping[int, Collection[int]],
    ) -> set[int]:
        """Those of ``persons`` (person → fragments) that :meth:`granted` says yes to."""
        by_fragment: dict[int, set[tuple[str, int]]] = {}
        for g in self.grants_of(tenant, {n for own in persons.values() for n in own}):
            by_fragment.setdefault(g.fragment, set()).add((g.dimension, g.entity))
        shown = set()
        for person, fragments in persons.items():
            held = set[tuple[str, int]]().union(*(by_fragment.get(n, ()) for n in fragments))
            if all(any((dim, n) in held for n in numbers) for dim, numbers in dims.items()):
                shown.add(person)
        return shown
