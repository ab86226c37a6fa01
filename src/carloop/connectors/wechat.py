"""Callbacks of a WeChat official account: ``/wechat/<source>``.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html — the
address check answers ``echostr``; messages and events arrive as XML, plain or encrypted, and are
answered ``success``. Whoever writes is an ``openid`` of the account, and a ``unionid`` where that
is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.hook import Incoming
from carloop.connectors.json_guard import BadEvent, guard_value
from carloop.connectors.protocol import Request, Response
from carloop.connectors.transport import content_id, plain_body
from carloop.connectors.values import id_text
from carloop.connectors.wechat_crypt import aes_key, check_signature, decrypt
from carloop.connectors.xml_guard import parse_xml, text_of
from carloop.core.events import OWN_LIMITS, Decoded, Envelope, Limits, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed, Unauthenticated
from carloop.kit.settings import Reader, refuse_unknown

EVENTS = {
    "subscribe": "official_account_followed",
    "unsubscribe": "official_account_unfollowed",
    "SCAN": "qr_scanned",
    "LOCATION": "location_reported",
    "CLICK": "menu_clicked",
    "VIEW": "menu_viewed",
    "view_miniprogram": "menu_viewed",
    "TEMPLATESENDJOBFINISH": "template_message_finished",
    "MASSSENDJOBFINISH": "mass_message_finished",
}
MESSAGE = "official_account_messaged"
QR_PREFIX = "qrscene_"
PRIVATE = frozenset(
    (
        *("Content", "Recognition", "Title", "Description", "Url", "Label", "Poiname"),
        *("Latitude", "Longitude", "Precision", "Location_X", "Location_Y"),
        *("PicUrl", "MediaId", "MediaId16K", "ThumbMediaId"),
    )
)
"""What a person wrote or showed, and where they are: kept only where the settings say so."""
HANDLED = frozenset(
    (
        *("ToUserName", "FromUserName", "CreateTime", "MsgId", "MsgType", "Event", "EventKey"),
        *("UnionID", "unionid"),
    )
)


@dataclass(frozen=True, slots=True)
class WechatSettings:
    """Opened settings."""

    account: str
    token: str
    key: bytes | None
    tolerance_seconds: int
    keep_content: bool

    @property
    def key_needed(self) -> bool:
        """Callbacks are signed."""
        return False

    def hint(self) -> str:
        """The account and whether contents are kept."""
        return hint_of(self.account, self.keep_content)


class _Hint(msgspec.Struct):
    account: str
    keep: bool = False


def hint_of(account: str, keep: bool) -> str:
    """What decoding a callback needs to know."""
    return msgspec.json.encode(_Hint(account, keep)).decode()


def read_hint(text: str) -> tuple[str, bool]:
    """``(account, whether contents are kept)``."""
    hint = msgspec.json.decode(text, type=_Hint)
    return hint.account, hint.keep


def success() -> Response:
    """What both platforms take for an answer."""
    return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"success")


def echo(text: bytes) -> Response:
    """The answer to an address check."""
    return Response(200, {"content-type": "text/plain; charset=utf-8"}, text)


def check_age(timestamp: str, tolerance_seconds: int, now_ms: int) -> None:
    """Raise ``Unauthenticated`` where a callback is too old, or from the future."""
    if not tolerance_seconds:
        return
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        raise Unauthenticated("no timestamp", code="timestamp_missing")
    if abs(now_ms - int(timestamp) * 1000) > tolerance_seconds * 1000:
        raise Unauthenticated("the request is too old", code="timestamp_stale")


class WechatProtocol:
    """Callbacks of an official account."""

    name = "wechat"
    title = {"zh": "微信公众号回调", "en": "WeChat official account"}
    word = "wechat"
    methods = ("GET", "POST")
    limits = OWN_LIMITS

    def schema(self) -> dict[str, Any]:
        """JSON schema of the settings."""
        return callback_schema("appid", "AppID", required=("appid", "token"))

    def open(self, settings: Mapping[str, Any]) -> WechatSettings:
        """Check the settings; raises ``InvalidInput``."""
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        key = read.text("aes_key", "")
        return WechatSettings(
            read.text("appid"),
            read.text("token"),
            aes_key(key, "aes_key") if key else None,
            read.integer("tolerance_seconds", 600, 0, 86_400),
            settings.get("keep_content") is True,
        )

    def receive(
        self, request: Request, settings: WechatSettings, now_ms: int
    ) -> Incoming | Response:
        """Check the signature; answer the address check; decrypt."""
        query = request.query
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        check_signature(query.get("signature", ""), settings.token, stamp, nonce)
        if request.method == "GET":
            return echo(query.get("echostr", "").encode("utf-8", "replace"))
        check_age(stamp, settings.tolerance_seconds, now_ms)
        body = plain_body(request, self.limits)
        if query.get("encrypt_type", "") == "aes" or settings.key is not None:
            if settings.key is None:
                raise Malformed("the source has no key", code="decryption_failed")
            sealed = sealed_part(body, self.limits)
            check_signature(query.get("msg_signature", ""), settings.token, stamp, nonce, sealed)
            body = decrypt(sealed, settings.key, settings.account)
        return Incoming(body, settings.hint(), success())

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """One envelope."""
        account, keep = read_hint(received.hint)
        try:
            return Decoded([_envelope(received, account, keep, limits)], [])
        except BadEvent as bad:
            return Decoded([], [bad.rejected(0, received.body)])

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``success``: anything else makes the platform send again, or complain to the user."""
        return success()

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def callback_schema(account: str, title: str, required: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a callback; ``account`` names the setting that holds whose it is."""
    secret = {"type": "string", "writeOnly": True, "minLength": 1, "maxLength": 200}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {
            account: {"type": "string", "maxLength": 100, "title": title},
            "token": {**secret, "title": "Token"},
            "aes_key": {**secret, "title": "EncodingAESKey"},
            "tolerance_seconds": {
                "type": "integer", "minimum": 0, "maximum": 86_400, "default": 600,
                "title": "Oldest callback taken (s)", "description": "0: any",
            },
            "keep_content": {
                "type": "boolean", "default": False, "title": "Keep what people write and where",
            },
        },
    }  # fmt: skip


def sealed_part(body: bytes, limits: Limits) -> str:
    """``Encrypt`` of the outer XML.

    Raises:
        Malformed: ``xml_broken``, ``xml_forbidden``, ``decryption_failed``.
    """
    try:
        sealed = text_of(parse_xml(body, limits), "Encrypt")
    except BadEvent as bad:
        raise Malformed("the XML is out of bounds", code=bad.code) from bad
    if not sealed:
        raise Malformed("nothing encrypted", code="decryption_failed", path="Encrypt")
    return sealed


def fields_of(received: Received, limits: Limits) -> dict[str, Any]:
    """The message as a flat object; nested elements by dotted name, repeated ones as a list."""
    if len(received.body) > limits.event:
        raise BadEvent("too_large")
    found: dict[str, Any] = {}

    def collect(element: Any, prefix: str) -> None:
        for child in element:
            name = f"{prefix}{child.tag}"
            if len(child):
                collect(child, f"{name}.")
            elif name in found:
                before = found[name]
                found[name] = [*(before if isinstance(before, list) else [before]), text_of(child)]
            else:
                found[name] = text_of(child)

    collect(parse_xml(received.body, limits), "")
    checked: dict[str, Any] = guard_value(found, limits, "xml")
    return checked


def time_of(fields: Mapping[str, Any]) -> int:
    """``CreateTime``, in seconds, as milliseconds since the epoch."""
    text = str(fields.get("CreateTime", ""))
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise BadEvent("invalid_timestamp", "CreateTime")
    return int(text) * 1000


def _envelope(received: Received, account: str, keep: bool, limits: Limits) -> Envelope:
    fields = fields_of(received, limits)
    openid = id_text(_text(fields, "FromUserName"), "FromUserName")
    if not openid:
        raise BadEvent("missing_identifier", "FromUserName")
    kind, event = _text(fields, "MsgType"), _text(fields, "Event")
    if not kind:
        raise BadEvent("unknown_type", "MsgType")
    name = MESSAGE if kind != "event" else EVENTS.get(event) or f"wechat_{event.lower()}"[:128]
    identifiers = [RawIdentifier("openid", openid, account)]
    unionid = id_text(_text(fields, "UnionID") or _text(fields, "unionid"), "unionid")
    if unionid:
        identifiers.append(RawIdentifier("unionid", unionid))
    properties: dict[str, Any] = {"channel": "wechat", "appid": account}
    if kind != "event":
        properties["message_type"] = kind
    elif event not in EVENTS:
        properties["event_type"] = event
    key = _text(fields, "EventKey")
    if key:
        scene = event in ("subscribe", "SCAN")
        properties["scene" if scene else "menu_key"] = key.removeprefix(QR_PREFIX)
    for field, value in fields.items():
        if field not in HANDLED and value != "" and (keep or field not in PRIVATE):
            properties[field] = value
    message = _text(fields, "MsgId") or _text(fields, "MsgID")
    parts = [message] if message else [openid, _text(fields, "CreateTime"), event, key]
    return Envelope(
        index=0,
        message_id=content_id(account.encode(), *(part.encode() for part in parts)),
        event=name,
        occurred_at=time_of(fields),
        identifiers=identifiers,
        properties=msgspec.json.encode(properties),
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""
