"""Who is who, online: evidence in, fragments and persons out, inside the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from carloop.app.components import KnownFragment, Pair, Recompute, pair_of
from carloop.app.subject_keys import PERSON, SubjectKeys, aad
from carloop.core.events import uuid5_bytes
from carloop.core.evidence import Edge, Evidence, Resolved
from carloop.core.identifiers import Identifier
from carloop.core.ports.identity import Fragment
from carloop.core.ports.projection import Change
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.engines.identity.star import edges_of, stronger

NAMESPACE_PERSON = UUID("5d1f4e0c-7d0e-5a35-9d7f-6a1f6d2f9a77")

_PERSONS = hashlib.sha1(NAMESPACE_PERSON.bytes, usedforsecurity=False)

NOBODY = Resolved(0, 0)
"""Evidence without a usable identifier, or only with erased ones: fragment 0 is no person."""

CAPACITY = 200_000
"""Identifiers, and edges, kept in memory; beyond it the cache starts anew."""

RANGE = 5_000
"""Fragments minted together whose projection is one row of the queue."""

IDENTIFIER = "identifier"
"""The field name that a sealed identifier is bound to."""

_UNSETTLED = (2**63, None)


@dataclass(slots=True)
class _Cache:
    """What is known of one tenant."""

    fragments: dict[Identifier, KnownFragment] = field(default_factory=dict)
    numbers: dict[int, KnownFragment] = field(default_factory=dict)
    edges: dict[Pair, Edge] = field(default_factory=dict)
    settled: dict[tuple[Identifier, ...], tuple[int, KnownFragment]] = field(default_factory=dict)
    """Identifiers seen together, since when their evidence teaches nothing new (milliseconds, not
    included), and where it is filed."""

    @property
    def full(self) -> bool:
        """Whether it is time to start anew."""
        return max(len(self.numbers), len(self.edges), len(self.settled)) > CAPACITY

    def add(self, identifier: Identifier, fragment: KnownFragment) -> None:
        """Remember one fragment."""
        self.fragments[identifier] = fragment
        self.numbers[fragment.number] = fragment


class IdentityResolver:
    """Resolves evidence in batches. One per loader; not thread-safe.

    In the steady state (known identifiers, known pairs) it touches no database. An event is filed
    under its best identifier, the one whose type has the lowest ``priority``.
    """

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._types = catalogue.identifiers
        self._persons = frozenset(t.name for t in catalogue.identifiers if t.entity == PERSON)
        self._cipher = cipher
        self._keys = SubjectKeys(cipher)
        self._caches: dict[int, _Cache] = {}
        self._recompute = Recompute(catalogue.identifiers)

    def resolve(self, tx: Tx, tenant: int, evidence: Sequence[Evidence]) -> list[Resolved]:
        """File each piece of evidence; the answer is in the same order.

        Mints fragments for identifiers never seen, stores new edges and recomputes the persons
        they touch, all in ``tx``. Evidence of persons erased since it occurred is ``NOBODY``.
        """
        filed = self._file(tx, tenant, evidence)
        return [NOBODY if f is None else Resolved(f.number, f.person) for f in filed]

    def fragments(self, tx: Tx, tenant: int, evidence: Sequence[Evidence]) -> list[int]:
        """As :meth:`resolve`, the fragments alone; 0 is nobody."""
        return [0 if f is None else f.number for f in self._file(tx, tenant, evidence)]

    def _file(
        self, tx: Tx, tenant: int, evidence: Sequence[Evidence]
    ) -> list[KnownFragment | None]:
        cache = self._caches.get(tenant)
        if cache is None or cache.full:
            cache = self._caches[tenant] = _Cache()
        filed: list[KnownFragment | None] = []
        news: list[int] = []
        for index, item in enumerate(evidence):
            if not item.identifiers:
                filed.append(None)
                continue
            since, fragment = cache.settled.get(item.identifiers, _UNSETTLED)
            filed.append(fragment)
            if item.occurred_at <= since or item.bind or item.unbind:
                news.append(index)
        if news:
            told = [evidence[index] for index in news]
            for index, found in zip(news, self._take_in(tx, tenant, cache, told), strict=True):
                filed[index] = found
        return filed

    def _take_in(
        self, tx: Tx, tenant: int, cache: _Cache, evidence: Sequence[Evidence]
    ) -> list[KnownFragment | None]:
        """File evidence that may say something new."""
        minted = self._learn(tx, tenant, cache, evidence)
        fresh: dict[Pair, Edge] = {}
        filed = [_file(cache, fresh, item) for item in evidence]
        if fresh:
            numbers = {f.number for f in minted.values()}
            self._recompute.run(tx, tenant, fresh, cache.numbers, numbers)
            cache.edges.update(fresh)
        if minted:
            self._store(tx, tenant, minted, evidence)
        for identifiers in {item.identifiers for item in evidence}:
            _settle(cache, identifiers)
        return filed

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
        self._caches.clear()
        self._keys.reset()

    def _learn(
        self, tx: Tx, tenant: int, cache: _Cache, evidence: Sequence[Evidence]
    ) -> dict[Identifier, KnownFragment]:
        """Make every identifier of ``evidence`` known; returns those that are new."""
        wanted: dict[Identifier, int] = {}
        known = cache.fragments
        for item in evidence:
            for identifier in item.identifiers:
                if identifier not in known:
                    latest = wanted.get(identifier, item.occurred_at)
                    wanted[identifier] = max(latest, item.occurred_at)
        persons = self._persons
        wanted = {i: at for i, at in wanted.items() if i.type in persons}
        if not wanted:
            return {}
        keys = {self._cipher.identifier_key(tenant, i): i for i in wanted}
        erased = tx.identity.erased(tenant, keys)
        for stored in tx.identity.by_keys(tenant, keys):
            fragment = KnownFragment.of(stored, self._types)
            fragment.erased_at = erased.get(stored.key, -1)
            cache.add(keys.pop(stored.key), fragment)
        keys = {k: i for k, i in keys.items() if wanted[i] > erased.get(k, -1)}
        if not keys:
            return {}
        first = tx.identity.next_numbers(tenant, PERSON, len(keys))
        minted: dict[Identifier, KnownFragment] = {}
        for number, (key, identifier) in enumerate(keys.items(), first):
            kind = self._types.get(identifier.type)
            fragment = KnownFragment(number, key, kind, identifier.namespace, number)
            fragment.erased_at = erased.get(key, -1)
            cache.add(identifier, fragment)
            minted[identifier] = fragment
        return minted

    def _store(
        self,
        tx: Tx,
        tenant: int,
        minted: Mapping[Identifier, KnownFragment],
        evidence: Sequence[Evidence],
    ) -> None:
        """Insert the new fragments, identifying values sealed, and queue their projection."""
        first: dict[Identifier, Evidence] = {}
        for item in evidence:
            for identifier in item.identifiers:
                if identifier in minted:
                    earliest = first.setdefault(identifier, item)
                    if item.occurred_at < earliest.occurred_at:
                        first[identifier] = item
        private = [f.number for f in minted.values() if f.kind.identifying]
        keys = self._keys.mint(tx, tenant, PERSON, private)
        rows = []
        for identifier, fragment in minted.items():
            sealed = None
            if key := keys.get(fragment.number):
                bound = aad(tenant, IDENTIFIER, PERSON, fragment.number)
                sealed = self._cipher.encrypt(key, identifier.value.encode(), bound)
            rows.append(
                Fragment(
                    fragment.number,
                    fragment.key,
                    identifier.type,
                    identifier.namespace,
                    public_id_bytes(tenant, fragment.key),
                    fragment.person,
                    None if sealed else identifier.value,
                    sealed,
                    fragment.hub,
                    first[identifier].occurred_at,
                    first[identifier].source,
                )
            )
        tx.identity.add(tenant, rows)
        numbers = [row.number for row in rows]
        first_number, last_number = numbers[0], numbers[-1]
        tx.projection.queue(
            tenant,
            [
                Change("fragments", start, min(start + RANGE - 1, last_number))
                for start in range(first_number, last_number + 1, RANGE)
            ],
        )


def public_id(tenant: int, key: bytes) -> UUID:
    """The public id of a fragment, and of the person it is canonical for.

    >>> public_id(1, bytes(16)) == public_id(1, bytes(16)) != public_id(2, bytes(16))
    True
    """
    return uuid5(NAMESPACE_PERSON, f"{tenant}/{key.hex()}")


def public_id_bytes(tenant: int, key: bytes) -> bytes:
    """The bytes of :func:`public_id`, without its objects.

    >>> public_id_bytes(7, b"k" * 16) == public_id(7, b"k" * 16).bytes
    True
    """
    digest = _PERSONS.copy()
    digest.update(f"{tenant}/{key.hex()}".encode())
    return uuid5_bytes(digest.digest())


def _file(cache: _Cache, fresh: dict[Pair, Edge], item: Evidence) -> KnownFragment | None:
    """The fragment an event is filed under; edges not known yet go into ``fresh``."""
    found: list[KnownFragment] = []
    for identifier in item.identifiers:
        fragment = cache.fragments.get(identifier)
        if fragment is not None and item.occurred_at > fragment.erased_at:
            found.append(fragment)
    if len(found) < 2:
        return found[0] if found else None
    found.sort(key=_preference)
    numbers = list(dict.fromkeys(f.number for f in found))
    for edge in edges_of(item, numbers):
        pair = pair_of(edge)
        known = fresh.get(pair) or cache.edges.get(pair)
        if known is None or stronger(edge, known):
            fresh[pair] = edge
    return found[0]


def _settle(cache: _Cache, identifiers: tuple[Identifier, ...]) -> None:
    """Note since when these identifiers, shown together, teach nothing new."""
    found = [f for i in identifiers if (f := cache.fragments.get(i)) is not None]
    if not found or len(found) < len(identifiers):
        return
    best, *others = sorted(found, key=_preference)
    since = max(f.erased_at for f in found)
    for other in others:
        if other is not best:
            ends = (best.number, other.number)
            edge = cache.edges.get((min(ends), max(ends), False))
            if edge is None:
                return
            since = max(since, edge.occurred_at)
    cache.settled[identifiers] = since, best


def _preference(fragment: KnownFragment) -> tuple[int, bytes]:
    return fragment.kind.priority, fragment.key
