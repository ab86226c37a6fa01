"""The generic webhook, ``POST /webhooks/<source>``: a signature rule and a mapping, both settings.

For whoever pushes JSON or forms in words of its own: ad platforms that push leads, call centres,
form tools. Presets for known senders come from the packs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.hook import Incoming
from carloop.connectors.json_guard import BadEvent, guard_value, too_deep
from carloop.connectors.mapping import Compiled, Typed, compile_mapping
from carloop.connectors.own import profile_op
from carloop.connectors.protocol import Request, Response
from carloop.connectors.transport import LAST_MS, content_id, plain_body
from carloop.connectors.values import event_name, form_fields, id_text
from carloop.connectors.webhook_signature import (
    ALGORITHMS,
    LATEST_TOLERANCE,
    PLACES,
    SignatureRule,
    read_rule,
    verify,
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
from carloop.kit.errors import (
    CarloopError,
    InvalidInput,
    Malformed,
    TooLarge,
)
from carloop.kit.settings import Reader, refuse_unknown

MOST_ANSWER = 4000


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Opened settings."""

    rule: SignatureRule
    content: str
    mapping: str
    answer: Response | None

    @property
    def key_needed(self) -> bool:
        """Nothing is signed: a write key must come along."""
        return self.rule.algorithm == "none"

    def hint(self) -> str:
        """The mapping."""
        return self.mapping


class WebhookProtocol:
    """JSON or form, signature and mapping by settings."""

    name = "webhook"
    title = {"zh": "通用 Webhook", "en": "Webhook"}
    word = "webhooks"
    methods = ("POST",)
    limits = OWN_LIMITS

    def schema(self) -> dict[str, Any]:
        """JSON schema of the settings."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["mapping"],
            "properties": _PROPERTIES,
        }

    def open(self, settings: Mapping[str, Any]) -> WebhookSettings:
        """Check the settings; raises ``InvalidInput``."""
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        mapping = settings.get("mapping")
        if not isinstance(mapping, dict):
            raise InvalidInput("a mapping is needed", code="setting_missing", path="mapping")
        text = json.dumps(mapping, ensure_ascii=False, sort_keys=True)
        compile_mapping(text)
        return WebhookSettings(
            rule=read_rule(read),
            content=read.choice("content", "auto", ("auto", "json", "form")),
            mapping=text,
            answer=_answer(settings.get("answer")),
        )

    def receive(
        self, request: Request, settings: WebhookSettings, now_ms: int
    ) -> Incoming | Response:
        """Check signature and age; a form becomes a JSON object."""
        plain = plain_body(request, self.limits)
        body, fields = _read(request, plain, settings.content, self.limits)
        if not settings.key_needed:
            verify(request, plain, fields, settings.rule, now_ms)
        return Incoming(body, settings.hint(), settings.answer)

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """One envelope for every element that the mapping finds."""
        mapping = compile_mapping(received.hint)
        body = parse_body(received.body)
        try:
            elements = mapping.elements(body)
        except BadEvent as bad:
            return Decoded([], [bad.rejected(0, received.body)])
        if len(elements) > limits.events_per_batch:
            raise TooLarge(
                f"more than {limits.events_per_batch} events in one batch", code="too_many_events"
            )
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, element in enumerate(elements):
            raw = element_bytes(element)
            try:
                events.append(envelope_of(mapping, element, body, raw, index, received, limits))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``."""
        return answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _answer(sent: Any) -> Response | None:
    """What the sender expects to hear: a text, or an object that is sent as JSON."""
    if sent is None or sent == "":
        return None
    text = sent if isinstance(sent, str) else json.dumps(sent, ensure_ascii=False)
    if len(text) > MOST_ANSWER:
        raise InvalidInput("the answer is too long", code="setting_invalid", path="answer")
    is_json = not isinstance(sent, str) or text.lstrip()[:1] in ("{", "[")
    kind = "application/json" if is_json else "text/plain; charset=utf-8"
    return Response(200, {"content-type": kind}, text.encode())


def elements_of(mapping: Compiled, body: bytes) -> list[Any]:
    """The elements of a body; none where the mapping finds no list."""
    try:
        return mapping.elements(parse_body(body))
    except BadEvent:
        return []


def json_body(request: Request, content: str, limits: Limits) -> bytes:
    """The body as the journal keeps it: JSON, whatever it was.

    Raises:
        Malformed: it cannot be read.
        TooLarge: on the wire, or unpacked.
    """
    return _read(request, plain_body(request, limits), content, limits)[0]


def _read(
    request: Request, plain: bytes, content: str, limits: Limits
) -> tuple[bytes, Mapping[str, Any]]:
    """The body as JSON, and its top-level fields where it is an object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content == "auto":
        looks_json = plain.lstrip()[:1] in (b"{", b"[")
        content = "form" if kind == "application/x-www-form-urlencoded" and not looks_json else (
            "json"
        )  # fmt: skip
    if content == "form":
        fields = form_fields(plain, limits)
        return msgspec.json.encode(fields), fields
    found = parse_body(plain)
    return plain, found if isinstance(found, dict) else {}


def parse_body(body: bytes) -> Any:
    """JSON; texts that are not UTF-8 and numbers out of range are left to the element's check.

    Raises:
        Malformed: ``malformed_json``, ``too_deep``.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body.decode("utf-8", "surrogateescape"))
    except RecursionError as error:
        raise Malformed("nested too deeply", code="too_deep") from error
    except ValueError as error:
        raise Malformed("the body is not valid JSON", code="malformed_json") from error


