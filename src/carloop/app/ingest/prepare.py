"""From an envelope to a prepared event: planned, personal values out, identifiers normalised."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from carloop.app.ingest.personal import suspicious, without_personal
from carloop.app.plan import Plan, check_time
from carloop.core.events import (
    NAMESPACE_EVENT,
    EntityRef,
    Envelope,
    OpKind,
    ProfileOp,
    Received,
)
from carloop.core.evidence import Evidence
from carloop.core.fields import FieldClass
from carloop.core.identifiers import Identifier, InvalidIdentifier, RawIdentifier
from carloop.core.pack import EventType, Property
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_EMPTY: Mapping[str, Any] = {}
_CACHED = 200_000
_SHORT = 300
"""Properties up to this many bytes are remembered: most repeat."""
_KEY = (str, int)
_FIELD_VALUE = (str, int, float, list)
_IDENTIFYING_OPS = (OpKind.SET, OpKind.SET_ONCE)


class Prepared(Evidence, frozen=True, kw_only=True):
    """One event ready for identity; without identifiers it is about entities alone."""

    seq: int
    tenant: int
    event_id: bytes
    event: str
    received_at: int
    historical: bool
    entities: tuple[EntityRef, ...]
    properties: bytes
    profile: list[ProfileOp]
    kind: EventType | None
    envelope: Envelope


class _Treated(NamedTuple):
    """What became of one event's properties, and what was found in them."""

    properties: bytes
    identifiers: list[RawIdentifier]
    entities: list[EntityRef]
    profile: list[ProfileOp]


class _People(NamedTuple):
    """What the identifiers sent with an event come to."""

    identifiers: tuple[Identifier, ...]
    entities: list[EntityRef]
    dropped: list[str]


