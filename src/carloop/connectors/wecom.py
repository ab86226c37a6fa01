"""Callbacks of WeCom (企业微信): ``/wecom/<source>``, always encrypted.

https://developer.work.weixin.qq.com/document/path/92130 — customers added and lost, tags, groups
and messages. A customer is an ``external_user_id`` of the corporation; the employee is ``staff``,
and ``State`` is the code of the channel that brought the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from carloop.connectors import answers
from carloop.connectors.hook import Incoming
from carloop.connectors.json_guard import BadEvent
from carloop.connectors.protocol import Request, Response
from carloop.connectors.transport import content_id, plain_body
from carloop.connectors.values import id_text
from carloop.connectors.wechat import (
    PRIVATE,
    callback_schema,
    check_age,
    echo,
    fields_of,
    hint_of,
    read_hint,
    sealed_part,
    success,
    time_of,
)
from carloop.connectors.wechat_crypt import aes_key, check_signature, decrypt
from carloop.core.events import OWN_LIMITS, Decoded, Envelope, Limits, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError
from carloop.kit.settings import Reader, refuse_unknown

CHANGES = {
    "add_external_contact": "wecom_friend_added",
    "add_half_external_contact": "wecom_friend_added",
    "edit_external_contact": "wecom_friend_edited",
    "del_external_contact": "wecom_friend_removed",
    "del_follow_user": "wecom_friend_lost",
    "transfer_fail": "wecom_transfer_failed",
}
RENAMED = {"UserID": "staff", "State": "channel_code", "ChatId": "group", "TagId": "tag"}
LEFT_OUT = frozenset(
    (
        *("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "AgentID", "Event"),
        *("ChangeType", "ExternalUserID", "WelcomeCode"),
    )
)


@dataclass(frozen=True, slots=True)
class WecomSettings:
    """Opened settings."""

    corp: str
    token: str
    key: bytes
    tolerance_seconds: int
    keep_content: bool

    @property
    def key_needed(self) -> bool:
        """Callbacks are signed."""
        return False

    def hint(self) -> str:
        """The corporation and whether contents are kept."""
        return hint_of(self.corp, self.keep_content)


class WecomProtocol:
    """Callbacks of a corporation."""

    name = "wecom"
    title = {"zh": "企业微信回调", "en": "WeCom"}
    word = "wecom"
    methods = ("GET", "POST")
    limits = OWN_LIMITS

    def schema(self) -> dict[str, Any]:
        """JSON schema of the settings."""
        return callback_schema("corpid", "CorpID", required=("corpid", "token", "aes_key"))

    def open(self, settings: Mapping[str, Any]) -> WecomSettings:
        """Check the settings; raises ``InvalidInput``."""
        refuse_unknown(settings, self.schema())
        read = Reader(settings)
        return WecomSettings(
            read.text("corpid"),
            read.text("token"),
            aes_key(read.text("aes_key"), "aes_key"),
            read.integer("tolerance_seconds", 600, 0, 86_400),
            settings.get("keep_content") is True,
        )

    def receive(
        self, request: Request, settings: WecomSettings, now_ms: int
    ) -> Incoming | Response:
        """Check the signature, decrypt; the address check is answered with what was sealed."""
        query = request.query
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        signature = query.get("msg_signature", "")
        if request.method == "GET":
            sealed = query.get("echostr", "").replace(" ", "+")
            check_signature(signature, settings.token, stamp, nonce, sealed)
            return echo(decrypt(sealed, settings.key, settings.corp))
        sealed = sealed_part(plain_body(request, self.limits), self.limits)
        check_signature(signature, settings.token, stamp, nonce, sealed)
        check_age(stamp, settings.tolerance_seconds, now_ms)
        body = decrypt(sealed, settings.key, settings.corp)
        return Incoming(body, settings.hint(), success())

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """One envelope; a callback about nobody outside the corporation is kept as refused."""
        corp, keep = read_hint(received.hint)
        try:
            return Decoded([_envelope(received, corp, keep, limits)], [])
        except BadEvent as bad:
            return Decoded([], [bad.rejected(0, received.body)])

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``success``."""
        return success()

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _envelope(received: Received, corp: str, keep: bool, limits: Limits) -> Envelope:
    fields = fields_of(received, limits)
    event, change = _text(fields, "Event"), _text(fields, "ChangeType")
    name = _name(fields, event, change)
    customer = id_text(_text(fields, "ExternalUserID"), "ExternalUserID")
    sender = id_text(_text(fields, "FromUserName"), "FromUserName")
    if customer:
        who = RawIdentifier("external_user_id", customer, corp)
    elif sender and sender != "sys":
        who = RawIdentifier("login_id", sender, corp)
    else:
        raise BadEvent("missing_identifier", "ExternalUserID")
    properties: dict[str, Any] = {"channel": "wecom", "corp": corp}
    if _text(fields, "MsgType") != "event":
        properties["message_type"] = _text(fields, "MsgType")
    for field, value in fields.items():
        if field not in LEFT_OUT and value != "" and (keep or field not in PRIVATE):
            properties[RENAMED.get(field, field)] = value
    created = _text(fields, "CreateTime")
    message = _text(fields, "MsgId")
    parts = (
        [message]
        if message
        else [who.value, _text(fields, "UserID"), created, event, change,
              _text(fields, "EventKey"), _text(fields, "ChatId")]
    )  # fmt: skip
    return Envelope(
        index=0,
        message_id=content_id(corp.encode(), *(part.encode() for part in parts)),
        event=name,
        occurred_at=time_of(fields),
        identifiers=[who],
        properties=msgspec.json.encode(properties),
    )


def _name(fields: Mapping[str, Any], event: str, change: str) -> str:
    if not _text(fields, "MsgType"):
        raise BadEvent("unknown_type", "MsgType")
    if _text(fields, "MsgType") != "event":
        return "wecom_messaged"
    if event == "change_external_contact":
        return CHANGES.get(change) or f"wecom_{change.lower()}"[:128]
    return "_".join(part.lower() for part in ("wecom", event, change) if part)[:128]


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""
