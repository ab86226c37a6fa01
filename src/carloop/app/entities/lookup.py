"""Look up entities (vehicles, dealers …) with their relations, within a caller's scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from carloop.app.entities.registry import ENTITY_KEY, EntityRegistry
from carloop.app.persons.views import EntityDetail, EntityRelationView, EntityView
from carloop.app.subject_keys import PERSON, SubjectKeys, aad
from carloop.core.events import EntityRef
from carloop.core.masks import mask
from carloop.core.ports.entities import Entity, Relation
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.engines.identity.relations import spans
from carloop.kit.clock import from_ms, to_ms
from carloop.kit.errors import NotFound

if TYPE_CHECKING:
    from carloop.app.persons.lookup import Persons


class EntityLookup:
    """Reads entities. A limited caller sees its own ones and those of its own persons."""

    def __init__(
        self, state: State, catalogue: Catalogue, cipher: Cipher, persons: Persons
    ) -> None:
        self._state = state
        self._catalogue = catalogue
        self._cipher = cipher
        self._persons = persons
        self._registry = EntityRegistry(catalogue, cipher)

    def find(self, caller: Caller, type_: str, key: str) -> list[EntityView]:
        """The entity with exactly this key, if there is one that the caller may see.

        Raises:
            InvalidInput: ``unknown_entity_type``, or not a key of this type.
        """
        tenant = caller.scope.tenant
        hashed = self._cipher.identifier_key(
            tenant, self._registry.normalise(EntityRef(type_, key))
        )
        with self._state.read() as tx:
            found = tx.entities.by_keys(tenant, type_, [hashed])
            return [self._view(tx, tenant, e) for e in found if self._visible(tx, caller, e)]

    def search(
        self, caller: Caller, type_: str, prefix: str, after: int, limit: int
    ) -> list[EntityView]:
        """Entities by number; of types with a plain key, those that begin with ``prefix``.

        Raises:
            NotFound: ``entity_type_unknown``.
        """
        if type_ not in self._catalogue.entity_types:
            raise NotFound("no such entity type", code="entity_type_unknown")
        scope = caller.scope
        with self._state.read() as tx:
            if scope.limited:
                own = sorted(n for n in scope.dims.get(type_, ()) if n > after)
                found = tx.entities.by_numbers(scope.tenant, type_, own)
                found = sorted(found, key=lambda e: e.number)
                found = [e for e in found if (e.plain or "").startswith(prefix)][:limit]
            else:
                found = tx.entities.search(scope.tenant, type_, prefix, after, limit)
            return [self._view(tx, scope.tenant, e) for e in found]

    def get(self, caller: Caller, type_: str, id: str) -> EntityDetail:
        """One entity with its relations.

        Raises:
            NotFound: ``entity_unknown``: no such entity, or not in the caller's scope.
        """
        unknown = NotFound("no such entity", code="entity_unknown")
        tenant = caller.scope.tenant
        try:
            uuid = UUID(id).bytes
        except ValueError as error:
            raise unknown from error
        with self._state.read() as tx:
            entity = tx.entities.by_uuid(tenant, type_, uuid)
            if entity is None or not self._visible(tx, caller, entity):
                raise unknown
            relations = [
                view
                for relation, outward in self._around(tx, tenant, entity)
                if (view := self._relation(tx, caller, relation, outward)) is not None
            ]
            return EntityDetail(self._view(tx, tenant, entity), _joined(relations))

    def _around(self, tx: Tx, tenant: int, entity: Entity) -> list[tuple[Relation, bool]]:
        """Relations of an entity; True where it is the subject."""
        types = self._catalogue.relation_types.values()
        out = [r.name for r in types if r.subject == entity.type]
        into = [r.name for r in types if r.object == entity.type]
        found = []
        if out:
            mine = tx.entities.relations(tenant, out, subjects=[entity.number])
            found += [(r, True) for r in mine]
        if into:
            theirs = tx.entities.relations(tenant, into, objects=[entity.number])
            found += [(r, False) for r in theirs]
        return found

    def _relation(
        self, tx: Tx, caller: Caller, relation: Relation, outward: bool
    ) -> EntityRelationView | None:
        kind = self._catalogue.relation_types[relation.kind]
        other_type = kind.object if outward else kind.subject
        number = relation.object if outward else relation.subject
        person = entity = None
        if other_type == PERSON:
            person = self._persons.of_fragment(tx, caller, number)
            if person is None:
                return None
        else:
            (other,) = tx.entities.by_numbers(caller.scope.tenant, other_type, [number])
            dims = caller.scope.dims
            if other_type in dims and number not in dims[other_type]:
                return None
            entity = self._view(tx, caller.scope.tenant, other)
        return EntityRelationView(
            kind=relation.kind,
            title=kind.title,
            role="subject" if outward else "object",
            person=person,
            entity=entity,
            since=from_ms(relation.since),
            until=from_ms(relation.until) if relation.until is not None else None,
        )

    def _visible(self, tx: Tx, caller: Caller, entity: Entity) -> bool:
        scope = caller.scope
        if not scope.limited:
            return True
        if entity.type in scope.dims:
            return entity.number in scope.dims[entity.type]
        types = self._catalogue.relation_types.values()
        kinds = [r.name for r in types if r.object == entity.type and r.subject == PERSON]
        if not kinds:
            return False
        held = tx.entities.relations(scope.tenant, kinds, objects=[entity.number])
        return any(self._persons.of_fragment(tx, caller, r.subject) for r in held)

    def _view(self, tx: Tx, tenant: int, entity: Entity) -> EntityView:
        text, hidden = entity_text(tx, self._cipher, tenant, entity)
        title = self._catalogue.entity_types[entity.type].title
        id = UUID(bytes=entity.uuid)
        return EntityView(id, entity.type, title, entity.number, text, hidden)


def _joined(views: Iterable[EntityRelationView]) -> list[EntityRelationView]:
    """One entry for each span of time: fragments of one person count as that person."""
    alike: dict[tuple[str, str, UUID | None, UUID | None], list[EntityRelationView]] = {}
    for view in views:
        person = view.person.id if view.person else None
        entity = view.entity.id if view.entity else None
        alike.setdefault((view.kind, view.role, person, entity), []).append(view)
    return [
        replace(same[0], since=from_ms(since), until=from_ms(until) if until is not None else None)
        for same in alike.values()
        for since, until in spans(
            (to_ms(v.since), to_ms(v.until) if v.until is not None else None) for v in same
        )
    ]


def entity_text(tx: Tx, cipher: Cipher, tenant: int, entity: Entity) -> tuple[str, bool]:
    """The key of an entity for people to read, and whether it is masked."""
    if entity.sealed is None:
        return entity.plain or "", False
    return mask(entity.type, entity_key(tx, cipher, tenant, entity)), True


def entity_key(tx: Tx, cipher: Cipher, tenant: int, entity: Entity) -> str:
    """The clear key of an entity.

    Raises:
        Permanent: ``value_unreadable``.
    """
    if entity.sealed is None:
        return entity.plain or ""
    keys = SubjectKeys(cipher).of(tx, tenant, entity.type, [entity.number])
    bound = aad(tenant, ENTITY_KEY, entity.type, entity.number)
    return cipher.decrypt(keys[entity.number], entity.sealed, bound).decode()
