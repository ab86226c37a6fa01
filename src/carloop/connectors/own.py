"""The own protocol, ``POST /api/events``: a batch of events in carloop's words."""

from __future__ import annotations

from collections.abc import Mapping
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
from carloop.connectors.transport import (
    LAST_MS,
    content_id,
    header_key,
    parse_time,
    plain_body,
    unbase64,
)
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
from carloop.kit.errors import CarloopError, Malformed, TooLarge

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


class OwnEvent(msgspec.Struct):
    """One event in the words of the own protocol."""

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
    sent_at: Any = None


class _How(NamedTuple):
    """What all events of a batch share."""

    received_at: int
    skew: int
    historical: bool
    calm: bool
    limits: Limits
    salt: bytes = b""


class Parts(NamedTuple):
    """Whom and what an event is about, and what it says."""

    identifiers: list[RawIdentifier]
    entities: list[EntityRef]
    properties: bytes
    profile: list[ProfileOp]


_EVENT = msgspec.json.Decoder(OwnEvent)
_HEAD = msgspec.json.Decoder(_Head)
_SAYS = frozenset({"historical", "sent_at"})
"""What stands beside ``events`` and bears on them."""
LONGEST_NAME = 128
LONGEST_ID = 255
CLOCK_TOLERANCE_MS = 60_000
"""A sender whose clock is off by more has its times corrected; less may be the way here."""
PIXEL = "pixel"
"""Hint of an image request: without a message id every request is an event of its own."""


class OwnProtocol:
    """Events named, timed and identified by the sender."""

    name = "own"
    title = {"zh": "carloop 自有协议", "en": "carloop's own"}
    routes = (("POST", "/api/events"), ("POST", "/beacon"), ("GET", "/pixel.gif"))
    tails = ()
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """Basic user name, Bearer, ``X-Write-Key`` or ``?write_key=``."""
        return header_key(request) or request.query.get("write_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo the content encoding; a pixel's query becomes one event."""
        if request.method == "GET":
            return Unwrapped(pixel_event(request.query, limits), PIXEL)
        return Unwrapped(plain_body(request, limits))

    def credentials_in(self, body: bytes) -> str:
        """``write_key`` beside ``events``."""
        return _head_of(split(body, "events", self.limits)[0]).write_key

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of the batch; see :meth:`IngestProtocol.decode`."""
        head_fields, raws = split(received.body, "events", limits)
        head = _head_of(head_fields) if _SAYS & head_fields.keys() else _Head()
        skew = _skew(head.sent_at, received.received_at)
        salt = str(received.received_at).encode() if received.hint == PIXEL else b""
        how = _How(received.received_at, skew, head.historical, calm(received.body), limits, salt)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                events.append(_envelope(decode_event(_EVENT, raw, limits), raw, index, how))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``; the image to a pixel."""
        return answers.gif() if request.method == "GET" else answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _head_of(fields: dict[str, msgspec.Raw]) -> _Head:
    known = {name: fields[name] for name in _Head.__struct_fields__ if name in fields}
    try:
        return _HEAD.decode(msgspec.json.encode(known))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("write_key is a text, historical is a boolean") from error


def _skew(sent_at: Any, received_at: int) -> int:
    """How far the sender's clock is behind, in milliseconds; 0 within tolerance, or unreadable."""
    if type(sent_at) not in (str, int):
        return 0
    try:
        sent = parse_time(sent_at, "sent_at", zoned=True)
    except BadEvent:
        return 0
    skew = 0 if sent is None else received_at - sent
    return skew if abs(skew) > CLOCK_TOLERANCE_MS else 0


def _envelope(event: OwnEvent, raw: bytes, index: int, how: _How) -> Envelope:
    occurred_at = parse_time(event.occurred_at, "occurred_at", zoned=True)
    if occurred_at is not None and how.skew:
        occurred_at = min(max(occurred_at + how.skew, 0), LAST_MS)
    parts = envelope_parts(event, how.limits, calm=how.calm)
    if not parts.identifiers and not parts.entities and parts.properties == b"{}":
        raise BadEvent("missing_identifier", "identifiers")
    message_id = event.message_id
    if message_id is None or message_id == "":
        message_id = content_id(raw, how.salt) if how.salt else content_id(raw)
    return Envelope(
        index=index,
        message_id=_text(message_id, "message_id", LONGEST_ID),
        event=_text(event.event, "event", LONGEST_NAME),
        occurred_at=how.received_at if occurred_at is None else occurred_at,
        identifiers=parts.identifiers,
        properties=parts.properties,
        entities=parts.entities,
        profile=parts.profile,
        bind=event.bind,
        unbind=event.unbind,
        historical=how.historical,
    )


def envelope_parts(event: OwnEvent, limits: Limits, *, calm: bool = False) -> Parts:
    """Whom and what an event names, checked.

    Raises:
        BadEvent: a name, a key or a value cannot be taken.
    """
    identifiers = _identifiers(event.identifiers)
    if not calm:
        for identifier in identifiers:
            for text in identifier:
                check_text(text, "identifiers")
    return Parts(
        identifiers,
        _entities(event.entities) if event.entities else [],
        guard_object(bytes(event.properties), limits, calm=calm),
        profile_ops(event.profile, limits) if event.profile else [],
    )


def pixel_event(query: Mapping[str, str], limits: Limits) -> bytes:
    """The event that an image's address tells, as JSON.

    ``data`` holds a whole event as base64 of JSON; otherwise ``event``, ``message_id``,
    ``occurred_at``, ``id.<type>``, ``entity.<type>`` and properties as ``p.<name>``.

    Raises:
        TooLarge: ``data`` is longer than a request may be.
        Malformed: ``empty_body``, ``base64_broken``.
    """
    data = query.get("data", "")
    if len(data) > limits.wire:
        raise TooLarge(f"more than {limits.wire} bytes")
    if data:
        return unbase64(data)
    event: dict[str, Any] = {
        name: query[name] for name in ("event", "message_id", "occurred_at") if query.get(name)
    }
    for name, field in (("id.", "identifiers"), ("entity.", "entities"), ("p.", "properties")):
        found = {k[len(name) :]: v for k, v in query.items() if k.startswith(name) and v}
        if found:
            event[field] = found
    if not event:
        raise Malformed("the query tells no event", code="empty_body", path="event")
    return msgspec.json.encode(event)


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
