"""PostHog's capture protocol, as its own clients speak it.

A ``distinct_id`` is a login where the client says that the person is identified, and an anonymous
id where it says otherwise. ``$identify`` and ``$create_alias`` assert that two ids are one person.
"""

from __future__ import annotations

from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import BadEvent, check_text, decode_event, guard_value, split
from carloop.connectors.own import profile_op
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.transport import (
    GZIP_MAGIC,
    LAST_MS,
    content_id,
    header_key,
    inflate,
    parse_time,
    plain_body,
    unbase64,
)
from carloop.connectors.values import Key, Time, event_name, form_fields, id_text
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

PATHS = ("/batch", "/capture", "/e", "/track", "/engage", "/i/v0/e")
EVENT_NAMES = {
    "$pageview": "page_viewed",
    "$screen": "screen_viewed",
    "$identify": "$identify",
    "$set": "$identify",
    "$unset": "$identify",
    "$create_alias": "$alias",
    "$merge_dangerously": "$alias",
    "$groupidentify": "$group",
}
RENAMED = {"$current_url": "url", "$pathname": "path", "$referrer": "referrer"}
"""Properties of a page view that the other protocols call by these names."""
OPERATIONS = {"$set": OpKind.SET, "$set_once": OpKind.SET_ONCE}
LEFT_OUT = {"token", "distinct_id", "$set", "$set_once", "$unset"}


class _Event(msgspec.Struct):
    event: str = ""
    distinct_id: Key | None = None
    uuid: str | None = None
    message_id: Key | None = msgspec.field(default=None, name="messageId")
    timestamp: Time | None = None
    offset: int | float | None = None
    properties: dict[str, Any] | None = None
    set_: dict[str, Any] | None = msgspec.field(default=None, name="$set")
    set_once: dict[str, Any] | None = msgspec.field(default=None, name="$set_once")


class _Head(msgspec.Struct):
    api_key: str | None = None
    token: str | None = None
    sent_at: Time | None = None
    sent_at_camel: Time | None = msgspec.field(default=None, name="sentAt")
    historical_migration: bool | None = None


class _KeyInside(msgspec.Struct):
    token: str | None = None


class _KeyOfEvent(msgspec.Struct):
    api_key: str | None = None
    token: str | None = None
    properties: _KeyInside | None = None


_EVENT = msgspec.json.Decoder(_Event)
_HEAD = msgspec.json.Decoder(_Head)
_KEY = msgspec.json.Decoder(_KeyOfEvent)


