"""Segment calls: who, what, when, and which traits become profile writes."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from carloop.connectors import PROTOCOLS
from carloop.connectors.protocol import Request
from carloop.core.events import SEGMENT_LIMITS, Decoded, ProfileOp, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import Malformed, TooLarge

SEGMENT = PROTOCOLS["segment"]
AT = 1_795_334_400_000  # 2026-11-22T08:00:00Z


def decode(body: Any, call: str = "batch") -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = Received(tenant=1, source=1, protocol="segment", received_at=AT, body=raw, hint=call)
    return SEGMENT.decode(received, SEGMENT_LIMITS)


def post(path: str, body: bytes, **headers: str) -> Request:
    return Request("POST", path, headers=headers, body=body)


def test_a_track_names_both_ids_and_keeps_its_properties_as_bytes() -> None:
    body = b'{"event":"Order Completed","userId":"u1","anonymousId":"a1","messageId":"m"'
    body += b',"properties":{"total": 1.50}}'
    (event,) = decode(body, "track").events
    assert (event.event, event.message_id) == ("Order Completed", "m")
    assert event.identifiers == [
        RawIdentifier("login_id", "u1"),
        RawIdentifier("anonymous_id", "a1"),
    ]
    assert event.properties == b'{"total": 1.50}'


def test_a_null_anonymous_id_and_a_numeric_user_id_are_fine() -> None:
    (event,) = decode({"type": "track", "event": "e", "userId": 7, "anonymousId": None}).events
    assert event.identifiers == [RawIdentifier("login_id", "7")]


def test_time_is_received_minus_the_age_at_sending() -> None:
    clock_an_hour_ahead = {
        "type": "track",
        "event": "e",
        "userId": "u",
        "timestamp": "2026-11-22T08:59:00.000Z",
    }
    batch = {"batch": [clock_an_hour_ahead], "sentAt": "2026-11-22T09:00:00.000Z"}
    assert decode(batch).events[0].occurred_at == AT - 60_000
    own = {**clock_an_hour_ahead, "sentAt": "2026-11-22T08:59:10.000Z"}
    assert decode({"batch": [own], "sentAt": "x"}).events[0].occurred_at == AT - 10_000
    assert decode({"batch": [clock_an_hour_ahead]}).events[0].occurred_at == AT + 59 * 60_000
    assert decode({"type": "track", "event": "e", "userId": "u"}).events[0].occurred_at == AT


def test_identify_writes_traits_from_both_places_and_flattens_them() -> None:
    body = {
        "userId": "u",
        "context": {"traits": {"email": "old@example.com", "plan": "a"}},
        "traits": {"email": "w@example.com", "address": {"city": "上海"}, "tags": [1], "x": None},
    }
    (event,) = decode(body, "identify").events
    assert event.event == "$identify"
    assert event.profile == [
        ProfileOp("set", "email", "w@example.com"),
        ProfileOp("set", "plan", "a"),
        ProfileOp("set", "address.city", "上海"),
        ProfileOp("set", "tags", ["1"]),
        ProfileOp("unset", "x"),
    ]


def test_page_carries_name_page_and_campaign_but_never_overrules_a_property() -> None:
    body = {
        "anonymousId": "a",
        "name": "Home",
        "category": "Docs",
        "properties": {"url": "https://e.example/own"},
        "context": {
            "page": {"url": "https://e.example/ctx", "path": "/ctx", "title": ""},
            "campaign": {"source": "baidu", "name": "spring"},
        },
    }
    (event,) = decode(body, "page").events
    assert event.event == "page_viewed"
    assert json.loads(event.properties) == {
        "url": "https://e.example/own",
        "path": "/ctx",
        "name": "Home",
        "category": "Docs",
        "utm_source": "baidu",
        "utm_campaign": "spring",
    }


def test_a_batch_may_hold_one_context_for_its_messages() -> None:
    track = {"type": "track", "event": "e", "userId": "u"}
    own = {**track, "context": {"campaign": {"source": "own"}}}
    shared = {"campaign": {"source": "shared"}, "traits": {"plan": "pro"}}
    identify = {"type": "identify", "userId": "u"}
    decoded = decode({"batch": [track, own, identify], "context": shared})
    sources = [json.loads(event.properties).get("utm_source") for event in decoded.events]
    assert sources == ["shared", "own", None]
    assert decoded.events[2].profile == [ProfileOp("set", "plan", "pro")]
    with pytest.raises(Malformed):
        decode({"batch": [track], "context": 7})


def test_screen_group_and_alias() -> None:
    screen, group, alias = decode(
        [
            {"type": "screen", "userId": "u", "name": "Cars"},
            {"type": "group", "userId": "u", "groupId": "g1", "traits": {"industry": "taxi"}},
            {"type": "alias", "userId": "u", "previousId": "a0"},
        ]
    ).events
    assert screen.event == "screen_viewed"
    assert json.loads(group.properties) == {"industry": "taxi", "group_id": "g1"}
    assert alias.identifiers == [RawIdentifier("login_id", "u")]
    assert not alias.bind
    assert group.profile == alias.profile == []


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"type": "track", "event": "e"}, "missing_identifier"),
        ({"type": "track", "userId": "u"}, "name_invalid"),
        ({"type": "nonsense", "userId": "u"}, "unknown_type"),
        ({"userId": "u"}, "unknown_type"),
        ({"type": "group", "userId": "u"}, "missing_identifier"),
        ({"type": "track", "event": "e", "userId": "u", "timestamp": "soon"}, "invalid_timestamp"),
        ({"type": "track", "event": "e", "userId": ["u"]}, "invalid_type"),
        ({"type": "track", "event": "e", "userId": "u" * 300}, "name_invalid"),
        ({"type": "track", "event": "e", "userId": "u", "properties": {"t": "x" * 33000}},)
        + ("too_large",),
        ({"type": "identify", "userId": "u", "traits": {"a": "\x00"}}, "nul"),
    ],
)
def test_a_bad_call_never_harms_its_neighbours(bad: dict[str, Any], code: str) -> None:
    good = {"type": "track", "event": "e", "userId": "u"}
    decoded = decode({"batch": [good, bad, good]})
    assert [e.index for e in decoded.events] == [0, 2]
    assert [(r.index, r.code) for r in decoded.rejected] == [(1, code)]


def test_gzip_is_undone_whatever_the_content_type_says() -> None:
    body = b'{"batch":[]}'
    form = {"content-type": "application/x-www-form-urlencoded"}
    packed = gzip.compress(body)
    for request in (
        post("/v1/batch", packed, **{**form, "content-encoding": "gzip"}),
        post("/v1/batch", packed, **form),
        post("/v1/batch", packed[:20] + packed[20:], **{"content-encoding": "gzip"}),
        post("/v1/batch", body),
    ):
        assert SEGMENT.unwrap(request, SEGMENT_LIMITS) == (body, "batch", False)


def test_a_bomb_and_a_torso_are_refused() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLarge, match="unpacked"):
        SEGMENT.unwrap(post("/v1/batch", bomb), SEGMENT_LIMITS)
    for torn in (gzip.compress(b'{"batch":[]}')[:-4], b"\x1f\x8bnonsense"):
        with pytest.raises(Malformed) as refusal:
            SEGMENT.unwrap(post("/v1/batch", torn), SEGMENT_LIMITS)
        assert refusal.value.code == "compression_broken"
    with pytest.raises(TooLarge):
        SEGMENT.unwrap(post("/v1/batch", b" " * 500_001), SEGMENT_LIMITS)
    with pytest.raises(Malformed):
        SEGMENT.unwrap(post("/v1/batch", b"{}", **{"content-encoding": "br"}), SEGMENT_LIMITS)


def test_the_pixel_takes_base64_and_answers_an_image() -> None:
    data = base64.urlsafe_b64encode(b'{"writeKey":"k","userId":"u","event":"e?>~"}').decode()
    request = Request("GET", "/pixel/v1/track", {"data": data.rstrip("=")})
    body, hint, _ = SEGMENT.unwrap(request, SEGMENT_LIMITS)
    assert SEGMENT.credentials(request) == ""
    assert SEGMENT.credentials_in(body) == "k"
    decoded = decode(body, hint)
    assert decoded.events[0].event == "e?>~"
    answer = SEGMENT.accepted(request, decoded)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.body[:6] == b"GIF89a"


def test_the_key_of_a_batch_and_of_a_beacon() -> None:
    assert SEGMENT.credentials_in(b'{"writeKey":"k","batch":[]}') == "k"
    assert SEGMENT.credentials(Request("POST", "/beacon/v1/batch", {"writeKey": "k"})) == "k"
