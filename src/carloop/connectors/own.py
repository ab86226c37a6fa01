"""The own protocol, ``POST /api/events``: a batch of events in carloop's words."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import (
    BadEvent,
    calm,
    check_text,
    decode_event,
    guard_object,
    guard_value,
    split,
)
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.transport import content_id, header_key, parse_time, plain_body
from carloop.core.events import (
    OWN_LIMITS,
    Decoded,
    EntityRef,
    Envelope,
    Limits,
    OpKind,
    ProfileOp,
    Received,
    Rejected,
)
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed

Value = str | int


class _Identifier(msgspec.Struct):
    type: str
    value: Value
    namespace: str = ""


class _Namespaced(msgspec.Struct):
    value: Value
    namespace: str = ""


class _Entity(msgspec.Struct):
    type: str
    key: Value


class _Profile(msgspec.Struct, forbid_unknown_fields=True):
    set: dict[str, Any] = {}
    set_once: dict[str, Any] = {}
    increment: dict[str, Any] = {}
    append: dict[str, Any] = {}
    unset: list[str] = []
    delete: bool = False


class _Event(msgspec.Struct):
    event: str = "$identify"
    message_id: Value | None = None
    occurred_at: str | int | None = None
    identifiers: list[_Identifier] | dict[str, Value | list[Value] | _Namespaced] = []
    entities: list[_Entity] | dict[str, Value | list[Value]] = []
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    profile: _Profile | None = None
    bind: bool = False
    unbind: bool = False


class _Head(msgspec.Struct):
    write_key: str = ""
    historical: bool = False


class _How(NamedTuple):
    """What all events of a batch share."""

    received_at: int
    historical: bool
    calm: bool
    limits: Limits


_EVENT = msgspec.json.Decoder(_Event)
_HEAD = msgspec.json.Decoder(_Head)
LONGEST_NAME = 128
LONGEST_ID = 255


class OwnProtocol:
    """Events named, timed and identified by the sender."""

    name = "own"
    routes = (("POST", "/api/events"),)
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """Basic user name, Bearer, ``X-Write-Key`` or ``?write_key=``."""
        return header_key(request) or request.query.get("write_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo the content encoding."""
        return Unwrapped(plain_body(request, limits))

    def credentials_in(self, body: bytes) -> str:
        """``write_key`` beside ``events``."""
        return _head_of(split(body, "events", self.limits)[0]).write_key

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of the batch; see :meth:`IngestProtocol.decode`."""
        head_fields, raws = split(received.body, "events", limits)
        historical = "historical" in head_fields and _head_of(head_fields).historical
        how = _How(received.received_at, historical, calm(received.body), limits)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                events.append(_envelope(decode_event(_EVENT, raw, limits), raw, index, how))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``."""
        return answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _head_of(fields: dict[str, msgspec.Raw]) -> _Head:
    known = {name: fields[name] for name in ("write_key", "historical") if name in fields}
    try:
        return _HEAD.decode(msgspec.json.encode(known))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("write_key is a text, historical is a boolean") from error


def _envelope(event: _Event, raw: bytes, index: int, how: _How) -> Envelope:
    occurred_at = parse_time(event.occurred_at, "occurred_at", zoned=True)
    identifiers = _identifiers(event.identifiers)
    if not how.calm:
        for identifier in identifiers:
            for text in identifier:
                check_text(text, "identifiers")
    entities = _entities(event.entities) if event.entities else []
    if not identifiers and not entities:
        raise BadEvent("missing_identifier", "identifiers")
    message_id = event.message_id
    if message_id is None or message_id == "":
        message_id = content_id(raw)
    return Envelope(
        index=index,
        message_id=_text(message_id, "message_id", LONGEST_ID),
        event=_text(event.event, "event", LONGEST_NAME),
        occurred_at=how.received_at if occurred_at is None else occurred_at,
        identifiers=identifiers,
        properties=guard_object(bytes(event.properties), how.limits, calm=how.calm),
        entities=entities,
        profile=profile_ops(event.profile, how.limits) if event.profile else [],
        bind=event.bind,
        unbind=event.unbind,
        historical=how.historical,
    )


def _text(value: Value, path: str, longest: int) -> str:
    text = value if type(value) is str else str(value)
    if not text or len(text) > longest:
        raise BadEvent("name_invalid", path)
    if not text.isprintable():
        raise BadEvent("nul" if "\x00" in text else "name_invalid", path)
    return text


def _identifiers(sent: Any) -> list[RawIdentifier]:
    if isinstance(sent, list):
        return [RawIdentifier(i.type, str(i.value), i.namespace) for i in sent]
    found: list[RawIdentifier] = []
    for type_, value in sent.items():
        if type(value) is str:
            found.append(RawIdentifier(type_, value))
            continue
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, _Namespaced):
                found.append(RawIdentifier(type_, str(one.value), one.namespace))
            else:
                found.append(RawIdentifier(type_, str(one)))
    return found


def _entities(sent: Any) -> list[EntityRef]:
    if isinstance(sent, list):
        pairs = [(e.type, e.key) for e in sent]
    else:
        pairs = [
            (type_, key)
            for type_, value in sent.items()
            for key in (value if isinstance(value, list) else (value,))
        ]
    return [EntityRef(_text(t, "entities", 64), _text(k, "entities", LONGEST_ID)) for t, k in pairs]


def profile_ops(profile: _Profile, limits: Limits) -> list[ProfileOp]:
    """Operations in the order delete, unset, set_once, set, increment, append.

    Raises:
        BadEvent: ``invalid_type`` where a value does not fit its operation.
    """
    ops: list[ProfileOp] = [ProfileOp(OpKind.DELETE)] if profile.delete else []
    ops += [ProfileOp(OpKind.UNSET, _field(name, limits)) for name in profile.unset]
    for kind, values in (
        (OpKind.SET_ONCE, profile.set_once),
        (OpKind.SET, profile.set),
        (OpKind.INCREMENT, profile.increment),
        (OpKind.APPEND, profile.append),
    ):
        for name, value in values.items():
            ops.append(profile_op(kind, _field(name, limits), value, limits))
    return ops


def _field(name: str, limits: Limits) -> str:
    if not name or len(name) > limits.key_length:
        raise BadEvent("key_too_long" if name else "name_invalid", "profile")
    return check_text(name, "profile")


def profile_op(kind: OpKind, name: str, value: Any, limits: Limits) -> ProfileOp:
    """One operation with a value that fits it; ``set`` to null is ``unset``.

    Raises:
        BadEvent: ``invalid_type``, and those of ``guard_value``.
    """
    path = f"profile.{kind}.{name}"
    value = guard_value(value, limits, path)
    if kind is OpKind.INCREMENT:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadEvent("invalid_type", path)
        return ProfileOp(kind, name, value)
    if kind is OpKind.APPEND:
        items = value if isinstance(value, list) else [value]
        return ProfileOp(kind, name, _strings(items, path))
    if value is None:
        return ProfileOp(OpKind.UNSET, name)
    if isinstance(value, list):
        return ProfileOp(kind, name, _strings(value, path))
    if not isinstance(value, str | int | float | bool):
        raise BadEvent("invalid_type", path)
    return ProfileOp(kind, name, value)


def _strings(items: list[Any], path: str) -> list[str]:
    if any(isinstance(item, dict | list) or item is None for item in items):
        raise BadEvent("invalid_type", path)
    return [item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in items]