class PosthogProtocol:
    """Events of the PostHog clients; the project's API key is the write key."""

    name = "posthog"
    title = {"zh": "PostHog 协议", "en": "PostHog"}
    routes = (
        *(("POST", f"{path}{slash}") for path in PATHS for slash in ("", "/")),
        *(("GET", f"/e{slash}") for slash in ("", "/")),
    )
    tails = ()
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """``Authorization``, ``X-Write-Key`` or ``?api_key=``; the clients put it into the body."""
        return header_key(request) or request.query.get("api_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo gzip, form and base64, however the client combined them."""
        if request.method == "GET":
            return Unwrapped(_packed(request.query.get("data", ""), limits))
        body = plain_body(request, limits)
        if body[:5] == b"data=":
            return Unwrapped(_packed(form_fields(body, limits).get("data", ""), limits))
        return Unwrapped(body)

    def credentials_in(self, body: bytes) -> str:
        """``api_key`` beside the batch or in its first event; browsers: ``properties.token``."""
        fields, raws = split(body, "batch", self.limits)
        head = _head_of(fields)
        if head.api_key or head.token or not raws:
            return head.api_key or head.token or ""
        try:
            first = _KEY.decode(raws[0])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        inside = first.properties.token if first.properties else None
        return first.api_key or first.token or inside or ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of one event or of a batch; see :meth:`IngestProtocol.decode`."""
        fields, raws = split(received.body, "batch", limits)
        head = _head_of(fields)
        sent_at = _sent_at(head.sent_at or head.sent_at_camel)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                event: _Event = decode_event(_EVENT, raw, limits)
                made = _envelope(event, raw, index, limits)
                made.occurred_at = _occurred_at(event, received.received_at, sent_at)
                made.historical = head.historical_migration is True
                events.append(made)
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``; the image to a GET."""
        return answers.gif() if request.method == "GET" else answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _packed(data: str, limits: Limits) -> bytes:
    """The JSON in ``data``: plain, base64, or base64 of gzip."""
    if not data.strip():
        raise Malformed("no data", code="empty_body", path="data")
    if len(data) > limits.wire:
        raise TooLarge(f"more than {limits.wire} bytes")
    if data.lstrip()[:1] in ("{", "["):
        return data.encode("utf-8", "surrogatepass")
    unpacked = unbase64(data)
    return inflate(unpacked, limits.unpacked) if unpacked[:2] == GZIP_MAGIC else unpacked


def _head_of(fields: dict[str, msgspec.Raw]) -> _Head:
    names = ("api_key", "token", "sent_at", "sentAt", "historical_migration")
    known = {name: fields[name] for name in names if name in fields}
    try:
        return _HEAD.decode(msgspec.json.encode(known))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("api_key is a text, sent_at is a time") from error


def _sent_at(value: Time | None) -> int | None:
    try:
        return parse_time(value, "sent_at", zoned=False)
    except BadEvent:
        return None


def _occurred_at(event: _Event, received_at: int, sent_at: int | None) -> int:
    """``received − (sent − timestamp)``, or ``received − offset``."""
    at = parse_time(event.timestamp, "timestamp", zoned=False)
    if at is not None:
        corrected = at if sent_at is None else received_at - (sent_at - at)
    else:
        corrected = received_at - int(event.offset or 0)
    return min(max(corrected, 0), LAST_MS)


def _envelope(event: _Event, raw: bytes, index: int, limits: Limits) -> Envelope:
    properties: dict[str, Any] = guard_value(event.properties or {}, limits, "properties")
    name = EVENT_NAMES.get(event.event) or event_name(event.event)
    identifiers = _identifiers(event, properties)
    if not identifiers:
        raise BadEvent("missing_identifier", "distinct_id")
    return Envelope(
        index=index,
        message_id=id_text(event.uuid or event.message_id, "uuid") or content_id(raw),
        event=name,
        occurred_at=0,
        identifiers=identifiers,
        properties=_kept(name, properties),
        entities=_groups(event, properties),
        profile=_operations(event, properties, limits),
        bind=name == "$alias" or (name == "$identify" and len(identifiers) > 1),
    )


def _identifiers(event: _Event, properties: dict[str, Any]) -> list[RawIdentifier]:
    sent = event.distinct_id if event.distinct_id is not None else _key(properties, "distinct_id")
    found: dict[str, str] = {}
    distinct = id_text(sent, "distinct_id")
    if distinct:
        found[distinct] = "anonymous_id" if _anonymous(distinct, properties) else "login_id"
    for name, type_ in (
        ("$user_id", "login_id"),
        ("$anon_distinct_id", "anonymous_id"),
        ("$device_id", "anonymous_id"),
        ("alias", "login_id"),
    ):
        if name == "alias" and event.event not in ("$create_alias", "$merge_dangerously"):
            continue
        value = id_text(_key(properties, name), f"properties.{name}")
        if value:
            found.setdefault(value, type_)
    return [RawIdentifier(type_, value) for value, type_ in found.items()]


def _key(properties: dict[str, Any], name: str) -> Key | None:
    value = properties.get(name)
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _anonymous(distinct: str, properties: dict[str, Any]) -> bool:
    if properties.get("$user_id") not in (None, "", distinct):
        return True
    return (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or str(properties.get("$device_id")) == distinct
    )


def _kept(name: str, properties: dict[str, Any]) -> bytes:
    kept = {key: value for key, value in properties.items() if key not in LEFT_OUT}
    if name in ("page_viewed", "screen_viewed"):
        for old, new in RENAMED.items():
            if kept.get(old) not in (None, ""):
                kept.setdefault(new, kept[old])
    return msgspec.json.encode(kept)


def _groups(event: _Event, properties: dict[str, Any]) -> list[EntityRef]:
    """Groups are entities: ``$groups`` of any event, ``$group_type`` of ``$groupidentify``."""
    pairs: list[tuple[str, Any]] = []
    groups = properties.get("$groups")
    if isinstance(groups, dict):
        pairs += groups.items()
    if event.event == "$groupidentify":
        pairs.append((str(properties.get("$group_type", "")), properties.get("$group_key")))
    return [
        EntityRef(type_[:64], id_text(key, "properties.$groups"))
        for type_, key in pairs
        if type_ and isinstance(key, str | int) and not isinstance(key, bool) and key != ""
    ]


def _operations(event: _Event, properties: dict[str, Any], limits: Limits) -> list[ProfileOp]:
    ops: list[ProfileOp] = []
    unset = properties.get("$unset")
    if isinstance(unset, list):
        ops += [ProfileOp(OpKind.UNSET, name) for name in unset if isinstance(name, str) and name]
    for key, kind in OPERATIONS.items():
        beside = event.set_ if kind is OpKind.SET else event.set_once
        inside = properties.get(key)
        values = {**(inside if isinstance(inside, dict) else {}), **(beside or {})}
        for name, value in values.items():
            if name and not isinstance(value, dict):
                ops.append(profile_op(kind, check_text(name, key), _flat(value), limits))
    return ops


def _flat(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [v if isinstance(v, str) else msgspec.json.encode(v).decode() for v in value]
