"""From an envelope to a prepared event: planned, personal values out, identifiers normalised."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from carloop.app.ingest.naming import Fault, Named, Naming
from carloop.app.ingest.personal import suspicious, without_personal
from carloop.app.ingest.relating import RELATE, told_relation
from carloop.app.plan import Plan, Violation, check_time
from carloop.app.tracking.watch import PlanWatch
from carloop.core.events import (
    NAMESPACE_EVENT,
    EntityRef,
    Envelope,
    OpKind,
    ProfileOp,
    Received,
    uuid5_bytes,
)
from carloop.core.evidence import Evidence
from carloop.core.fields import FieldClass
from carloop.core.identifiers import RawIdentifier
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
    faults: tuple[Fault, ...] = ()
    """Identifiers and keys that were left out of it."""


class _Treated(NamedTuple):
    """What became of one event's properties, and what was found in them."""

    properties: bytes
    identifiers: list[RawIdentifier]
    entities: list[EntityRef]
    profile: list[ProfileOp]


class Refused(Exception):
    """The event goes to quarantine."""

    def __init__(self, code: str, path: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.path = path
        self.faults = faults


class Preparer:
    """Prepares envelopes one by one; keeps bounded caches. One per loader; not thread-safe."""

    def __init__(
        self, catalogue: Catalogue, cipher: Cipher, watch: PlanWatch | None = None
    ) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._cipher = cipher
        self._plan = Plan(catalogue.event_types)
        self._declared = {
            name: {p.name: p for p in kind.properties}
            for name, kind in catalogue.event_types.items()
        }
        self._naming = Naming(catalogue)
        self._treated: dict[tuple[int, str, bytes, tuple[str, ...]], _Treated] = {}
        self._prefixes: dict[tuple[int, int], Any] = {}

    @property
    def dropped(self) -> Counter[str]:
        """Identifiers and entity keys left out of events, by reason."""
        return self._naming.dropped

    def forget(self) -> None:
        """Drop the caches; they fill again by themselves."""
        self._treated.clear()
        self._naming.forget()

    def prepare(self, envelope: Envelope, received: Received, seq: int) -> Prepared:
        """One event.

        Raises:
            Refused: it violates the plan, or neither a person nor an entity can be told from it.
        """
        if (late := check_time(envelope, received.received_at)) is not None:
            raise Refused(*late)
        if self._watch is not None:
            self._keep_to_plan(self._watch, envelope, received)
        profile = envelope.profile
        sent = envelope.identifiers
        if profile:
            sent = [*sent, *self._in_profile(profile)]
        named = self._naming.names(sent, envelope.entities)
        treated = self._properties(envelope, received.tenant, named)
        if treated.identifiers or treated.entities:
            named = self._naming.names(
                [*sent, *treated.identifiers], envelope.entities, treated.entities
            )
        self._naming.count(named)
        if not named.identifiers and (why := named.nobody(meant=bool(profile))) is not None:
            raise Refused(why.code, why.path, named.faults)
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
            identifiers=named.identifiers,
            entities=named.entities,
            properties=treated.properties,
            profile=[*profile, *treated.profile] if treated.profile else profile,
            bind=envelope.bind,
            unbind=envelope.unbind,
            kind=self._kind(envelope.event, treated.properties, named),
            envelope=envelope,
            faults=named.faults,
        )

    @staticmethod
    def _keep_to_plan(watch: PlanWatch, envelope: Envelope, received: Received) -> None:
        """Refuse what leaves the tenant's plan, where its source is to be strict."""
        guard = watch.of(received.tenant, received.source)
        if guard is not None:
            violation = guard.check(envelope.event, _decode(envelope.properties), watch.free)
            if violation is not None:
                raise Refused(*violation)

    def _kind(self, event: str, properties: bytes, named: Named) -> EventType | None:
        """What the plan says of the event; of ``$relate``, what it says itself."""
        if event != RELATE:
            return self._catalogue.event_types.get(event)
        person = bool(named.identifiers)
        told = told_relation(properties, self._catalogue, named.entities, person=person)
        if isinstance(told, Violation):
            raise Refused(*told)
        return told

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
        return uuid5_bytes(digest.digest())

    def _properties(self, envelope: Envelope, tenant: int, named: Named) -> _Treated:
        event, raw = envelope.event, envelope.properties
        if len(raw) > _SHORT:
            return self._treat(event, raw, tenant, named)
        entities = named.entities
        place = (tenant, event, raw, tuple([ref.type for ref in entities]) if entities else ())
        known = self._treated.get(place)
        if known is None:
            if len(self._treated) >= _CACHED:
                self._treated.clear()
            known = self._treated[place] = self._treat(event, raw, tenant, named)
        return known

    def _treat(self, event: str, raw: bytes, tenant: int, named: Named) -> _Treated:
        """The properties to store; identifiers, keys and profile values are taken out of them."""
        properties: dict[str, Any] = _decode(raw)
        if (violation := self._plan.check(event, properties, named.entities)) is not None:
            raise self._refused(event, violation, named)
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

    def _refused(self, event: str, violation: Violation, named: Named) -> Refused:
        """The reason; of a required entity that an unusable key names, what is wrong with it."""
        if violation.code == "missing_property":
            planned = self._declared[event][violation.path.removeprefix("properties.")]
            for fault in named.faults:
                if fault.entity and fault.entity == planned.entity:
                    return Refused(fault.code, fault.path, named.faults)
        return Refused(*violation, named.faults)

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

    def _tokens(self, tenant: int, value: Any) -> Any:
        if isinstance(value, list):
            return [self._tokens(tenant, item) for item in value]
        return self._token(tenant, str(value))

    def _token(self, tenant: int, value: str) -> str:
        return "tok_" + self._cipher.blind_index(tenant, "property", value.strip()).hex()
