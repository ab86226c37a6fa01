"""What the members of a record mean, said in one of two languages.

A mapping with ``columns`` is a *row mapping*, as file imports use it: cells by name, nested members
by dotted name, up to eight events a record. Any other is a *document mapping*, as webhooks use it:
paths into nested JSON, and one event for every element of a list (``items``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from carloop.app.imports.mapping import Mapping, parse_mapping
from carloop.app.imports.rows import CellFault, RowMapper
from carloop.connectors.files.jsonl import flatten
from carloop.connectors.files.table import Row
from carloop.connectors.json_guard import BadEvent
from carloop.connectors.mapping import Compiled, Step, compile_mapping
from carloop.connectors.transport import content_id
from carloop.connectors.webhook import element_bytes, envelope_of
from carloop.core.events import Envelope, Limits, Received, Rejected
from carloop.core.registry import Catalogue
from carloop.kit.errors import InvalidInput

PLACES = 8
LIST_PLACES = 256
"""Elements that one record may yield where its mapping names a list."""
FAULTS = "$faults"
"""Property that names cells which were left out of an event, as ``column/code``."""
_MOST_FAULTS = 20
_json = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Applied:
    """What a record became; each part with its place among the record's sequence numbers.

    Attributes:
        own: events in the words of the own protocol, still to be decoded.
        events: envelopes, ``index`` being the place.
        bad: what cannot be taken, ``index`` being the place.
    """

    own: list[tuple[int, bytes]] = field(default_factory=list)
    events: list[Envelope] = field(default_factory=list)
    bad: list[Rejected] = field(default_factory=list)


class Meaning(Protocol):
    """A mapping, ready to be applied.

    Attributes:
        digest: 16 hex digits that change with the meaning.
        text: the mapping in its normal form.
        places: sequence numbers that one record takes.
        names: members at the top of a record that the mapping reads.
    """

    digest: str
    text: str
    places: int
    names: frozenset[str]

    def apply(
        self, prefix: str, body: bytes, received: Received, limits: Limits, places: int
    ) -> Applied:
        """Events of one record; ``prefix`` begins their message ids.

        Raises:
            BadEvent: the record as a whole cannot be taken.
        """
        ...


def is_row_mapping(text: str) -> bool:
    """Which language a mapping is written in.

    Raises:
        InvalidInput: ``mapping_invalid``: no JSON object.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not JSON", code="mapping_invalid", path="mapping") from error
    if not isinstance(document, dict):
        raise InvalidInput("not an object", code="mapping_invalid", path="mapping")
    return "columns" in document


def meaning_of(text: str, catalogue: Catalogue) -> Meaning:
    """A mapping in either language.

    Raises:
        InvalidInput: ``mapping_invalid``, with the path of the fault.
    """
    if is_row_mapping(text):
        return RowMeaning(parse_mapping(text), catalogue)
    return DocumentMeaning(text, catalogue)


def digest_of(text: str) -> str:
    """16 hex digits that change with the meaning of a mapping that was checked before."""
    if is_row_mapping(text):
        return parse_mapping(text).digest()
    return hashlib.sha256(_normal(text).encode()).hexdigest()[:16]


