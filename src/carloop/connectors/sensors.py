"""The Sensors Analytics protocol: ``/sa`` for servers, ``/sa.gif`` for browsers, ``/debug``."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import (
    BadEvent,
    check_text,
    decode_event,
    guard_value,
    split,
)
from carloop.connectors.own import profile_op
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.sensors_form import unwrap_form
from carloop.connectors.transport import LAST_MS, content_id, header_key
from carloop.core.events import (
    SENSORS_LIMITS,
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
from carloop.kit.errors import CarloopError

RESERVED = (
    "distinct_id|original_id|time|properties|id|first_id|second_id|users|events|event|event_id"
    "|device_id|user_id|date|datetime"
)
NAME = re.compile(
    rf"(?!(?:{RESERVED})\Z|user_group|user_tag)[a-z_$][a-z0-9_$]{{0,99}}\Z", re.IGNORECASE
)
SHORT_MILLISECONDS = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{1,2})\Z")
LONGEST_TEXT = 8191
LONGEST_ID = 255
SKEW_MS = 60_000
"""A sender's clock is corrected by ``_flush_time`` where it is off by more than this."""
TRACKS = {"track", "track_signup", "track_id_bind", "track_id_unbind"}
PROFILE = {
    "profile_set": OpKind.SET,
    "profile_set_once": OpKind.SET_ONCE,
    "profile_increment": OpKind.INCREMENT,
    "profile_append": OpKind.APPEND,
    "profile_unset": OpKind.UNSET,
    "profile_delete": OpKind.DELETE,
}
ITEMS = {"item_set": "$item_set", "item_delete": "$item_delete"}
Key = str | int


class _Record(msgspec.Struct):
    type: str
    event: str | None = None
    distinct_id: Key | None = None
    original_id: Key | None = None
    login_id: Key | None = None
    anonymous_id: Key | None = None
    identities: dict[str, Key | list[Key]] | None = None
    time: int | float | str | None = None
    properties: dict[str, Any] | None = None
    item_type: str | None = None
    item_id: Key | None = None
    track_id: Key | None = msgspec.field(default=None, name="_track_id")
    flush_time: int | float | None = msgspec.field(default=None, name="_flush_time")


class _Head(msgspec.Struct):
    token: str = ""


_RECORD = msgspec.json.Decoder(_Record)
_HEAD = msgspec.json.Decoder(_Head)


class SensorsProtocol:
    """Records of the Sensors clients; they look for status 200 alone."""

    name = "sensors"
    routes = (
        *((method, path) for path in ("/sa", "/sa.gif", "/debug") for method in ("POST", "GET")),
    )
    title = {"zh": "神策协议", "en": "Sensors Analytics"}
    tails = ("/sa", "/sa.gif", "/debug")
    limits = SENSORS_LIMITS

    def credentials(self, request: Request) -> str:
        """``?token=``, or a header."""
        return request.query.get("token", "") or header_key(request)

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo form, base64 and gzip; ``Dry-Run: true`` on ``/debug`` asks for a check only."""
        dry = request.headers.get("dry-run", "").strip().lower() == "true"
        body = unwrap_form(request, limits)
        return Unwrapped(body, check_only=dry and request.path == "/debug")

    def credentials_in(self, body: bytes) -> str:
        """``token`` of the first record."""
        _, raws = split(body, None, self.limits)
        try:
            return _HEAD.decode(raws[0]).token if raws else ""
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of one record or a list; see :meth:`IngestProtocol.decode`."""
        _, raws = split(received.body, None, limits)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                record: _Record = decode_event(_RECORD, raw, limits)
                events.append(_envelope(record, raw, index, received.received_at, limits))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """The image to a browser; on ``/debug`` 400 where a record is wrong; else 200."""
        if request.path == "/debug":
            return answers.summary(decoded, 400 if decoded.rejected else 200)
        return answers.gif() if request.path == "/sa.gif" else answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _envelope(
    record: _Record, raw: bytes, index: int, received_at: int, limits: Limits
) -> Envelope:
    properties = _values(guard_value(record.properties or {}, limits, "properties"))
    occurred_at, sent_time = _times(record, received_at)
    distinct_id = _id(record.distinct_id, "distinct_id")
    if record.track_id is None:
        message_id = content_id(raw)
    else:
        message_id = content_id(
            str(record.track_id).encode(), str(sent_time).encode(), distinct_id.encode()
        )
    envelope = Envelope(
        index=index,
        message_id=message_id,
        event="$identify",
        occurred_at=occurred_at,
        identifiers=[],
        bind=record.type in ("track_signup", "track_id_bind"),
        unbind=record.type == "track_id_unbind",
    )
    if record.type in ITEMS:
        envelope.event = ITEMS[record.type]
        envelope.entities = [_item(record)]
        envelope.properties = msgspec.json.encode(properties)
        return envelope
    envelope.identifiers = _identifiers(record, distinct_id, properties)
    if record.type in TRACKS:
        envelope.event = _name(record.event or "", "event")
        envelope.properties = msgspec.json.encode(properties)
    elif record.type in PROFILE:
        envelope.profile = _profile(PROFILE[record.type], properties, limits)
    else:
        raise BadEvent("unknown_type", "type")
    return envelope