class Refused(Exception):
    """The event goes to quarantine."""

    def __init__(self, code: str, path: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.path = path


class Preparer:
    """Prepares envelopes one by one; keeps bounded caches. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher
        self._plan = Plan(catalogue.event_types)
        self._declared = {
            name: {p.name: p for p in kind.properties}
            for name, kind in catalogue.event_types.items()
        }
        self._persons: dict[tuple[RawIdentifier, ...], _People] = {}
        self._treated: dict[tuple[int, str, bytes], _Treated] = {}
        self._entities: dict[EntityRef, EntityRef | str] = {}
        self._prefixes: dict[tuple[int, int], Any] = {}
        self.dropped: Counter[str] = Counter()
        """Identifiers and entity keys left out of events, by reason."""

    def prepare(self, envelope: Envelope, received: Received, seq: int) -> Prepared:
        """One event.

        Raises:
            Refused: it violates the plan, or nobody can be told from it.
        """
        if (late := check_time(envelope, received.received_at)) is not None:
            raise Refused(*late)
        profile = envelope.profile
        sent = (
            [*envelope.identifiers, *self._in_profile(profile)]
            if profile
            else (envelope.identifiers)
        )
        treated = self._properties(envelope, received.tenant)
        if treated.identifiers:
            sent = [*sent, *treated.identifiers]
        people = self._people(tuple(sent))
        entities = [*envelope.entities, *treated.entities, *people.entities]
        if not people.identifiers and (sent or not entities):
            raise Refused("missing_identifier", "identifiers")
        return Prepared(
            seq=seq,
            tenant=received.tenant,
            source=received.source,
            event_id=self.event_id(received.tenant, received.source, envelope.message_id),
            event=envelope.event,
            message_id=self._message_id(received.tenant, envelope.message_id),
            occurred_at=envelope.occurred_at,
            received_at=received.received_at,
            historical=envelope.historical,
            identifiers=people.identifiers,
            entities=self._valid_entities(entities) if entities else (),
            properties=treated.properties,
            profile=[*profile, *treated.profile] if treated.profile else profile,
            bind=envelope.bind,
            unbind=envelope.unbind,
            kind=self._catalogue.event_types.get(envelope.event),
            envelope=envelope,
        )

    def _message_id(self, tenant: int, text: str) -> str:
        """The id as it may be stored: senders make ids of phone numbers."""
        if not suspicious(text.encode()):
            return text
        return str(without_personal(text, lambda part: self._token(tenant, part)))

    def event_id(self, tenant: int, source: int, message_id: str) -> bytes:
        """The bytes of ``core.events.event_id``, without its objects."""
        prefix = self._prefixes.get((tenant, source))
        if prefix is None:
            prefix = self._prefixes[tenant, source] = hashlib.sha1(
                NAMESPACE_EVENT.bytes + f"{tenant}/{source}/".encode(), usedforsecurity=False
            )
        digest = prefix.copy()
        digest.update(message_id.encode())
        raw = digest.digest()
        return b"%b%c%b%c%b" % (
            raw[:6],
            (raw[6] & 0x0F) | 0x50,
            raw[7:8],
            (raw[8] & 0x3F) | 0x80,
            raw[9:16],
        )

    def _properties(self, envelope: Envelope, tenant: int) -> _Treated:
        event, raw, named = envelope.event, envelope.properties, envelope.entities
        if named or len(raw) > _SHORT:
            return self._treat(event, raw, tenant, named)
        place = (tenant, event, raw)
        known = self._treated.get(place)
        if known is None:
            if len(self._treated) >= _CACHED:
                self._treated.clear()
            known = self._treated[place] = self._treat(event, raw, tenant, ())
        return known

    def _treat(self, event: str, raw: bytes, tenant: int, named: Sequence[EntityRef]) -> _Treated:
        """The properties to store; identifiers, keys and profile values are taken out of them."""
        properties: dict[str, Any] = _decode(raw)
        if (violation := self._plan.check(event, properties, named)) is not None:
            raise Refused(*violation)
        sent: list[RawIdentifier] = []
        entities: list[EntityRef] = []
        profile: list[ProfileOp] = []
        declared = self._declared.get(event, _EMPTY)
        by_identifier = self._catalogue.property_identifiers
        by_entity = self._catalogue.property_entities
        changed = False
        for name, value in properties.items():
            if value is None or value == "":
                continue
            planned = declared.get(name)
            if planned is not None:
                secret = self._planned(planned, value, sent, entities, profile)
            elif name in by_identifier:
                secret = self._by_identifier(by_identifier[name], value, sent)
            elif name in by_entity:
                secret = self._by_entity(by_entity[name], value, entities)
            else:
                continue
            if secret:
                properties[name] = self._tokens(tenant, value)
                changed = True
        if changed or suspicious(raw):
            clean = without_personal(properties, lambda text: self._token(tenant, text))
            raw = _encode(clean)
        return _Treated(raw, sent, entities, profile)

    def _planned(
        self,
        planned: Property,
        value: Any,
        sent: list[RawIdentifier],
        entities: list[EntityRef],
        profile: list[ProfileOp],
    ) -> bool:
        """Feed a declared property to where it belongs; True where its value is to be hidden."""
        if planned.entity is not None:
            hidden = self._by_entity(planned.entity, value, entities)
        elif planned.identifier is not None:
            hidden = self._by_identifier(planned.identifier, value, sent)
        else:
            hidden = False
        if planned.field is not None and isinstance(value, _FIELD_VALUE):
            profile.append(ProfileOp(OpKind.SET, planned.field, value))
            field = self._catalogue.fields.get(planned.field)
            hidden = hidden or (field is not None and field.cls is FieldClass.IDENTIFYING)
        return hidden or planned.cls is FieldClass.IDENTIFYING

    def _by_identifier(self, type_: str, value: Any, sent: list[RawIdentifier]) -> bool:
        if not isinstance(value, _KEY) or isinstance(value, bool):
            return False
        sent.append(RawIdentifier(type_, str(value)))
        kind = self._catalogue.identifiers.get(type_)
        return kind.identifying

    def _by_entity(self, type_: str, value: Any, entities: list[EntityRef]) -> bool:
        for key in value if isinstance(value, list) else (value,):
            if isinstance(key, _KEY) and not isinstance(key, bool):
                entities.append(EntityRef(type_, str(key)))
        kind = self._catalogue.entity_types.get(type_)
        return kind is not None and kind.identifying

    def _in_profile(self, profile: Sequence[ProfileOp]) -> list[RawIdentifier]:
        """Profile fields that hold identifiers."""
        found: list[RawIdentifier] = []
        for op in profile:
            if op.op not in _IDENTIFYING_OPS:
                continue
            name = self._catalogue.field_aliases.get(op.field)
            field = self._catalogue.fields[name] if name is not None else None
            if field is not None and field.identifier is not None and isinstance(op.value, _KEY):
                found.append(RawIdentifier(field.identifier, str(op.value)))
        return found

    def _people(self, sent: tuple[RawIdentifier, ...]) -> _People:
        """The valid identifiers of the person, and entities that identifiers name."""
        known = self._persons.get(sent)
        if known is None:
            if len(self._persons) >= _CACHED:
                self._persons.clear()
            known = self._persons[sent] = self._sort_out(sent)
        for reason in known.dropped:
            self.dropped[reason] += 1
        return known

    def _sort_out(self, sent: Sequence[RawIdentifier]) -> _People:
        found: dict[Identifier, None] = {}
        entities: list[EntityRef] = []
        dropped: list[str] = []
        for raw in sent:
            known = self._normalise(raw)
            if isinstance(known, Identifier):
                found[known] = None
            elif isinstance(known, EntityRef):
                entities.append(known)
            else:
                dropped.append(known)
        return _People(tuple(found), entities, dropped)

    def _normalise(self, raw: RawIdentifier) -> Identifier | EntityRef | str:
        try:
            kind = self._catalogue.identifiers.get(raw.type)
            if kind.entity != "person":
                return EntityRef(kind.entity, raw.value)
            return self._catalogue.identifiers.normalise(raw)
        except InvalidIdentifier as error:
            return error.code

    def _valid_entities(self, refs: list[EntityRef]) -> tuple[EntityRef, ...]:
        found: list[EntityRef] = []
        cache = self._entities
        for ref in refs:
            known = cache.get(ref)
            if known is None:
                if len(cache) >= _CACHED:
                    cache.clear()
                known = cache[ref] = self._check_entity(ref)
            if isinstance(known, str):
                self.dropped[known] += 1
            elif known not in found:
                found.append(known)
        return tuple(found)

    def _check_entity(self, ref: EntityRef) -> EntityRef | str:
        kind = self._catalogue.entity_types.get(ref.type)
        key = ref.key.strip()
        if kind is None:
            return "unknown_entity_type"
        if not key or len(key) > 255:
            return "entity_key_invalid"
        if kind.key is not None and kind.key in self._catalogue.identifiers.types:
            try:
                key = self._catalogue.identifiers.normalise(RawIdentifier(kind.key, key)).value
            except InvalidIdentifier as error:
                return f"entity_{error.code}"
        return EntityRef(ref.type, key)

    def _tokens(self, tenant: int, value: Any) -> Any:
        if isinstance(value, list):
            return [self._tokens(tenant, item) for item in value]
        return self._token(tenant, str(value))

    def _token(self, tenant: int, value: str) -> str:
        return "tok_" + self._cipher.blind_index(tenant, "property", value.strip()).hex()