def _normal(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = _json(body)
    except UnicodeDecodeError as error:
        raise BadEvent("invalid_encoding") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadEvent("malformed_json") from error
    if not isinstance(document, dict):
        raise BadEvent("not_an_object")
    return document


class RowMeaning:
    """A row mapping."""

    places = PLACES

    def __init__(self, mapping: Mapping, catalogue: Catalogue) -> None:
        if len(mapping.events) > PLACES:
            raise InvalidInput(
                f"a record yields at most {PLACES} events", code="mapping_invalid", path="events"
            )
        self.digest, self.text = mapping.digest(), mapping.text()
        self._mapping = mapping
        conditions = [e.when.column for e in mapping.events if e.when]
        times = [e.time_column for e in mapping.events if e.time_column]
        self._headers = tuple(dict.fromkeys([*mapping.columns, *mapping.key, *conditions, *times]))
        self._mapper = RowMapper(mapping, self._headers, catalogue, digest="", default_ms=0)
        self.names = frozenset(mapping.columns)

    def apply(
        self, prefix: str, body: bytes, received: Received, limits: Limits, places: int
    ) -> Applied:
        """Events of one row; where no column tells the time, arrival does."""
        cells: dict[str, Any] = {}
        flatten(_document(body), "", cells)
        result = self._mapper.apply(Row(0, [cells.get(header) for header in self._headers]))
        if result.rejected:
            fault = next(fault for fault in result.faults if fault.fatal)
            raise BadEvent(fault.code, fault.column)
        extras = self._extras(cells, result.faults)
        applied = Applied()
        for place, event in enumerate(result.events[:places]):
            event["message_id"] = f"{prefix}.{event['event']}.{place}"
            event["occurred_at"] = event["occurred_at"] or received.received_at
            event["properties"] = {**extras, **event["properties"]}
            applied.own.append((place, msgspec.json.encode(event)))
        return applied

    def _extras(self, cells: Dict[str, Any], faults: Sequence[CellFault]) -> dict[str, Any]:
        """Columns nobody mapped, where they are to be kept, and the names of cells left out."""
        extras: dict[str, Any] = {}
        if self._mapping.keep_unmapped:
            extras = {
                name: value
                for name, value in cells.items()
                if name not in self._mapping.columns and value is not None and value != ""
            }
        if faults:
            extras[FAULTS] = [f"{f.column}/{f.code}" for f in faults[:_MOST_FAULTS]]
        return extras


class DocumentMeaning:
    """A document mapping."""

    def __init__(self, text: str, catalogue: Catalogue) -> None:
        self._mapping = compile_mapping(text)
        self.text = _normal(text)
        self.digest = digest_of(text)
        self.places = PLACES if self._mapping.items is None else LIST_PLACES
        self.names = frozenset(_tops(self._mapping))
        _check_types(self._mapping, catalogue)

    def apply(
        self, prefix: str, body: bytes, received: Received, limits: Limits, places: int
    ) -> Applied:
        """One event for every element; one that cannot be taken leaves its neighbours alone."""
        document = _document(body)
        elements = self._mapping.elements(document)
        if len(elements) > places:
            raise BadEvent("too_many_events", "items")
        applied = Applied()
        for place, element in enumerate(elements):
            raw = body if element is document else element_bytes(element)
            try:
                event = envelope_of(self._mapping, element, document, raw, place, received, limits)
            except BadEvent as bad:
                applied.bad.append(bad.rejected(place, raw))
                continue
            if event.message_id == content_id(raw):
                event.message_id = f"{prefix}.{place}"
            applied.events.append(event)
        return applied


def _tops(mapping: Compiled) -> set[str]:
    """Members at the top of a document that some path begins with."""
    values = [mapping.event, mapping.message_id, mapping.occurred_at, *mapping.properties.values()]
    values += [typed.value for typed in (*mapping.identifiers, *mapping.entities)]
    values += [value for ops in mapping.profile.values() for value in ops.values()]
    paths = [path for value in values if value for path in value.paths]
    if mapping.items:
        rooted = [path[1:] for path in paths if path[0].key == "$"]
        return {step.key for step in _firsts([mapping.items, *rooted])}
    return {step.key for step in _firsts(paths)}


def _firsts(paths: Sequence[tuple[Step, ...]]) -> list[Step]:
    plain = [path[1:] if path and path[0].key == "$" else path for path in paths]
    return [path[0] for path in plain if path]


def _check_types(mapping: Compiled, catalogue: Catalogue) -> None:
    """Refuse types that nobody declared, while there is somebody to mend it."""
    known = {
        "identifiers": (mapping.identifiers, catalogue.identifiers.by_alias),
        "entities": (mapping.entities, catalogue.entity_types),
    }
    for name, (typed, declared) in known.items():
        for place, one in enumerate(typed):
            if one.type not in declared:
                raise InvalidInput(
                    f"no such type {one.type!r}",
                    code="mapping_invalid",
                    path=f"mapping.{name}[{place}].type",
                )