def _times(record: _Record, received_at: int) -> tuple[int, int]:
    """Corrected and sent time of occurrence; ten digits are seconds."""
    try:
        sent = received_at if record.time is None else int(record.time)
    except (ValueError, OverflowError) as error:
        raise BadEvent("invalid_timestamp", "time") from error
    if 10**9 <= sent < 10**10:
        sent *= 1000
    if not 0 < sent <= LAST_MS:
        raise BadEvent("invalid_timestamp", "time")
    occurred = sent
    if record.flush_time is not None and abs(received_at - record.flush_time) > SKEW_MS:
        occurred += received_at - int(record.flush_time)
    return min(max(occurred, 0), LAST_MS), sent


def _id(value: Key | None, path: str) -> str:
    text = "" if value is None else str(value)
    if len(text) > LONGEST_ID:
        raise BadEvent("name_invalid", path)
    return check_text(text, path)


def _name(name: str, path: str) -> str:
    if not NAME.match(name):
        raise BadEvent("name_invalid", path)
    return name


def _item(record: _Record) -> EntityRef:
    key = _id(record.item_id, "item_id")
    if not key:
        raise BadEvent("missing_identifier", "item_id")
    return EntityRef(_name(record.item_type or "", "item_type"), key)


def _identifiers(
    record: _Record, distinct_id: str, properties: dict[str, Any]
) -> list[RawIdentifier]:
    """Identities first; then login and anonymous id; then what ``distinct_id`` adds.

    A ``distinct_id`` of the form ``key+value`` repeats an identity.
    """
    found: list[RawIdentifier] = []
    for key, value in (record.identities or {}).items():
        for one in value if isinstance(value, list) else (value,):
            found.append(RawIdentifier(_name(key, "identities"), _id(one, f"identities.{key}")))
    is_login = properties.pop("$is_login_id", False) is True or record.type == "track_signup"
    named = {identifier.value for identifier in found}
    for type_, value in (
        ("login_id", _id(record.login_id, "login_id")),
        ("anonymous_id", _id(record.anonymous_id, "anonymous_id")),
        ("login_id" if is_login else "anonymous_id", distinct_id),
        ("anonymous_id", _id(record.original_id, "original_id")),
    ):
        if value and value not in named and not _repeats(value, record.identities):
            named.add(value)
            found.append(RawIdentifier(type_, value))
    if not any(identifier.value for identifier in found):
        raise BadEvent("missing_identifier", "distinct_id")
    return found


def _repeats(distinct_id: str, identities: dict[str, Any] | None) -> bool:
    key, plus, _ = distinct_id.partition("+")
    return bool(plus) and identities is not None and key in identities


def _values(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties within the protocol's rules, with milliseconds padded to three digits."""
    return {
        _name(name, "properties"): _value(value, f"properties.{name}")
        for name, value in properties.items()
    }


def _value(value: Any, path: str) -> Any:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise BadEvent("text_too_long", path)
        match = SHORT_MILLISECONDS.match(value)
        return f"{match[1]}.{int(match[2]):03d}" if match else value
    if isinstance(value, dict) or (
        isinstance(value, list) and not all(isinstance(item, str) for item in value)
    ):
        raise BadEvent("invalid_type", path)
    return value


def _profile(kind: OpKind, properties: dict[str, Any], limits: Limits) -> list[ProfileOp]:
    if kind is OpKind.DELETE:
        return [ProfileOp(OpKind.DELETE)]
    if kind is OpKind.UNSET:
        return [ProfileOp(OpKind.UNSET, name) for name in properties]
    return [profile_op(kind, name, value, limits) for name, value in properties.items()]
