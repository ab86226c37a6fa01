"""CloudEvents 1.0 over HTTP: structured, batched and binary.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md

``type`` is the event's name, ``(source, id)`` its message id, ``time`` its time. ``data`` is either
an object of the own protocol (one that holds ``identifiers``, ``entities``, ``properties`` or
``profile``) or the properties themselves. ``subject`` names the person as ``type:value``
(``login_id:u1``); any other subject is kept as the property ``subject``.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import unquote

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import BadEvent, decode_event, guard_value, split
from carloop.connectors.own import OwnEvent, envelope_parts
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.transport import content_id, header_key, parse_time, plain_body, unbase64
from carloop.connectors.values import event_name, id_text, json_of
from carloop.core.events import OWN_LIMITS, Decoded, Envelope, Limits, Received, Rejected
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
OWN_FIELDS = frozenset({"identifiers", "entities", "properties", "profile"})
SUBJECT = re.compile(r"([a-z][a-z0-9_]{0,63}):(\S.{0,254})\Z")
CONTEXT = frozenset(
    [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "dataschema",
        "datacontenttype",
        "data",
        "data_base64",
    ]
)
LONGEST_ATTRIBUTE = 2048


class _Event(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    data_base64: str | None = None


_EVENT = msgspec.json.Decoder(_Event)
_DATA = msgspec.json.Decoder(OwnEvent)
_EXTENSIONS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class CloudEventsProtocol:
    """One event or a batch, in any of the three content modes."""

    name = "cloudevents"
    title = {"zh": "CloudEvents 1.0", "en": "CloudEvents 1.0"}
    routes = (("POST", "/cloudevents"),)
    tails = ()
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """Basic user name, Bearer, ``X-Write-Key`` or ``?write_key=``."""
        return header_key(request) or request.query.get("write_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo the content encoding; binary mode becomes one structured event."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == BATCH:
            body = plain_body(request, limits)
            if body.lstrip()[:1] == b"{":
                raise Malformed("a batch is an array", code="invalid_type")
            return Unwrapped(body)
        if kind == STRUCTURED:
            return Unwrapped(plain_body(request, limits))
        if "ce-specversion" not in request.headers:
            raise Malformed("not a CloudEvent", code="not_a_cloudevent", path="specversion")
        body = plain_body(request, limits) if request.body else b""
        return Unwrapped(_structured(request, body, kind))

    def credentials_in(self, body: bytes) -> str:
        """None: a CloudEvent has no place for a key."""
        return ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of the batch; see :meth:`IngestProtocol.decode`."""
        _, raws = split(received.body, None, limits)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                event: _Event = decode_event(_EVENT, raw, limits)
                events.append(_envelope(event, raw, index, received.received_at, limits))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``."""
        return answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _structured(request: Request, body: bytes, kind: str) -> bytes:
    """Binary mode: attributes from ``ce-*`` headers, percent-decoded, and the body as data."""
    event: dict[str, Any] = {
        name[3:]: unquote(value)
        for name, value in request.headers.items()
        if name.startswith("ce-") and name not in ("ce-data", "ce-data_base64")
    }
    event.pop("datacontenttype", None)
    if kind:
        event["datacontenttype"] = kind
    if not body:
        return msgspec.json.encode(event)
    if kind == "" or kind == "application/json" or kind.endswith("+json"):
        head = msgspec.json.encode(event)
        return b'%b,"data":%b}' % (head[:-1], body)
    event["data_base64"] = base64.b64encode(body).decode()
    return msgspec.json.encode(event)


def _envelope(event: _Event, raw: bytes, index: int, received_at: int, limits: Limits) -> Envelope:
    if event.specversion.partition(".")[0] != "1":
        raise BadEvent("unknown_type", "specversion")
    for path, text in (("id", event.id), ("source", event.source)):
        if not text or len(text) > LONGEST_ATTRIBUTE:
            raise BadEvent("name_invalid", path)
    extra = _extensions(raw, limits)
    identifiers: list[RawIdentifier] = []
    if event.subject:
        named = SUBJECT.match(event.subject)
        if named:
            identifiers.append(RawIdentifier(named[1], id_text(named[2], "subject")))
        else:
            extra["subject"] = event.subject
    data = _data(event)
    if isinstance(data, dict) and OWN_FIELDS & data.keys():
        own: OwnEvent = decode_event(_DATA, msgspec.json.encode(data), limits)
        parts = envelope_parts(own, limits)
        sent = msgspec.json.decode(parts.properties)
    else:
        parts = None
        sent = data if isinstance(data, dict) else {} if data is None else {"data": data}
    occurred_at = parse_time(event.time, "time", zoned=True)
    properties = guard_value({**extra, **sent}, limits, "data")
    return Envelope(
        index=index,
        message_id=content_id(event.source.encode(), event.id.encode()),
        event=event_name(event.type, "type"),
        occurred_at=received_at if occurred_at is None else occurred_at,
        identifiers=[*identifiers, *(parts.identifiers if parts else ())],
        entities=parts.entities if parts else [],
        profile=parts.profile if parts else [],
        properties=msgspec.json.encode(properties),
    )


def _data(event: _Event) -> Any:
    """``data``, or ``data_base64`` where that holds JSON; other bytes stay base64."""
    if event.data_base64 is None:
        return json_of(bytes(event.data), "data")
    try:
        content = unbase64(event.data_base64)
    except Malformed as error:
        raise BadEvent("base64_broken", "data_base64") from error
    kind = (event.datacontenttype or "application/json").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return json_of(content, "data_base64")
    return event.data_base64


def _extensions(raw: bytes, limits: Limits) -> dict[str, Any]:
    """Extension attributes, which are strings, numbers or booleans, as properties ``ce_<name>``."""
    fields: dict[str, msgspec.Raw] = decode_event(_EXTENSIONS, raw, limits)
    if len(fields) > limits.keys:
        raise BadEvent("too_many_keys")
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in CONTEXT:
            found[f"ce_{name}"] = json_of(bytes(value), name)
    return found
