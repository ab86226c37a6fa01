"""Entities, their relations, and grants in the state store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Entity(NamedTuple):
    """One vehicle, dealer, advisor …: ``key`` is a keyed hash, ``uuid`` its public id.

    ``plain`` holds the key itself where it is not personal data, ``sealed`` its encryption where
    it is.
    """

    type: str
    number: int
    uuid: bytes
    key: bytes
    plain: str | None
    sealed: bytes | None


class StoredFact(NamedTuple):
    """One word on a relation of ``kind`` to ``object``; see ``engines.identity.relations``."""

    kind: str
    object: int
    at: int
    message_id: str
    begins: bool
    subject: int
    source: int


class Relation(NamedTuple):
    """``subject`` held ``kind`` to ``object`` in ``[since, until)``, milliseconds."""

    kind: str
    object: int
    subject: int
    since: int
    until: int | None
    source: int
    message_id: str


class GrantRow(NamedTuple):
    """Callers limited to ``entity`` in ``dimension`` may see ``fragment``."""

    dimension: str
    entity: int
    fragment: int


class EntityRepository(Protocol):
    """Entities, relation facts, relations, grants."""

    def by_keys(self, tenant: int, type: str, keys: Collection[bytes]) -> list[Entity]:
        """Entities of one type by key."""
        ...

    def by_numbers(self, tenant: int, type: str, numbers: Collection[int]) -> list[Entity]:
        """Entities of one type by number."""
        ...

    def by_uuid(self, tenant: int, type: str, uuid: bytes) -> Entity | None:
        """One entity by its public id."""
        ...

    def search(self, tenant: int, type: str, prefix: str, after: int, limit: int) -> list[Entity]:
        """Entities whose plain key begins with ``prefix``, by number beyond ``after``."""
        ...

    def add(self, tenant: int, entities: Sequence[Entity]) -> None:
        """Store new entities."""
        ...

    def add_facts(self, tenant: int, facts: Collection[StoredFact]) -> None:
        """Store facts; repeats are harmless."""
        ...

    def facts_on(self, tenant: int, kind: str, objects: Collection[int]) -> list[StoredFact]:
        """All facts on these objects."""
        ...

    def facts_between(
        self, tenant: int, kind: str, pairs: Collection[tuple[int, int]]
    ) -> list[StoredFact]:
        """All facts on these pairs of object and subject."""
        ...

    def replace_relations(
        self,
        tenant: int,
        kind: str,
        pairs: Collection[tuple[int, int]],
        relations: Sequence[Relation],
    ) -> None:
        """``relations`` are all there are of ``kind`` between these pairs (object, subject)."""
        ...

    def relations(
        self,
        tenant: int,
        kinds: Collection[str],
        *,
        subjects: Collection[int] | None = None,
        objects: Collection[int] | None = None,
    ) -> list[Relation]:
        """Relations of these kinds from any of ``subjects`` or to any of ``objects``."""
        ...

    def remove_subjects(
        self, tenant: int, kinds: Collection[str], numbers: Collection[int]
    ) -> None:
        """Remove what these subjects' relations of these kinds left, for good."""
        ...

    def add_grants(self, tenant: int, grants: Collection[GrantRow]) -> list[GrantRow]:
        """Store grants; returns those that are new."""
        ...

    def grants_of(self, tenant: int, fragments: Collection[int]) -> list[GrantRow]:
        """All grants on these fragments."""
        ...

    def remove_grants(self, tenant: int, fragments: Collection[int]) -> None:
        """Remove every grant on these fragments."""
        ...

    def granted(
        self, tenant: int, dims: Mapping[str, Collection[int]], fragments: Collection[int]
    ) -> bool:
        """Whether, for every dimension, some fragment is granted to one of its entities."""
        ...

    def granted_of(
        self,
        tenant: int,
        dims: Mapping[str, Collection[int]],
        persons: Mapping[int, Collection[int]],
    ) -> set[int]:
        """Those of ``persons`` (person → fragments) that :meth:`granted` says yes to."""
        ...
