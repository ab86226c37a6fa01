"""Webhooks: signatures, mappings, presets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from carloop.bootstrap.packs import load_catalogue
from carloop.connectors import HOOKS
from carloop.connectors.hook import Incoming
from carloop.connectors.mapping import compile_mapping
from carloop.connectors.protocol import Request, Response
from carloop.core.events import OWN_LIMITS, Decoded, EntityRef, Envelope, ProfileOp, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import InvalidInput, Unauthenticated
from tests.support.connectors import AT, MAPPING

WEBHOOK = HOOKS["webhook"]
NOW = AT // 1000


def decode(mapping: dict[str, Any], body: Any) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = Received(
        tenant=1, source=1, protocol="webhook", received_at=AT, body=raw, hint=json.dumps(mapping)
    )
    return WEBHOOK.decode(received, OWN_LIMITS)


def one(mapping: dict[str, Any], body: Any) -> Envelope:
    decoded = decode(mapping, body)
    assert decoded.rejected == []
    (event,) = decoded.events
    return event


def receive(settings: dict[str, Any], now_ms: int = AT, **request: Any) -> Incoming | Response:
    opened = WEBHOOK.open({"mapping": MAPPING, **settings})
    return WEBHOOK.receive(Request("POST", "/webhooks/1", **request), opened, now_ms)


def refusal(settings: dict[str, Any], now_ms: int = AT, **request: Any) -> str:
    with pytest.raises(Unauthenticated) as error:
        receive(settings, now_ms, **request)
    return error.value.code


BODY = b'{"leads":[]}'


class TestSignatures:
    def test_the_published_vector_of_rfc_4231(self) -> None:
        """Test case 2 of RFC 4231: key "Jefe", HMAC-SHA-256 and HMAC-SHA-512."""
        data = b"what do ya want for nothing?"
        for algorithm, digest in (
            ("hmac-sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "hmac-sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ):
            settings = {"algorithm": algorithm, "secret": "Jefe", "content": "form"}
            assert isinstance(
                receive(settings, body=data, headers={"x-signature": digest}), Incoming
            )
            code = refusal(settings, body=data + b" ", headers={"x-signature": digest})
            assert code == "signature_wrong"

    def test_a_timestamp_is_signed_and_grows_old(self) -> None:
        settings = {"algorithm": "hmac-sha256", "secret": "s", "signed": "{timestamp}.{body}",
                    "timestamp_name": "X-Time", "signature_name": "X-Sign",
                    "prefix": "sha256=", "tolerance_seconds": 60}  # fmt: skip
        signature = hmac.new(b"s", b"%d." % NOW + BODY, "sha256").hexdigest()
        headers = {"x-time": str(NOW), "x-sign": f"sha256={signature}"}
        assert isinstance(receive(settings, body=BODY, headers=headers), Incoming)
        assert isinstance(receive(settings, AT + 60_000, body=BODY, headers=headers), Incoming)
        assert refusal(settings, AT + 61_000, body=BODY, headers=headers) == "timestamp_stale"
        later = {**headers, "x-time": str(NOW + 1)}
        assert refusal(settings, body=BODY, headers=later) == "signature_wrong"
        assert refusal(settings, body=BODY, headers={"x-sign": "x"}) == "signature_wrong"
        assert refusal(settings, body=BODY) == "signature_missing"
        bare = {"x-sign": headers["x-sign"]}
        assert refusal(settings, body=BODY, headers=bare) == "timestamp_missing"

    def test_a_plain_digest_in_the_query_and_two_secrets(self) -> None:
        settings = {"algorithm": "md5", "secret": "new", "old_secret": "old", "encoding": "base64",
                    "signature_in": "query", "signature_name": "sign",
                    "signed": "{nonce}{body}{secret}",
                    "nonce_in": "query", "nonce_name": "n"}  # fmt: skip
        for secret in ("new", "old"):
            digest = hashlib.md5(b"r1" + BODY + secret.encode(), usedforsecurity=False).digest()
            query = {"n": "r1", "sign": base64.b64encode(digest).decode()}
            assert isinstance(receive(settings, body=BODY, query=query), Incoming)
        assert refusal(settings, body=BODY, query={"n": "r1", "sign": "AAAA"}) == "signature_wrong"

    @pytest.mark.parametrize(
        ("settings", "path"),
        [
            ({"mapping": None}, "mapping"),
            ({"algorithm": "hmac-sha256"}, "secret"),
            ({"algorithm": "md5", "secret": "s", "signed": "{body}"}, "signed"),
            ({"algorithm": "hmac-sha256", "secret": "s", "signed": "{timestamp}"}, "signed"),
            (
                {"algorithm": "hmac-sha256", "secret": "s", "signed": "{timestamp}{body}"},
                "timestamp_name",
            ),
            ({"algorithm": "rot13"}, "algorithm"),
            ({"surprise": 1}, "surprise"),
            ({"mapping": {"event": "e"}}, "mapping.identifiers"),
            ({"mapping": {**MAPPING, "items": "a..b"}}, "mapping.items"),
            ({"mapping": {**MAPPING, "extra": 1}}, "mapping"),
            ({"mapping": {**MAPPING, "occurred_at": {"path": "a", "zone": "Mars/One"}}},
             "mapping.occurred_at.zone"),
        ],
    )  # fmt: skip
    def test_wrong_settings_name_their_path(self, settings: dict[str, Any], path: str) -> None:
        with pytest.raises(InvalidInput) as error:
            WEBHOOK.open({"mapping": MAPPING, **settings})
        assert error.value.path == path


class TestMapping:
    def test_every_kind_of_source_of_a_value(self) -> None:
        mapping = {
            "items": "data.clues[]",
            "event": {"path": "kind", "map": {"1": "lead_submitted", "2": "call_received"}},
            "message_id": {"path": "id", "prefix": "x:"},
            "occurred_at": {
                "path": "at",
                "time": "%Y/%m/%d %H:%M",
                "zone": "Asia/Shanghai",
            },
            "identifiers": [
                {"type": "mobile", "paths": ["phone", "tel"]},
                {"type": "openid", "path": "wx.id", "namespace": {"path": "$.app"}},
                {"type": "email", "path": "mails", "split": ","},
            ],
            "entities": [{"type": "dealer", "path": "shop\\.code"}],
            "properties": {
                "channel": {"value": "fair"},
                "series": "form[label=意向车系].value",
                "second": "list[1]",
                "price": {"path": "price", "type": "number"},
                "test": {"path": "test", "type": "boolean"},
                "remark": {"path": "extra.note", "default": "-"},
                "absent": "nowhere.at.all",
            },
            "profile": {"set": {"name": "name"}, "append": {"interests": "list"}},
        }
        lead = {
            "id": 7, "kind": 1, "at": "2026/11/22 16:00", "tel": "13912345678", "phone": "",
            "wx": {"id": "o1"}, "mails": "a@example.com, b@example.com", "shop.code": "D001",
            "form": [{"label": "城市", "value": "上海"}, {"label": "意向车系", "value": "C5"}],
            "list": ["suv", "ev"], "price": "19.8", "test": "否", "extra": '{"note":"晚上"}',
            "name": "王芳",
        }  # fmt: skip
        event = one(mapping, {"app": "wx9", "data": {"clues": [lead]}})
        assert (event.event, event.message_id, event.occurred_at) == ("lead_submitted", "x:7", AT)
        assert event.identifiers == [
            RawIdentifier("mobile", "13912345678"),
            RawIdentifier("openid", "o1", "wx9"),
            RawIdentifier("email", "a@example.com"),
            RawIdentifier("email", "b@example.com"),
        ]
        assert event.entities == [EntityRef("dealer", "D001")]
        assert json.loads(event.properties) == {
            "channel": "fair", "series": "C5", "second": "ev", "price": 19.8, "test": False,
            "remark": "晚上",
        }  # fmt: skip
        assert event.profile == [
            ProfileOp("set", "name", "王芳"),
            ProfileOp("append", "interests", ["suv", "ev"]),
        ]

    @pytest.mark.parametrize(
        ("source", "value", "code"),
        [
            ({"path": "a", "map": {"x": "y"}}, "z", "not_mapped"),
            ({"path": "a", "required": True}, None, "missing_value"),
            ({"path": "a", "type": "number"}, "many", "invalid_type"),
            ({"path": "a", "time": "iso"}, "soon", "invalid_timestamp"),
        ],
    )
    def test_what_does_not_fit_is_kept_with_its_reason(
        self, source: dict[str, Any], value: Any, code: str
    ) -> None:
        mapping = {"event": "e", "items": "$", "identifiers": [{"type": "login_id", "path": "u"}],
                   "properties": {"p": source}}  # fmt: skip
        decoded = decode(mapping, [{"u": "1", "a": value}, {"u": "2", "a": None}])
        assert decoded.rejected[0].code == code
        assert decoded.rejected[0].path == "properties.p"

    def test_a_list_that_is_not_there_and_members_nobody_reads(self) -> None:
        decoded = decode(MAPPING, {"other": []})
        assert [(bad.code, bad.path) for bad in decoded.rejected] == [("items_missing", "items")]
        compiled = compile_mapping(json.dumps(MAPPING))
        assert compiled.unread({"id": 1, "who": "u", "new_field": 2}) == ["new_field"]

    def test_a_lead_without_id_is_its_content(self) -> None:
        mapping = {k: v for k, v in MAPPING.items() if k != "message_id"}
        first = one(mapping, {"leads": [{"who": "u", "a": 1}]})
        assert first.message_id == one(mapping, {"leads": [{"who": "u", "a": 1}]}).message_id
        assert first.message_id != one(mapping, {"leads": [{"who": "u", "a": 2}]}).message_id


LEADS: dict[str, dict[str, Any]] = {
    "ocean_engine": {"clue_id": "k1", "telphone": "13912345678", "name": "王芳",
                     "create_time": "2026-11-22 16:00:00", "ad_name": "秋季"},
    "tencent_ads": {"leads_id": 71, "leads_telephone": "13912345678", "leads_name": "王芳",
                    "leads_action_time": NOW, "click_id": "c1"},
    "baidu_marketing": {"clueId": "b1", "cluePhoneNumber": "13912345678", "userName": "王芳",
                        "commitTime": "2026-11-22 16:00:00"},
    "autohome": {"leadsId": 5, "phone": "13912345678", "name": "王芳",
                 "createTime": "2026-11-22 16:00:00", "seriesName": "C5", "dealerId": "D001"},
    "dongchedi": {"clue_id": "d1", "phone": "13912345678", "user_name": "王芳",
                  "create_time": NOW, "series_name": "C5"},
    "yiche": {"orderId": "y1", "mobile": "13912345678", "userName": "王芳",
              "createTime": "2026-11-22 16:00:00", "serialName": "C5"},
    "google_ads": {"lead_id": "g1", "campaign_id": 9, "is_test": True, "user_column_data": [
        {"column_id": "PHONE_NUMBER", "string_value": "13912345678"},
        {"column_id": "FULL_NAME", "string_value": "王芳"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "preset", load_catalogue("automotive").packs[0].webhook_presets, ids=lambda p: p.name
)
def test_a_preset_makes_a_lead_of_its_platforms_words(preset: Any) -> None:
    assert preset.documented or preset.assumed
    opened = WEBHOOK.open(dict(preset.settings))
    assert opened.key_needed
    event = one(json.loads(opened.hint()), LEADS[preset.name])
    assert (event.event, event.occurred_at) == ("lead_submitted", AT)
    assert event.identifiers == [RawIdentifier("mobile", "13912345678")]
    assert json.loads(event.properties)["channel"] == preset.name
    assert ProfileOp("set_once", "name", "王芳") in event.profile
    assert event.message_id.startswith(f"{preset.name}:")
