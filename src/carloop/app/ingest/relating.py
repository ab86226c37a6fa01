"""``$relate``: a sender's own word that a relation holds, or has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from carloop.app.plan import Violation
from carloop.core.events import EntityRef
from carloop.core.pack import EventType
from carloop.core.registry import Catalogue
from carloop.core.vocabulary import PERSON

RELATE = "$relate"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def told_relation(
    properties: bytes, catalogue: Catalogue, entities: Sequence[EntityRef], *, person: bool
) -> EventType | Violation:
    """The event as one that opens the relation it names, or closes it where ``ended`` is true.

    ``properties``: ``{"relation": "owns", "ended": false}``; whom and what it joins stands in the
    event's identifiers and entities. It opens nobody's view on a person: only planned events do.

    Codes: ``missing_property``, ``invalid_type``, ``unknown_relation_type``, and
    ``missing_identifier`` where one of its two ends is not named.
    """
    said = _decode(properties)
    name, ended = said.get("relation"), said.get("ended", False)
    if name is None:
        return Violation("missing_property", "properties.relation")
    if not isinstance(name, str):
        return Violation("invalid_type", "properties.relation")
    if not isinstance(ended, bool):
        return Violation("invalid_type", "properties.ended")
    relation = catalogue.relation_types.get(name)
    if relation is None:
        return Violation("unknown_relation_type", "properties.relation")
    named = {ref.type for ref in entities} | ({PERSON} if person else set())
    for end in (relation.subject, relation.object):
        if end not in named:
            place = "identifiers" if end == PERSON else "entities"
            return Violation("missing_identifier", place)
    names = (name,)
    return EventType(RELATE, {}, relations=() if ended else names, ends=names if ended else ())
