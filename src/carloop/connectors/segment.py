"""The Segment HTTP Tracking API, as Segment's and RudderStack's own clients speak it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import (
    BadEvent,
    check_text,
    decode_event,
    guard_object,
    guard_value,
    split,
)
from carloop.connectors.own import profile_op
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
    SEGMENT_LIMITS,
    Decoded,
    Envelope,
    Limits,
    OpKind,
    ProfileOp,
    Received,
    Rejected,
)
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed, TooLarge

CALLS = ("identify", "track", "page", "screen", "group", "alias")
EVENT_NAMES = {
    "identify": "$identify",
    "page": "page_viewed",
    "screen": "screen_viewed",
    "group": "$group",
    "alias": "$alias",
}
NAMING_CALLS = ("track", "page", "screen")
"""Calls whose properties may name what they are about (a ``vin``) where nobody is."""
CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}
PAGE = ("url", "path", "title", "referrer", "search")
LONGEST_ID = 255
PIXEL_DEPTH = 8
Key = str | int
Time = str | int | float


class _Context(msgspec.Struct):
    traits: dict[str, Any] | None = None
    page: dict[str, Any] | None = None
    campaign: dict[str, Any] | None = None


class _Message(msgspec.Struct, rename="camel"):
    type: str = ""
    message_id: Key | None = None
    user_id: Key | None = None
    anonymous_id: Key | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: Time | None = None
    original_timestamp: Time | None = None
    sent_at: Time | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    traits: dict[str, Any] | None = None
    context: _Context | None = None
    group_id: Key | None = None
    previous_id: Key | None = None


class _Head(msgspec.Struct, rename="camel"):
    write_key: str | None = None
    sent_at: Time | None = None


_MESSAGE = msgspec.json.Decoder(_Message)
_HEAD = msgspec.json.Decoder(_Head)
_CONTEXT = msgspec.json.Decoder(_Context | None)


class SegmentProtocol:
    """``/v1/*``, the pixel and the beacon; ``/api/s/*`` as Jitsu's clients call it."""

    name = "segment"
    routes = (
        *(("POST", f"/v1/{call}") for call in (*CALLS, "batch", "import")),
        *(("GET", f"/pixel/v1/{call}") for call in CALLS),
        ("POST", "/beacon/v1/batch"),
        *(("POST", f"/api/s/{call}") for call in (*CALLS, "event", "batch")),
        *(("POST", f"/api/s/s2s/{call}") for call in (*CALLS, "event", "batch")),
    )
    title = {"zh": "Segment / RudderStack / Jitsu 协议", "en": "Segment, RudderStack, Jitsu"}
    tails = ()
    limits = SEGMENT_LIMITS

    def credentials(self, request: Request) -> str:
        """Basic user name, Bearer, ``X-Write-Key`` or ``?writeKey=``."""
        return header_key(request) or request.query.get("writeKey", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo gzip, or the base64 of a pixel; the hint is the call."""
        call = request.path.rstrip("/").rpartition("/")[2]
        if request.method != "GET":
            return Unwrapped(plain_body(request, limits), call)
        data = request.query.get("data", "")
        if len(data) > limits.wire:
            raise TooLarge(f"more than {limits.wire} bytes")
        if data:
            return Unwrapped(unbase64(data), call)
        return Unwrapped(_pixel(request.query), call)

    def credentials_in(self, body: bytes) -> str:
        """``writeKey`` of the body."""
        return _head_of(split(body, "batch", self.limits)[0]).write_key or ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of one call or of a batch; see :meth:`IngestProtocol.decode`."""
        head_fields, raws = split(received.body, "batch", limits)
        sent_at = _sent_at(_head_of(head_fields).sent_at)
        shared = None if raws == [received.body] else _shared_context(head_fields)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                message: _Message = decode_event(_MESSAGE, raw, limits)
                if message.context is None:
                    message.context = shared
                call = received.hint if received.hint in CALLS else message.type.lower()
                if call not in CALLS:
                    raise BadEvent("unknown_type", "type")
                events.append(
                    _envelope(message, call, raw, index, received.received_at, sent_at, limits)
                )
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``; the image to a pixel."""
        return answers.gif() if request.method == "GET" else answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details with the ``code`` and ``message`` that the clients print."""
        return answers.problem(error)


def _pixel(query: Mapping[str, str]) -> bytes:
    """A call told by a query, as RudderStack's pixel does: dotted names nest.

    >>> _pixel({"event": "e", "properties.a": "1", "writeKey": "k"})
    b'{"event":"e","properties":{"a":"1"}}'
    """
    call: dict[str, Any] = {}
    for name, value in query.items():
        *outer, last = name.split(".")[:PIXEL_DEPTH]
        place = call
        for step in outer:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise Malformed("a name is a value and an object", code="form_broken", path="query")
            place = inner
        if name not in ("writeKey", "data") and value:
            place[last] = value
    if not call:
        raise Malformed("the query has no data", code="empty_body", path="data")
    return msgspec.json.encode(call)


def _head_of(fields: dict[str, msgspec.Raw]) -> _Head:
    known = {name: fields[name] for name in ("writeKey", "sentAt") if name in fields}
    if not known:
        return _Head()
    try:
        return _HEAD.decode(msgspec.json.encode(known))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("writeKey is a text, sentAt is a time") from error


def _shared_context(fields: dict[str, msgspec.Raw]) -> _Context | None:
    """The context beside the batch, which holds for messages that have none of their own."""
    if "context" not in fields:
        return None
    try:
        shared: _Context | None = _CONTEXT.decode(bytes(fields["context"]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("context is not an object", code="invalid_type", path="context") from error
    return shared


def _sent_at(value: Time | None) -> int | None:
    try:
        return parse_time(value, "sentAt", zoned=False)
    except BadEvent:
        return None


def _occurred_at(message: _Message, received_at: int, batch_sent_at: int | None) -> int:
    """``received − (sent − original)``: right even where the sender's clock is wrong."""
    original = parse_time(message.original_timestamp or message.timestamp, "timestamp", zoned=False)
    if original is None:
        return received_at
    sent = _sent_at(message.sent_at)
    if sent is None:
        sent = batch_sent_at
    if sent is None:
        return original
    return min(max(received_at - (sent - original), 0), LAST_MS)


def _envelope(
    message: _Message,
    call: str,
    raw: bytes,
    index: int,
    received_at: int,
    batch_sent_at: int | None,
    limits: Limits,
) -> Envelope:
    identifiers = []
    for type_, path, value in (
        ("login_id", "userId", message.user_id),
        ("anonymous_id", "anonymousId", message.anonymous_id),
    ):
        text = _text(value, path)
        if text:
            identifiers.append(RawIdentifier(type_, text))
    properties = _properties(message, call, limits)
    if not identifiers and (call not in NAMING_CALLS or properties == b"{}"):
        raise BadEvent("missing_identifier", "userId")
    name = EVENT_NAMES.get(call) or _text(message.event, "event")
    if not name:
        raise BadEvent("name_invalid", "event")
    return Envelope(
        index=index,
        message_id=_text(message.message_id, "messageId") or content_id(raw),
        event=name,
        occurred_at=_occurred_at(message, received_at, batch_sent_at),
        identifiers=identifiers,
        properties=properties,
        profile=_traits(message, limits) if call == "identify" else [],
    )


def _text(value: Key | None, path: str) -> str:
    text = "" if value is None else str(value).strip()
    if len(text) > LONGEST_ID:
        raise BadEvent("name_invalid", path)
    return check_text(text, path)


def _properties(message: _Message, call: str, limits: Limits) -> bytes:
    if call == "group":
        group = _text(message.group_id, "groupId")
        if not group:
            raise BadEvent("missing_identifier", "groupId")
        traits = guard_value(message.traits or {}, limits, "traits")
        return msgspec.json.encode({**traits, "group_id": group})
    if call == "alias":
        return msgspec.json.encode({"previous_id": _text(message.previous_id, "previousId")})
    if call == "identify":
        return b"{}"
    sent = guard_object(bytes(message.properties), limits)
    extra = {**_circumstances(message.context), **_labels(message, call)}
    if not extra:
        return sent
    extra = guard_value(extra, limits, "context")
    return msgspec.json.encode({**extra, **msgspec.json.decode(sent)})


def _circumstances(context: _Context | None) -> dict[str, Any]:
    """Page and campaign of a browser's context, under the names of properties."""
    if context is None:
        return {}
    found = {key: context.page[key] for key in PAGE if key in context.page} if context.page else {}
    for key, name in CAMPAIGN.items():
        if context.campaign and key in context.campaign:
            found[name] = context.campaign[key]
    return {key: value for key, value in found.items() if value not in (None, "")}


def _labels(message: _Message, call: str) -> dict[str, Any]:
    if call not in ("page", "screen"):
        return {}
    labels = {"name": message.name, "category": message.category}
    return {key: value for key, value in labels.items() if value}


def _traits(message: _Message, limits: Limits) -> list[ProfileOp]:
    traits: dict[str, Any] = {}
    if message.context and message.context.traits:
        traits.update(message.context.traits)
    traits.update(message.traits or {})
    flat = _flat(guard_value(traits, limits, "traits"))
    return [profile_op(OpKind.SET, name, value, limits) for name, value in flat.items() if name]


def _flat(traits: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested traits by dotted name; lists as texts.

    >>> _flat({"a": 1, "address": {"city": "上海"}, "tags": [1, "x"]})
    {'a': 1, 'address.city': '上海', 'tags': ['1', 'x']}
    """
    flat: dict[str, Any] = {}
    for name, value in traits.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        elif isinstance(value, list):
            flat[prefix + name] = [
                item if isinstance(item, str) else msgspec.json.encode(item).decode()
                for item in value
            ]
        else:
            flat[prefix + name] = value
    return flat
