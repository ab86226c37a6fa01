"""Profiles: what is known about a person, field by field, whatever order it arrives in."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from carloop.app.subject_keys import PERSON, SubjectKeys, aad
from carloop.core.derived import derive
from carloop.core.events import OpKind, ProfileOp
from carloop.core.fields import Field, FieldClass, FieldType
from carloop.core.identifiers import InvalidIdentifier, RawIdentifier
from carloop.core.ports.profiles import Attribute
from carloop.core.ports.projection import Change
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.engines.identity.survivorship import (
    FieldState,
    Stamp,
    Winner,
    Write,
    fold,
    winner,
    wipe,
)

DERIVED_RANK = 1_000
"""Values derived from others stand behind every value that somebody sent."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(FieldState)


@dataclass(frozen=True, slots=True)
class ProfileWrite:
    """The profile changes of one event, for the fragment it is filed under.

    ``occurred_at`` is in milliseconds since the epoch. The pipeline hands each message over
    exactly once.
    """

    fragment: int
    ops: Sequence[ProfileOp]
    occurred_at: int
    message_id: str
    source: int = 0


class FieldBook:
    """How the values of each field are ranked, sealed and compared."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher

    def name(self, sent: str) -> str:
        """The field's own name for the name a sender used; unknown fields keep theirs."""
        return self._catalogue.field_aliases.get(sent, sent)

    def field(self, name: str) -> Field:
        """The declaration of a field; undeclared ones are descriptive text."""
        found = self._catalogue.fields.get(name)
        return found or Field(name, {"zh": name, "en": name}, FieldType.STRING)

    def identifying(self, name: str) -> bool:
        """Whether values of this field live in the vault."""
        return self.field(name).cls is FieldClass.IDENTIFYING

    def blind(self, tenant: int, name: str, value: object) -> bytes:
        """The blind index of a value: equal values, however written, have equal indexes."""
        text = str(value)
        kind = self.field(name).identifier
        if kind is not None:
            try:
                text = self._catalogue.identifiers.normalise(RawIdentifier(kind, text)).value
            except InvalidIdentifier:
                text = plain_form(text)
        else:
            text = plain_form(text)
        return self._cipher.blind_index(tenant, name, text)


def plain_form(text: str) -> str:
    """Text without differences that people do not mean: width, case, spaces.

    >>> plain_form(" Ｗang  FANG ")
    'wangfang'
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def pack(state: FieldState) -> bytes:
    """A field state as it is stored."""
    return _ENCODER.encode(state)


def unpack(state: bytes) -> FieldState:
    """The field state that was stored."""
    return _DECODER.decode(state)


class ProfileReader:
    """Reads field states of fragments and unseals them."""

    def __init__(
        self, catalogue: Catalogue, cipher: Cipher, keys: SubjectKeys | None = None
    ) -> None:
        self.book = FieldBook(catalogue, cipher)
        self._cipher = cipher
        self._keys = keys or SubjectKeys(cipher)

    def states(
        self, tx: Tx, tenant: int, fragments: Collection[int]
    ) -> dict[tuple[int, str], FieldState]:
        """(fragment, field) → state, identifying ones unsealed."""
        rows = tx.profiles.attributes(tenant, fragments)
        sealed = {row.number for row in rows if self.book.identifying(row.field)}
        keys = self._keys.of(tx, tenant, PERSON, sealed) if sealed else {}
        states = {}
        for row in rows:
            packed = row.state
            if row.number in sealed and self.book.identifying(row.field):
                bound = aad(tenant, row.field, PERSON, row.number)
                packed = self._cipher.decrypt(keys[row.number], packed, bound)
            states[row.number, row.field] = unpack(packed)
        return states

    def person(self, tx: Tx, tenant: int, fragments: Collection[int]) -> dict[str, Winner]:
        """Field → the value that survives over all fragments of one person."""
        return self.persons(tx, tenant, {0: fragments})[0]

    def persons(
        self, tx: Tx, tenant: int, groups: Mapping[int, Collection[int]]
    ) -> dict[int, dict[str, Winner]]:
        """As :meth:`person` for many persons' fragments at once, by person."""
        of = {number: person for person, numbers in groups.items() for number in numbers}
        found: dict[int, dict[str, Winner]] = {person: {} for person in groups}
        for (number, name), state in self.states(tx, tenant, of).items():
            best, value = found[of[number]], winner(state) if name else None
            if value is not None and (name not in best or beats(value, best[name])):
                best[name] = value
        return found

    def reset(self) -> None:
        """Forget keys; after an erasure."""
        self._keys.reset()


