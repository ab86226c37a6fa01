"""The catalogue in force: what the core and the packs declare, looked up by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from carloop.core.fields import Field
from carloop.core.identifiers import IdentifierTypes
from carloop.core.identifiers.types import CORE_IDENTIFIER_TYPES
from carloop.core.pack import EntityType, EventType, Pack, RelationType
from carloop.core.person_fields import CORE_FIELDS

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All declared kinds by name, from the core and the packs given.

    Raises:
        ValueError: when two packs claim one name.
    """

    packs: tuple[Pack, ...]
    identifiers: IdentifierTypes
    fields: Mapping[str, Field]
    field_aliases: Mapping[str, str]
    entity_types: Mapping[str, EntityType]
    relation_types: Mapping[str, RelationType]
    event_types: Mapping[str, EventType]
    property_identifiers: Mapping[str, str]
    property_entities: Mapping[str, str]

    @classmethod
    def of(cls, packs: Iterable[Pack] = ()) -> Catalogue:
        """Collect the core's kinds and those of ``packs``."""
        packs = tuple(packs)
        fields: dict[str, Field] = {}
        aliases: dict[str, str] = {}
        for f in (*CORE_FIELDS, *(f for p in packs for f in p.fields)):
            _claim(fields, f.name, f)
            for name in (f.name, *f.aliases):
                _claim(aliases, name, f.name)
        entities: dict[str, EntityType] = {}
        relations: dict[str, RelationType] = {}
        events: dict[str, EventType] = {}
        by_identifier: dict[str, str] = {"phone": "mobile", "mobile": "mobile", "email": "email"}
        by_entity: dict[str, str] = {}
        for pack in packs:
            for entity in pack.entity_types:
                _claim(entities, entity.name, entity)
            for relation in pack.relation_types:
                _claim(relations, relation.name, relation)
            for event in pack.event_types:
                _claim(events, event.name, event)
            by_identifier.update(pack.property_identifiers)
            by_entity.update(pack.property_entities)
        kinds = (*CORE_IDENTIFIER_TYPES, *(t for p in packs for t in p.identifier_types))
        return cls(
            packs,
            IdentifierTypes.of(kinds),
            fields,
            aliases,
            entities,
            relations,
            events,
            by_identifier,
            by_entity,
        )

    @property
    def scope_dimensions(self) -> tuple[str, ...]:
        """Entity types that limit what a caller sees (``dealer``, ``advisor``)."""
        return tuple(e.name for e in self.entity_types.values() if e.scope_dimension)


def _claim(names: dict[str, _T], name: str, value: _T) -> None:
    if name in names:
        raise ValueError(f"{name!r} declared twice")
    names[name] = value
