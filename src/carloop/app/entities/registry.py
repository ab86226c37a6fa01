"""Entities beside persons (vehicles, dealers …), their dated relations, and who may see whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from carloop.app.subject_keys import SubjectKeys, aad
from carloop.core.events import EntityRef
from carloop.core.identifiers import Identifier, RawIdentifier, readable
from carloop.core.ports.entities import Entity, GrantRow, Relation, StoredFact
from carloop.core.ports.projection import Change
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.engines.identity.relations import Fact, Interval, intervals
from carloop.kit.errors import InvalidInput

NAMESPACE_ENTITY = UUID("0f6c3a52-3b7c-5b6f-8f21-2f0b1c9f4a11")
CAPACITY = 200_000
ENTITY_KEY = "key"
"""The field name that a sealed entity key is bound to."""

_Place = tuple[int, str, int]
"""Tenant, relation type, object."""
_NOTHING: Mapping[int, Interval] = {}


@dataclass(frozen=True, slots=True)
class RelationFact:
    """One event's word on a relation: that it holds from then on, or that it ended.

    ``subject`` and ``object`` are numbers: a fragment where the relation type says ``person``,
    else an entity number. ``at`` is in milliseconds since the epoch.
    """

    kind: str
    subject: int
    object: int
    at: int
    message_id: str
    source: int = 0
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """Callers limited to ``entity`` in ``dimension`` (a dealer) may see ``fragment``."""

    dimension: str
    entity: int
    fragment: int


class EntityRegistry:
    """Numbers entities and keeps their relations. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher
        self._keys = SubjectKeys(cipher)
        self._numbers: dict[tuple[int, str, str], int] = {}
        self._granted: set[tuple[int, Grant]] = set()
        self._held: dict[_Place, dict[int, Interval]] = {}

    def normalise(self, ref: EntityRef) -> Identifier:
        """The canonical key of a reference.

        Raises:
            InvalidInput: ``unknown_entity_type``, or the key is not valid for its type.
        """
        kind = self._catalogue.entity_types.get(ref.type)
        if kind is None:
            raise InvalidInput(
                "unknown entity type", code="unknown_entity_type", type=ref.type[:64]
            )
        if kind.key is not None:
            named = self._catalogue.identifiers.normalise(RawIdentifier(kind.key, ref.key))
            return Identifier(ref.type, "", named.value)
        key = readable(ref.key)
        if not key or len(key) > 255:
            raise InvalidInput("not a usable key", code="entity_key", type=ref.type)
        return Identifier(ref.type, "", key)

    def resolve(self, tx: Tx, tenant: int, refs: Sequence[EntityRef]) -> list[int]:
        """The number of each reference, in order; new ones are minted.

        Raises:
            InvalidInput: ``unknown_entity_type``, or the key is not valid for its type.
        """
        if len(self._numbers) > CAPACITY:
            self._numbers.clear()
        asked = [(tenant, ref.type, ref.key) for ref in refs]
        missing: dict[str, dict[Identifier, list[tuple[int, str, str]]]] = {}
        for place, ref in zip(asked, refs, strict=True):
            if place not in self._numbers:
                by_key = missing.setdefault(ref.type, {})
                by_key.setdefault(self.normalise(ref), []).append(place)
        for type_, wanted in missing.items():
            numbers = self._number(tx, tenant, type_, list(wanted))
            for identifier, places in wanted.items():
                for place in places:
                    self._numbers[place] = numbers[identifier]
        return [self._numbers[place] for place in asked]

    def _number(
        self, tx: Tx, tenant: int, type_: str, wanted: Sequence[Identifier]
    ) -> dict[Identifier, int]:
        keys = {self._cipher.identifier_key(tenant, i): i for i in wanted}
        numbers = {keys[e.key]: e.number for e in tx.entities.by_keys(tenant, type_, keys)}
        new = [(key, i) for key, i in keys.items() if i not in numbers]
        if not new:
            return numbers
        first = tx.identity.next_numbers(tenant, f"entity:{type_}", len(new))
        fresh = range(first, first + len(new))
        identifying = self._catalogue.entity_types[type_].identifying
        secrets = self._keys.mint(tx, tenant, type_, fresh) if identifying else {}
        rows = []
        for number, (key, identifier) in zip(fresh, new, strict=True):
            sealed = None
            if identifying:
                bound = aad(tenant, ENTITY_KEY, type_, number)
                sealed = self._cipher.encrypt(secrets[number], identifier.value.encode(), bound)
            plain = None if identifying else identifier.value
            rows.append(
                Entity(type_, number, entity_id(tenant, type_, key).bytes, key, plain, sealed)
            )
            numbers[identifier] = number
        tx.entities.add(tenant, rows)
        return numbers

    def relate(self, tx: Tx, tenant: int, facts: Sequence[RelationFact]) -> None:
        """Record relation facts; any order of arrival gives the same intervals.

        Facts about nobody (number 0) say nothing.

        Raises:
            InvalidInput: ``unknown_relation_type``.
        """
        by_kind: dict[str, dict[StoredFact, None]] = {}
        for f in facts:
            if not (f.subject and f.object):
                continue
            if f.kind not in self._catalogue.relation_types:
                raise InvalidInput("unknown relation type", code="unknown_relation_type")
            fact = StoredFact(f.kind, f.object, f.at, f.message_id, not f.ends, f.subject, f.source)
            by_kind.setdefault(f.kind, {})[fact] = None
        if len(self._held) > CAPACITY:
            self._held.clear()
        for kind, new in by_kind.items():
            tx.entities.add_facts(tenant, new)
            moving = {(f.object, f.subject) for f in new if not self._stands(tenant, f)}
            if moving:
                relations = rebuild_relations(tx, tenant, self._catalogue, kind, moving)
                self._remember(tenant, kind, moving, relations)

    def _stands(self, tenant: int, fact: StoredFact) -> bool:
        """Whether the relation holds around the fact anyway, so that it changes nothing."""
        held = self._held.get((tenant, fact.kind, fact.object), _NOTHING).get(fact.subject)
        if held is None or not fact.begins or fact.at <= held.since:
            return False
        return held.until is None or fact.at < held.until

    def _remember(
        self,
        tenant: int,
        kind: str,
        rebuilt: Iterable[tuple[int, int]],
        relations: Iterable[Relation],
    ) -> None:
        exclusive = self._catalogue.relation_types[kind].exclusive
        for number, subject in rebuilt:
            held = self._held.setdefault((tenant, kind, number), {})
            held.clear() if exclusive else held.pop(subject, None)
        for r in relations:
            interval = Interval(r.subject, r.since, r.until, r.message_id, r.source)
            self._held[tenant, kind, r.object][r.subject] = interval

    def grant(self, tx: Tx, tenant: int, grants: Sequence[Grant]) -> None:
        """Record who may be seen by whom; repeats are harmless."""
        if len(self._granted) > CAPACITY:
            self._granted.clear()
        new = [g for g in dict.fromkeys(grants) if (tenant, g) not in self._granted]
        if not new:
            return
        rows = [GrantRow(g.dimension, g.entity, g.fragment) for g in new if g.fragment]
        added = tx.entities.add_grants(tenant, rows)
        tx.projection.queue(
            tenant, [Change("grant", g.fragment, g.entity, g.dimension) for g in added]
        )
        self._granted.update((tenant, g) for g in new)

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
        self._numbers.clear()
        self._granted.clear()
        self._held.clear()
        self._keys.reset()


