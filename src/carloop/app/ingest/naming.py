"""Whom and what an event names: identifiers sorted into persons and entities, keys made canonical.

An identifier that is no usable value is left out and counted; what remains decides. An event that
names entities alone is filed under nobody: a vehicle that reports its mileage is not its owner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from carloop.core.events import EntityRef
from carloop.core.identifiers import Identifier, InvalidIdentifier, RawIdentifier
from carloop.core.registry import Catalogue
from carloop.core.vocabulary import PERSON, path_of

UNKNOWN_TYPE = "unknown_identifier_type"
_CACHED = 200_000


class Fault(NamedTuple):
    """Why an identifier or an entity key was left out, and where it stood.

    ``entity``: the type it should have named; empty for persons and unknown types.
    """

    code: str
    path: str
    entity: str = ""


class Named(NamedTuple):
    """What an event names.

    Attributes:
        identifiers: of the person, normalised.
        entities: with canonical keys, each once.
        faults: what was left out.
    """

    identifiers: tuple[Identifier, ...]
    entities: tuple[EntityRef, ...]
    faults: tuple[Fault, ...]

    def nobody(self, *, meant: bool) -> Fault | None:
        """Why an event without identifiers cannot be filed; None: it is about its entities.

        Args:
            meant: it is meant to say something of a person: it changes a profile.
        """
        for fault in self.faults:
            if fault.code == UNKNOWN_TYPE:
                return fault
        if self.entities:
            return Fault("missing_identifier", "profile") if meant else None
        for fault in self.faults:
            if fault.entity:
                return fault
        return Fault("missing_identifier", "identifiers")


class Naming:
    """Sorts out identifiers and entity keys; keeps bounded caches. Not thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._types = catalogue.identifiers
        self._entity_types = catalogue.entity_types
        self._people: dict[tuple[RawIdentifier, ...], Named] = {}
        self._refs: dict[EntityRef, EntityRef | str] = {}
        self.dropped: Counter[str] = Counter()
        """Identifiers and entity keys left out of events, by reason."""

    def forget(self) -> None:
        """Drop the caches."""
        self._people.clear()
        self._refs.clear()

    def count(self, named: Named) -> None:
        """Note what was left out of an event."""
        for fault in named.faults:
            self.dropped[fault.code] += 1

    def names(
        self,
        sent: Sequence[RawIdentifier],
        entities: Sequence[EntityRef] = (),
        in_properties: Sequence[EntityRef] = (),
    ) -> Named:
        """Whom and what these name.

        Args:
            sent: identifiers as sent; those that name an entity are its key.
            entities: as sent beside them.
            in_properties: keys that properties hold.
        """
        place = tuple(sent)
        people = self._people.get(place)
        if people is None:
            if len(self._people) >= _CACHED:
                self._people.clear()
            people = self._people[place] = self._sort_out(sent)
        if not entities and not in_properties:
            return people
        found = dict.fromkeys(people.entities)
        faults = [*people.faults]
        for refs in (entities, in_properties):
            for ref in refs:
                known = self._ref(ref)
                if isinstance(known, str):
                    faults.append(Fault(known, path_of("entities", ref.type), ref.type))
                else:
                    found[known] = None
        return self._told_apart(people.identifiers, tuple(found), faults)

    def _sort_out(self, sent: Iterable[RawIdentifier]) -> Named:
        found: dict[Identifier, None] = {}
        entities: dict[EntityRef, None] = {}
        faults: list[Fault] = []
        for raw in sent:
            known = self._read(raw)
            if isinstance(known, Identifier):
                found[known] = None
            elif isinstance(known, EntityRef):
                entities[known] = None
            else:
                faults.append(Fault(known, path_of("identifiers", raw.type), self._meant(raw.type)))
        return self._told_apart(tuple(found), tuple(entities), faults)

    def _meant(self, type_: str) -> str:
        """The entity type that an identifier type names; empty: a person, or it is unknown."""
        name = self._types.by_alias.get(type_)
        entity = self._types.types[name].entity if name is not None else PERSON
        return "" if entity == PERSON else entity

    def _told_apart(
        self, identifiers: tuple[Identifier, ...], entities: tuple[EntityRef, ...],
        faults: Sequence[Fault],
    ) -> Named:  # fmt: skip
        """Without ids that repeat the key of a vehicle: what sends them is the vehicle."""
        own = {ref.key for ref in entities if self._entity_types[ref.type].identifying}
        if own:
            identifiers = tuple(i for i in identifiers if i.value.strip().upper() not in own)
        return Named(identifiers, entities, tuple(faults))

    def _read(self, raw: RawIdentifier) -> Identifier | EntityRef | str:
        try:
            kind = self._types.get(raw.type)
            if kind.entity == PERSON:
                return self._types.normalise(raw)
        except InvalidIdentifier as error:
            return error.code
        entity = self._entity_types.get(kind.entity)
        if entity is not None and entity.key != kind.name:
            return "entity_not_by_this"
        return self._ref(EntityRef(kind.entity, raw.value))

    def _ref(self, ref: EntityRef) -> EntityRef | str:
        """The reference with its canonical key, or why it is none."""
        known = self._refs.get(ref)
        if known is None:
            if len(self._refs) >= _CACHED:
                self._refs.clear()
            known = self._refs[ref] = self._check(ref)
        return known

    def _check(self, ref: EntityRef) -> EntityRef | str:
        kind = self._entity_types.get(ref.type)
        key = ref.key.strip()
        if kind is None:
            return "unknown_entity_type"
        if not key or len(key) > 255:
            return "entity_key_invalid"
        if kind.key is not None and kind.key in self._types.types:
            try:
                key = self._types.normalise(RawIdentifier(kind.key, key)).value
            except InvalidIdentifier as error:
                return f"entity_{error.code}"
        return EntityRef(ref.type, key)