def element_bytes(element: Any) -> bytes:
    """An element as JSON, texts that are not UTF-8 among it."""
    return json.dumps(element, ensure_ascii=False).encode("utf-8", "surrogateescape")


def envelope_of(
    mapping: Compiled,
    element: Any,
    body: Any,
    raw: bytes,
    index: int,
    received: Received,
    limits: Limits,
) -> Envelope:
    """The event that a mapping makes of one element; a message id of its content where it has none.

    Raises:
        BadEvent: the element cannot be taken.
    """
    if len(raw) > limits.event:
        raise BadEvent("too_large")
    if too_deep(raw, limits):
        raise BadEvent("too_deep")
    if not isinstance(element, dict):
        raise BadEvent("invalid_type")
    guard_value(element, limits, "body")
    item = element
    sent_id = mapping.message_id.of(item, body) if mapping.message_id else None
    at = mapping.occurred_at.of(item, body) if mapping.occurred_at else None
    if at is not None and not 0 <= at <= LAST_MS:
        raise BadEvent("invalid_timestamp", "occurred_at")
    identifiers = [RawIdentifier(*one) for one in _named(mapping.identifiers, item, body)]
    entities = [EntityRef(type_, key) for type_, key, _ in _named(mapping.entities, item, body)]
    properties = {name: value.of(item, body) for name, value in mapping.properties.items()}
    kept = {name: value for name, value in properties.items() if value is not None}
    if not identifiers and not entities and not kept:
        raise BadEvent("missing_identifier", "identifiers")
    return Envelope(
        index=index,
        message_id=_message_id(sent_id) or content_id(raw),
        event=event_name(str(mapping.event.of(item, body) or "")),
        occurred_at=received.received_at if at is None else at,
        identifiers=identifiers,
        entities=entities,
        properties=msgspec.json.encode(guard_value(kept, limits, "properties")),
        profile=_profile(mapping, item, body, limits),
    )


def _message_id(sent: Any) -> str:
    if sent is None:
        return ""
    return id_text(sent if isinstance(sent, str | int) else str(sent), "message_id")


def _named(sources: tuple[Typed, ...], item: Any, body: Any) -> list[tuple[str, str, str]]:
    """``(type, value, namespace)`` of what is there; a list gives several."""
    found: list[tuple[str, str, str]] = []
    for one in sources:
        value = one.value.of(item, body)
        named = one.namespace.of(item, body) if one.namespace else ""
        for text in value if isinstance(value, list) else [value]:
            if text is None or text == "":
                continue
            if isinstance(text, bool | dict | list | float):
                raise BadEvent("invalid_type", one.value.name)
            found.append((one.type, id_text(text, one.value.name), str(named or "")))
    return found


def _profile(mapping: Compiled, item: Any, body: Any, limits: Limits) -> list[ProfileOp]:
    ops: list[ProfileOp] = []
    for kind in (OpKind.SET_ONCE, OpKind.SET, OpKind.INCREMENT, OpKind.APPEND):
        for name, source in mapping.profile.get(kind, {}).items():
            value = source.of(item, body)
            if value is not None:
                ops.append(profile_op(kind, name, value, limits))
    return ops


_NAME = {"type": "string", "maxLength": 200}
_SECRET = {"type": "string", "writeOnly": True, "minLength": 1, "maxLength": 2000}
_WHERE = {"type": "string", "enum": list(PLACES), "default": "header"}
_PROPERTIES: dict[str, Any] = {
    "algorithm": {
        "type": "string", "enum": list(ALGORITHMS), "default": "none", "title": "Signature",
        "description": "none: every request must carry a write key of the source",
    },
    "secret": {**_SECRET, "title": "Signing secret"},
    "old_secret": {**_SECRET, "title": "Former secret, while the sender changes over"},
    "signature_in": {**_WHERE, "title": "Signature stands in"},
    "signature_name": {**_NAME, "default": "x-signature", "title": "Name of the signature"},
    "encoding": {
        "type": "string", "enum": ["hex", "base64"], "default": "hex", "title": "Encoding",
    },
    "prefix": {**_NAME, "title": "Text before the signature, such as sha256="},
    "signed": {
        **_NAME, "title": "What is signed",
        "description": "{body} {timestamp} {nonce} {secret} and any text between",
    },
    "timestamp_in": {**_WHERE, "title": "Timestamp stands in"},
    "timestamp_name": {**_NAME, "title": "Name of the timestamp"},
    "tolerance_seconds": {
        "type": "integer", "minimum": 1, "maximum": LATEST_TOLERANCE, "default": 300,
        "title": "Oldest request taken (s)",
    },
    "nonce_in": {**_WHERE, "title": "Nonce stands in"},
    "nonce_name": {**_NAME, "title": "Name of the nonce"},
    "content": {
        "type": "string", "enum": ["auto", "json", "form"], "default": "auto", "title": "Content",
    },
    "mapping": {"type": "object", "title": "Mapping"},
    "answer": {
        "anyOf": [{"type": "object"}, {"type": "string"}],
        "title": "Answer the sender expects",
    },
}  # fmt: skip
