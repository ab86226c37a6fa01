"""Which names say whom or what an event is about: enough to answer its sender at once.

Values are not looked at here; that is the pipeline's work. What is refused here, the pipeline
refuses for the same reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from carloop.core.events import Decoded, Envelope, OpKind, Rejected
from carloop.core.registry import Catalogue

PERSON = "person"
_TELLING_OPS = (OpKind.SET, OpKind.SET_ONCE)
_PLAIN = re.compile(r"(?!.*\d{5})[\w$.\-]{1,64}\Z")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Nameless(NamedTuple):
    """Why nobody and nothing can be told from an event.

    Codes: ``missing_identifier``, ``unknown_identifier_type``.
    """

    code: str
    path: str


def path_of(place: str, name: str) -> str:
    """The path of ``name`` in ``place``; of ``place`` alone where the name could be a value.

    >>> path_of("identifiers", "moblie"), path_of("identifiers", "13912345678")
    ('identifiers.moblie', 'identifiers')
    """
    return f"{place}.{name}" if _PLAIN.match(name) else place


class Vocabulary:
    """The names of a catalogue that identify."""

    def __init__(self, catalogue: Catalogue) -> None:
        types = catalogue.identifiers
        self._known = frozenset(types.by_alias)
        self._persons = frozenset(
            alias for alias, name in types.by_alias.items() if types.types[name].entity == PERSON
        )
        self._fields = frozenset(
            alias for alias, name in catalogue.field_aliases.items()
            if catalogue.fields[name].identifier is not None
        )  # fmt: skip
        self._person_properties = frozenset(catalogue.property_identifiers)
        self._entity_properties = frozenset(catalogue.property_entities)
        self._planned_persons: dict[str, frozenset[str]] = {}
        self._planned_entities: dict[str, frozenset[str]] = {}
        for event in catalogue.event_types.values():
            self._planned_persons[event.name] = frozenset(
                p.name for p in event.properties if p.identifier is not None
            )
            self._planned_entities[event.name] = frozenset(
                p.name for p in event.properties if p.entity is not None
            )

    def judge(self, decoded: Decoded) -> Decoded:
        """``decoded`` with the nameless events among the rejected ones, by index."""
        nameless = [(e, why) for e in decoded.events if (why := self.nameless(e)) is not None]
        if not nameless:
            return decoded
        refused = {event.index for event, _ in nameless}
        rejected = [*decoded.rejected]
        rejected += [Rejected(index=e.index, code=why.code, path=why.path) for e, why in nameless]
        return Decoded(
            [e for e in decoded.events if e.index not in refused],
            sorted(rejected, key=lambda bad: bad.index),
        )

    def nameless(self, envelope: Envelope) -> Nameless | None:
        """Why the event names neither a person nor an entity; None where it may.

        An identifier of an unknown type is meant to name a person: where nothing else does, the
        event is refused, although it may name an entity too.
        """
        sent = envelope.identifiers
        for identifier in sent:
            if identifier.type in self._persons:
                return None
        unknown = next((i.type for i in sent if i.type not in self._known), None)
        if unknown is None and (sent or envelope.entities):
            return None
        if self._elsewhere(envelope, persons_only=unknown is not None):
            return None
        if unknown is not None:
            return Nameless("unknown_identifier_type", path_of("identifiers", unknown))
        return Nameless("missing_identifier", "identifiers")

    def _elsewhere(self, envelope: Envelope, *, persons_only: bool) -> bool:
        """Whether a profile field or a property may name somebody, or something."""
        if any(op.op in _TELLING_OPS and op.field in self._fields for op in envelope.profile):
            return True
        if len(envelope.properties) <= 2:
            return False
        properties, event = _decode(envelope.properties), envelope.event
        telling = (self._planned_persons, self._person_properties)
        if _tells(properties, event, *telling):
            return True
        return not persons_only and _tells(
            properties, event, self._planned_entities, self._entity_properties
        )


def _tells(
    properties: Mapping[str, Any],
    event: str,
    planned: Mapping[str, Collection[str]],
    everywhere: Collection[str],
) -> bool:
    own = planned.get(event, ())
    return any(
        (name in own or name in everywhere) and value not in (None, "", [])
        for name, value in properties.items()
    )
