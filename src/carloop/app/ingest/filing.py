"""Filing events under persons and entities, with what follows for profiles and relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from carloop.app.entities.registry import EntityRegistry, Grant, RelationFact
from carloop.app.identity import IdentityResolver
from carloop.app.ingest.prepare import Prepared
from carloop.app.ingest.rows import Filed
from carloop.app.persons.profiles import ProfileWrite, ProfileWriter
from carloop.core.events import EntityRef
from carloop.core.pack import EventType, RelationType
from carloop.core.ports.state import Tx
from carloop.core.registry import Catalogue

PERSON = "person"
_NOTHING: Mapping[str, int] = {}


class Filing:
    """Applies prepared events inside one transaction. One per loader; not thread-safe."""

    def __init__(
        self,
        catalogue: Catalogue,
        identity: IdentityResolver,
        profiles: ProfileWriter,
        entities: EntityRegistry,
    ) -> None:
        self._relations = catalogue.relation_types
        self._identity = identity
        self._profiles = profiles
        self._entities = entities

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
        self._identity.reset()
        self._profiles.reset()
        self._entities.reset()

    def file(self, tx: Tx, events: Sequence[Prepared]) -> list[Filed]:
        """Resolve, write profiles, relations and grants; the answer is in the same order.

        Events of persons erased since they occurred are left out.
        """
        historical = {(s.tenant, s.id) for s in tx.sources.list() if s.historical}
        tenants = {event.tenant for event in events}
        if len(tenants) == 1:
            return self._file(tx, tenants.pop(), events, historical)
        filed: list[Filed] = []
        for tenant, group in groupby(events, key=lambda event: event.tenant):
            filed += self._file(tx, tenant, list(group), historical)
        return filed

    def _file(
        self,
        tx: Tx,
        tenant: int,
        events: Sequence[Prepared],
        historical: set[tuple[int, int]],
    ) -> list[Filed]:
        fragments = self._identity.fragments(tx, tenant, events)
        numbers = self._numbers(tx, tenant, events)
        filed = [
            Filed(
                event,
                fragment,
                _entities(event, numbers) if event.entities else _NOTHING,
                event.historical or (tenant, event.source) in historical,
            )
            for event, fragment in zip(events, fragments, strict=True)
            if fragment or not event.identifiers
        ]
        writes = [
            ProfileWrite(f.fragment, f.event.profile, f.event.occurred_at, f.event.message_id,
                         f.event.source)
            for f in filed
            if f.event.profile and f.fragment
        ]  # fmt: skip
        if writes:
            self._profiles.apply(tx, tenant, writes)
        self._connect(tx, tenant, filed)
        return filed

    def _numbers(self, tx: Tx, tenant: int, events: Sequence[Prepared]) -> dict[EntityRef, int]:
        refs = list(dict.fromkeys(ref for event in events for ref in event.entities))
        if not refs:
            return {}
        return dict(zip(refs, self._entities.resolve(tx, tenant, refs), strict=True))

    def _connect(self, tx: Tx, tenant: int, filed: Sequence[Filed]) -> None:
        facts: list[RelationFact] = []
        grants: dict[Grant, None] = {}
        for f in filed:
            kind = f.event.kind
            if kind is None or not f.entities:
                continue
            facts += self._facts(f, kind)
            for dimension in kind.grants:
                if dimension in f.entities:
                    grants[Grant(dimension, f.entities[dimension], f.fragment)] = None
        if facts:
            self._entities.relate(tx, tenant, facts)
        if grants:
            self._entities.grant(tx, tenant, list(grants))

    def _facts(self, filed: Filed, kind: EventType) -> list[RelationFact]:
        facts: list[RelationFact] = []
        for names, ends in ((kind.relations, False), (kind.ends, True)):
            for name in names:
                relation = self._relations.get(name)
                pair = _pair(relation, filed) if relation is not None else None
                if pair is not None:
                    event = filed.event
                    facts.append(
                        RelationFact(
                            name, *pair, event.occurred_at, event.message_id, event.source, ends
                        )
                    )
        return facts


def _entities(event: Prepared, numbers: Mapping[EntityRef, int]) -> dict[str, int]:
    """Number by type; the first of a type counts."""
    found: dict[str, int] = {}
    for ref in event.entities:
        found.setdefault(ref.type, numbers[ref])
    return found


def _pair(relation: RelationType, filed: Filed) -> tuple[int, int] | None:
    numbers = {PERSON: filed.fragment, **filed.entities}
    subject, object_ = numbers.get(relation.subject), numbers.get(relation.object)
    return None if subject is None or object_ is None else (subject, object_)
