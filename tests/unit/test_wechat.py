"""Callbacks of WeChat and WeCom: verified, decrypted, told as events."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from carloop.connectors import HOOKS
from carloop.connectors.hook import Incoming
from carloop.connectors.protocol import Request, Response
from carloop.core.events import OWN_LIMITS, Decoded, Envelope, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Unauthenticated
from tests.support.connectors import AES_KEY, AT, CORP, TOKEN, wechat

NOW = AT // 1000
# Tencent's published sample of the WeCom callback (token, key, corporation as below).
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
SEALED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3Qczc"
    "dCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLj"
    "vd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMn"
    "vw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k"
    "22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2Yoy"
    "yH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)
VERIFIED = {"msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
            "timestamp": "1409659589", "nonce": "263014780", "echostr": ECHO}  # fmt: skip
CALLED = {"msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
          "timestamp": "1409659813", "nonce": "1372623149"}  # fmt: skip
SECRETS = {"token": TOKEN, "aes_key": AES_KEY, "tolerance_seconds": 0}


def outer(sealed: str) -> bytes:
    return f"<xml><ToUserName>{CORP}</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()


class TestWecom:
    wecom = HOOKS["wecom"]

    def call(self, query: dict[str, str], body: bytes = b"", **settings: Any) -> Any:
        opened = self.wecom.open({"corpid": CORP, **SECRETS, **settings})
        method = "POST" if body else "GET"
        return self.wecom.receive(
            Request(method, "/wecom/1", query, {}, body), opened, 1_409_659_813_000
        )

    def test_the_published_sample_is_verified_and_decrypted(self) -> None:
        assert self.call(VERIFIED).body == b"1616140317555161061"
        incoming = self.call(CALLED, outer(SEALED))
        assert incoming.answer.body == b"success"
        received = Received(
            tenant=1, source=1, protocol="wecom", received_at=AT, body=incoming.body,
            hint=incoming.hint,
        )  # fmt: skip
        (event,) = self.wecom.decode(received, OWN_LIMITS).events
        assert (event.event, event.occurred_at) == ("wecom_messaged", 1_409_659_813_000)
        assert event.identifiers == [RawIdentifier("login_id", "mycreate", CORP)]
        assert "hello" not in event.properties.decode()

    @pytest.mark.parametrize(
        ("query", "settings", "code"),
        [
            ({"msg_signature": "0" * 40}, {}, "signature_wrong"),
            ({"msg_signature": ""}, {}, "signature_missing"),
            ({"nonce": "1"}, {}, "signature_wrong"),
            ({}, {"corpid": "wxother"}, "receiver_wrong"),
            ({}, {"token": "other"}, "signature_wrong"),
            ({}, {"aes_key": "a" * 43}, "decryption_failed"),
        ],
    )
    def test_whatever_was_altered_is_refused(
        self, query: dict[str, str], settings: dict[str, Any], code: str
    ) -> None:
        with pytest.raises(CarloopError) as error:
            self.call({**CALLED, **query}, outer(SEALED), **settings)
        assert error.value.code == code

    def test_an_old_callback_is_refused(self) -> None:
        assert self.call(CALLED, outer(SEALED), tolerance_seconds=60)
        opened = self.wecom.open({"corpid": CORP, **SECRETS, "tolerance_seconds": 60})
        request = Request("POST", "/wecom/1", CALLED, {}, outer(SEALED))
        with pytest.raises(Unauthenticated) as error:
            self.wecom.receive(request, opened, 1_409_659_874_000)
        assert error.value.code == "timestamp_stale"

    def test_a_customer_added_through_a_channel_code(self) -> None:
        body = (
            "<xml><ToUserName>c</ToUserName><FromUserName>sys</FromUserName>"
            f"<CreateTime>{NOW}</CreateTime><MsgType>event</MsgType>"
            "<Event>change_external_contact</Event><ChangeType>add_external_contact</ChangeType>"
            "<UserID>zhang</UserID><ExternalUserID>wmAAA1</ExternalUserID><State>show-7</State>"
            "<WelcomeCode>secret</WelcomeCode></xml>"
        ).encode()
        hint = json.dumps({"account": CORP})
        received = Received(
            tenant=1, source=1, protocol="wecom", received_at=AT, body=body, hint=hint
        )
        (event,) = self.wecom.decode(received, OWN_LIMITS).events
        assert event.event == "wecom_friend_added"
        assert event.identifiers == [RawIdentifier("external_user_id", "wmAAA1", CORP)]
        assert json.loads(event.properties) == {
            "channel": "wecom", "corp": CORP, "staff": "zhang", "channel_code": "show-7",
        }  # fmt: skip


class TestWechat:
    wechat = HOOKS["wechat"]

    def decoded(self, fields: dict[str, str], keep: bool = False) -> Decoded:
        opened = self.wechat.open(
            {"appid": "wx1", "token": TOKEN, "tolerance_seconds": 0, "keep_content": keep}
        )
        incoming = self.wechat.receive(wechat(fields), opened, AT)
        assert isinstance(incoming, Incoming)
        received = Received(
            tenant=1, source=1, protocol="wechat", received_at=AT, body=incoming.body,
            hint=incoming.hint,
        )  # fmt: skip
        return self.wechat.decode(received, OWN_LIMITS)

    def event(self, *, keep: bool = False, **fields: Any) -> Envelope:
        base = {"FromUserName": "oUser1", "CreateTime": str(NOW), "MsgType": "event"}
        (event,) = self.decoded({**base, **fields}, keep).events
        return event

    def test_the_address_check_answers_the_echo(self) -> None:
        opened = self.wechat.open({"appid": "wx1", "token": TOKEN})
        query = {**wechat({}).query, "echostr": "4567"}
        answer = self.wechat.receive(Request("GET", "/wechat/1", query, {}), opened, AT)
        assert isinstance(answer, Response)
        assert answer.body == b"4567"

    def test_following_by_a_scanned_code_scanning_again_and_a_menu(self) -> None:
        followed = self.event(Event="subscribe", EventKey="qrscene_show-7", UnionID="u-1")
        assert (followed.event, followed.occurred_at) == ("official_account_followed", AT)
        assert followed.identifiers == [
            RawIdentifier("openid", "oUser1", "wx1"),
            RawIdentifier("unionid", "u-1"),
        ]
        assert json.loads(followed.properties)["scene"] == "show-7"
        scanned = self.event(Event="SCAN", EventKey="show-7", Ticket="t")
        assert (scanned.event, json.loads(scanned.properties)["scene"]) == ("qr_scanned", "show-7")
        menu = self.event(Event="CLICK", EventKey="book")
        assert json.loads(menu.properties)["menu_key"] == "book"
        assert len({followed.message_id, scanned.message_id, menu.message_id}) == 3

    def test_what_people_write_is_kept_only_on_request(self) -> None:
        said: dict[str, Any] = {"MsgType": "text", "Content": "我的手机号", "MsgId": "9"}
        assert "我的手机号" not in self.event(**said).properties.decode()
        assert "我的手机号" in self.event(keep=True, **said).properties.decode()
        assert self.event(**said).event == "official_account_messaged"

    def test_a_source_with_a_key_takes_nothing_plain(self) -> None:
        opened = self.wechat.open({"appid": "wx1", **SECRETS})
        with pytest.raises(CarloopError) as error:
            self.wechat.receive(wechat({"MsgType": "text"}), opened, AT)
        assert error.value.code == "decryption_failed"

    def test_an_encrypted_message_is_read(self) -> None:
        """The public sample again: its frame is the same for both platforms."""
        opened = self.wechat.open({"appid": CORP, **SECRETS})
        plain = "".join(sorted((TOKEN, CALLED["timestamp"], CALLED["nonce"])))
        query = {**CALLED, "encrypt_type": "aes"}
        query["signature"] = hashlib.sha1(plain.encode(), usedforsecurity=False).hexdigest()
        request = Request("POST", "/wechat/1", query, {}, outer(SEALED))
        incoming = self.wechat.receive(request, opened, AT)
        assert isinstance(incoming, Incoming)
        assert b"mycreate" in incoming.body

    def test_a_document_type_is_refused(self) -> None:
        opened = self.wechat.open({"appid": CORP, **SECRETS})
        good = wechat({})
        evil = b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>'
        request = Request("POST", "/wechat/1", good.query, {}, evil)
        with pytest.raises(CarloopError) as error:
            self.wechat.receive(request, opened, AT)
        assert error.value.code == "xml_forbidden"