def rebuild_relations(
    tx: Tx, tenant: int, catalogue: Catalogue, kind: str, pairs: Collection[tuple[int, int]]
) -> list[Relation]:
    """Make the intervals of ``kind`` of these (object, subject) what their facts add up to.

    Of an exclusive kind, whatever holds to the same objects is made anew as well. Returns the
    intervals, of each object and subject in order of time.
    """
    exclusive = catalogue.relation_types[kind].exclusive
    facts = (
        tx.entities.facts_on(tenant, kind, {number for number, _ in pairs})
        if exclusive
        else tx.entities.facts_between(tenant, kind, pairs)
    )
    by_object: dict[int, list[Fact]] = {}
    for f in facts:
        fact = Fact(f.at, f.message_id, bool(f.begins), f.subject, f.source)
        by_object.setdefault(f.object, []).append(fact)
    relations = [
        Relation(kind, number, i.subject, i.since, i.until, i.source, i.message_id)
        for number, on_it in by_object.items()
        for i in intervals(on_it, exclusive=exclusive)
    ]
    old = {*pairs, *((r.object, r.subject) for r in relations)}
    if exclusive:
        old |= {(number, f.subject) for number, on_it in by_object.items() for f in on_it}
    tx.entities.replace_relations(tenant, kind, old, relations)
    return relations


def entity_id(tenant: int, type_: str, key: bytes) -> UUID:
    """The public id of an entity."""
    return uuid5(NAMESPACE_ENTITY, f"{tenant}/{type_}/{key.hex()}")
