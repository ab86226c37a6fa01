"""Snowplow's tracker protocol 2: ``POST …/tp2`` with an envelope, ``GET /i`` with a query.

https://docs.snowplow.io/docs/events/tracker-protocol/ — the application id (``aid``) or a header
carries the write key. A self-describing event is named after its schema; contexts are kept under
``contexts`` by the names of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import BadEvent, decode_event, guard_value, split
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.transport import (
    LAST_MS,
    content_id,
    header_key,
    parse_time,
    plain_body,
    unbase64,
)
from carloop.connectors.values import event_name, id_text, json_of
from carloop.core.events import OWN_LIMITS, Decoded, Envelope, Limits, Received, Rejected
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed

TP2 = "/com.snowplowanalytics.snowplow/tp2"
SCHEMA = re.compile(r"iglu:[\w.-]+/([\w.-]+)/[\w.-]+/[\w.-]+\Z")
NAMES = {
    "pv": "page_viewed",
    "pp": "page_pinged",
    "tr": "transaction",
    "ti": "transaction_item",
}
PROPERTIES = {
    "url": "url",
    "page": "title",
    "refr": "referrer",
    "lang": "language",
    "p": "platform",
    "res": "resolution",
    "vp": "viewport",
    "pp_mix": "scroll_x_min",
    "pp_max": "scroll_x_max",
    "pp_miy": "scroll_y_min",
    "pp_may": "scroll_y_max",
    "se_ca": "category",
    "se_ac": "action",
    "se_la": "label",
    "se_pr": "property",
    "se_va": "value",
    "tr_id": "order_no",
    "tr_af": "affiliation",
    "tr_tt": "amount",
    "tr_tx": "tax",
    "tr_sh": "shipping",
    "tr_cu": "currency",
    "ti_id": "order_no",
    "ti_sk": "sku",
    "ti_nm": "name",
    "ti_ca": "category",
    "ti_pr": "price",
    "ti_qu": "quantity",
    "ti_cu": "currency",
}
NUMBERS = {"se_va", "tr_tt", "tr_tx", "tr_sh", "ti_pr", "ti_qu", "pp_mix", "pp_max", "pp_miy",
           "pp_may"}  # fmt: skip
IDENTIFIERS = (("uid", "login_id"), ("duid", "anonymous_id"), ("tnuid", "anonymous_id"))
SCREEN = "screen_view"
IN_CONTEXT = {
    "client_session": {"userId": "anonymous_id"},
    "mobile_context": {"appleIdfa": "idfa", "appleIdfv": "idfv"},
}
Pairs = dict[str, str | int | float | bool | None]
_EVENT = msgspec.json.Decoder(Pairs)


class SnowplowProtocol:
    """Events of the Snowplow trackers."""

    name = "snowplow"
    title = {"zh": "Snowplow 协议", "en": "Snowplow"}
    routes = (("POST", TP2), ("GET", "/i"))
    tails = ()
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """``Authorization``, ``X-Write-Key`` or ``?write_key=``."""
        return header_key(request) or request.query.get("write_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """The envelope; a query becomes an envelope of one."""
        if request.method != "GET":
            return Unwrapped(plain_body(request, limits))
        pairs = {name: value for name, value in request.query.items() if name != "write_key"}
        if not pairs:
            raise Malformed("the query tells no event", code="empty_body", path="e")
        return Unwrapped(msgspec.json.encode({"data": [pairs]}))

    def credentials_in(self, body: bytes) -> str:
        """``aid`` of the first event."""
        _, raws = split(body, "data", self.limits)
        try:
            found = _EVENT.decode(raws[0]).get("aid") if raws else ""
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        return found if isinstance(found, str) else ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes of the payload; see :meth:`IngestProtocol.decode`."""
        _, raws = split(received.body, "data", limits)
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(raws):
            try:
                pairs: Pairs = decode_event(_EVENT, raw, limits)
                texts = {k: _text(v) for k, v in pairs.items() if v is not None and v != ""}
                events.append(_envelope(texts, raw, index, received.received_at, limits))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``; the image to a GET."""
        return answers.gif() if request.method == "GET" else answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _text(value: str | int | float | bool | None) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _envelope(
    sent: Mapping[str, str], raw: bytes, index: int, received_at: int, limits: Limits
) -> Envelope:
    name, data = _named(sent)
    contexts = _contexts(sent)
    identifiers = _identifiers(sent, contexts)
    if not identifiers:
        raise BadEvent("missing_identifier", "duid")
    properties: dict[str, Any] = {
        PROPERTIES[k]: _number(k, v) for k, v in sent.items() if k in PROPERTIES
    }
    properties.update(data)
    if contexts:
        properties["contexts"] = contexts
    return Envelope(
        index=index,
        message_id=id_text(sent.get("eid"), "eid") or content_id(raw),
        event=name,
        occurred_at=_occurred_at(sent, received_at),
        identifiers=identifiers,
        properties=msgspec.json.encode(guard_value(properties, limits, "data")),
    )


def _named(sent: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The event's name, and the data of a self-describing one."""
    kind = sent.get("e", "")
    if kind == "se":
        return event_name(sent.get("se_ac"), "se_ac"), {}
    if kind == "ue":
        inner = _json(sent, "ue_pr", "ue_px")
        schema, data = _described(inner.get("data") if isinstance(inner, dict) else None, "ue_pr")
        return ("screen_viewed" if schema == SCREEN else event_name(schema, "ue_pr")), data
    if kind not in NAMES:
        raise BadEvent("unknown_type", "e")
    return NAMES[kind], {}