def beats(one: Winner, other: Winner) -> bool:
    """Whether ``one`` survives ``other`` in another fragment of the person.

    A value set beats one that was only set once; then the better source; then the later, among
    values set once the earlier.
    """
    if one.first != other.first:
        return other.first
    if one.rank != other.rank:
        return one.rank < other.rank
    return one.stamp < other.stamp if one.first else one.stamp > other.stamp


class ProfileWriter:
    """Applies profile changes in batches. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._cipher = cipher
        self._keys = SubjectKeys(cipher)
        self._reader = ProfileReader(catalogue, cipher, self._keys)
        self._book = self._reader.book

    def apply(self, tx: Tx, tenant: int, writes: Sequence[ProfileWrite]) -> None:
        """Fold ``writes`` into the stored attributes; any order gives the same profile."""
        writes = [w for w in writes if w.ops and w.fragment]
        if not writes:
            return
        by_field, wiped = self._collect(tx, tenant, writes)
        fragments = {number for number, _ in by_field} | wiped.keys()
        states = self._reader.states(tx, tenant, fragments)
        for number, until in wiped.items():
            by_field[number, ""].append(Write(OpKind.DELETE, None, until))
            for number_, name in list(states):
                if number_ == number:
                    by_field.setdefault((number_, name), [])
        changed = {}
        for (number, name), new in by_field.items():
            old = states.get((number, name), FieldState())
            whole = wiped.get(number)
            before = states.get((number, ""), FieldState()).wiped
            state = fold(wipe(wipe(old, before), whole), new)
            if state != old:
                changed[number, name] = (old, state)
        self._store(tx, tenant, changed)

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
        self._keys.reset()

    def _collect(
        self, tx: Tx, tenant: int, writes: Sequence[ProfileWrite]
    ) -> tuple[dict[tuple[int, str], list[Write]], dict[int, Stamp]]:
        """Writes by fragment and field, and until when whole profiles are deleted."""
        ranks = self._ranks(tx, tenant, writes)
        by_field: dict[tuple[int, str], list[Write]] = defaultdict(list)
        wiped: dict[int, Stamp] = {}
        for item in writes:
            stamp = Stamp(item.occurred_at, item.message_id)
            for op in item.ops:
                if op.op == OpKind.DELETE:
                    wiped[item.fragment] = max(wiped.get(item.fragment, stamp), stamp)
                    continue
                name = self._book.name(op.field)
                rank = ranks.get((name, item.source), 0)
                write = Write(op.op, op.value, stamp, rank, item.source)
                by_field[item.fragment, name].append(write)
                if op.op == OpKind.SET:
                    for other, value in derive(name, op.value).items():
                        derived = Write(OpKind.SET, value, stamp, DERIVED_RANK, item.source)
                        by_field[item.fragment, other].append(derived)
        return by_field, wiped

    def _ranks(
        self, tx: Tx, tenant: int, writes: Iterable[ProfileWrite]
    ) -> Mapping[tuple[str, int], int]:
        """(field, source) → rank, for fields that declare whom they trust."""
        names = {self._book.name(op.field) for w in writes for op in w.ops if op.field}
        ordered = {
            n: f.source_priority for n in names if (f := self._book.field(n)).source_priority
        }
        if not ordered:
            return {}
        return {
            (name, source.id): priority.index(source.name)
            if source.name in priority
            else len(priority)
            for name, priority in ordered.items()
            for source in tx.sources.list(tenant)
        }

    def _store(
        self,
        tx: Tx,
        tenant: int,
        changed: Mapping[tuple[int, str], tuple[FieldState, FieldState]],
    ) -> None:
        private = {n for n, name in changed if self._book.identifying(name)}
        keys = self._keys.make(tx, tenant, PERSON, private) if private else {}
        rows, moved = [], []
        for (number, name), (old, state) in changed.items():
            before, now = winner(old), winner(state)
            packed, blind = pack(state), None
            if self._book.identifying(name):
                packed = self._cipher.encrypt(
                    keys[number], packed, aad(tenant, name, PERSON, number)
                )
                blind = self._book.blind(tenant, name, now.value) if now else None
            rows.append(Attribute(number, name, packed, blind, now.stamp.at if now else 0))
            if before != now:
                moved.append(Change("attribute", number, 0, name))
        tx.profiles.put(tenant, rows)
        tx.projection.queue(tenant, moved)