def _described(value: Any, path: str) -> tuple[str, dict[str, Any]]:
    """``(schema name, data)`` of a self-describing JSON."""
    if not isinstance(value, dict) or not isinstance(value.get("schema"), str):
        raise BadEvent("invalid_type", path)
    schema = SCHEMA.match(value["schema"])
    if schema is None:
        raise BadEvent("unknown_type", f"{path}.schema")
    data = value.get("data")
    return schema[1], data if isinstance(data, dict) else {} if data is None else {"data": data}


def _json(sent: Mapping[str, str], plain: str, encoded: str) -> Any:
    if plain in sent:
        return json_of(sent[plain].encode("utf-8", "surrogatepass"), plain)
    if encoded not in sent:
        return None
    try:
        return json_of(unbase64(sent[encoded]), encoded)
    except Malformed as error:
        raise BadEvent("base64_broken", encoded) from error


def _contexts(sent: Mapping[str, str]) -> dict[str, Any]:
    """Context data by schema name; several of one schema as a list."""
    envelope = _json(sent, "co", "cx")
    items = envelope.get("data") if isinstance(envelope, dict) else None
    found: dict[str, Any] = {}
    for item in items if isinstance(items, list) else ():
        name, data = _described(item, "co")
        if name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), data]
        else:
            found[name] = data
    return found


def _identifiers(sent: Mapping[str, str], contexts: Mapping[str, Any]) -> list[RawIdentifier]:
    found: dict[RawIdentifier, None] = {}
    for key, type_ in IDENTIFIERS:
        value = id_text(sent.get(key), key)
        if value:
            found[RawIdentifier(type_, value)] = None
    for context, fields in IN_CONTEXT.items():
        data = contexts.get(context)
        for name, type_ in fields.items():
            id_ = data.get(name) if isinstance(data, dict) else None
            if isinstance(id_, str) and id_.strip():
                found[RawIdentifier(type_, id_text(id_, f"contexts.{context}.{name}"))] = None
    return list(found)


def _number(key: str, value: str) -> str | float:
    """Numbers of the protocol arrive as texts."""
    if key not in NUMBERS:
        return value
    try:
        return float(value)
    except ValueError as error:
        raise BadEvent("invalid_type", key) from error


def _occurred_at(sent: Mapping[str, str], received_at: int) -> int:
    """The true time, or ``received − (sent − created)``: both by the sender's clock."""
    times = {}
    for key in ("ttm", "dtm", "stm"):
        try:
            times[key] = parse_time(int(sent[key]), key, zoned=False) if key in sent else None
        except ValueError as error:
            raise BadEvent("invalid_timestamp", key) from error
    if times["ttm"] is not None:
        return times["ttm"]
    created, left = times["dtm"], times["stm"]
    if created is None:
        return received_at
    return created if left is None else min(max(received_at - (left - created), 0), LAST_MS)
