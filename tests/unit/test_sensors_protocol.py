"""Sensors records: every transport, identities, binding, and the traps of the format."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from carloop.connectors import PROTOCOLS
from carloop.connectors.protocol import Request
from carloop.connectors.sensors_form import java_hash
from carloop.core.events import SENSORS_LIMITS, Decoded, EntityRef, ProfileOp, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import Malformed

SENSORS = PROTOCOLS["sensors"]
AT = 1_795_334_400_000


def decode(records: Any) -> Decoded:
    raw = records if isinstance(records, bytes) else json.dumps(records).encode()
    received = Received(tenant=1, source=1, protocol="sensors", received_at=AT, body=raw)
    return SENSORS.decode(received, SENSORS_LIMITS)


def record(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "e", "distinct_id": "d", "time": AT, **fields}


def unwrap(request: Request) -> Any:
    return json.loads(SENSORS.unwrap(request, SENSORS_LIMITS).body)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


RECORD = json.dumps(record(properties={"a": "看车+>?"})).encode()


@pytest.mark.parametrize(
    "request_",
    [
        Request(
            "POST", "/sa", body=urlencode({"data": b64(gzip.compress(RECORD)), "gzip": 1}).encode()
        ),
        Request("POST", "/sa", body=urlencode({"data_list": b64(b"[" + RECORD + b"]")}).encode()),
        Request("POST", "/sa", body=b"data=" + b64(RECORD).encode() + b"&gzip=0"),
        Request("GET", "/sa.gif", {"data": b64(RECORD), "ext": f"crc={java_hash(b64(RECORD))}"}),
        Request(
            "POST",
            "/sa.gif",
            headers={"content-type": "text/plain;charset=UTF-8"},
            body=urlencode({"data": b64(RECORD), "ext": f"crc={java_hash(b64(RECORD))}"}).encode(),
        ),
    ],
)
def test_every_transport_carries_the_same_record(request_: Request) -> None:
    found = unwrap(request_)
    assert (found[0] if isinstance(found, list) else found) == json.loads(RECORD)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "empty_body"),
        ({"data": "!!!"}, "base64_broken"),
        ({"data": b64(RECORD), "ext": "crc=1"}, "checksum_wrong"),
        ({"data": b64(b"\x1f\x8b123")}, "compression_broken"),
        ({"data": b64(b"x"), "gzip": "9"}, "encryption_unsupported"),
    ],
)
def test_an_unreadable_form_is_refused(form: dict[str, str], code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        SENSORS.unwrap(Request("GET", "/sa.gif", form), SENSORS_LIMITS)
    assert refusal.value.code == code


def test_distinct_id_is_an_anonymous_id_unless_it_says_otherwise() -> None:
    anonymous, login = decode([record(), record(properties={"$is_login_id": True, "n": 1})]).events
    assert anonymous.identifiers == [RawIdentifier("anonymous_id", "d")]
    assert login.identifiers == [RawIdentifier("login_id", "d")]
    assert json.loads(login.properties) == {"n": 1}


def test_signup_binds_the_login_to_the_earlier_visitor() -> None:
    (event,) = decode(
        record(type="track_signup", event="$SignUp", distinct_id="login", original_id="visitor")
    ).events
    assert event.bind
    assert event.identifiers == [
        RawIdentifier("login_id", "login"),
        RawIdentifier("anonymous_id", "visitor"),
    ]


def test_identities_bind_and_unbind_without_a_repeat_of_distinct_id() -> None:
    both = {"$identity_mobile": "13912345678", "$identity_email": "a@example.com"}
    bound, cut = decode(
        [
            record(
                type="track_id_bind",
                event="$BindID",
                distinct_id="$identity_mobile+13912345678",
                identities=both,
            ),
            record(type="track_id_unbind", event="$UnbindID", identities={"$identity_email": "a@e"})
            | {"distinct_id": "$identity_email+a@e"},
        ]
    ).events
    assert bound.bind
    assert bound.identifiers == [RawIdentifier(k, v) for k, v in both.items()]
    assert cut.unbind
    assert cut.identifiers == [RawIdentifier("$identity_email", "a@e")]


def test_profile_records_become_operations() -> None:
    kinds: list[tuple[str, dict[str, Any], list[ProfileOp]]] = [
        ("profile_set", {"$name": "王"}, [ProfileOp("set", "$name", "王")]),
        ("profile_set_once", {"a": True}, [ProfileOp("set_once", "a", True)]),
        ("profile_increment", {"n": 2}, [ProfileOp("increment", "n", 2)]),
        ("profile_append", {"tags": ["a"]}, [ProfileOp("append", "tags", ["a"])]),
        ("profile_unset", {"a": True}, [ProfileOp("unset", "a")]),
        ("profile_delete", {}, [ProfileOp("delete")]),
    ]
    for type_, properties, ops in kinds:
        (event,) = decode(record(type=type_, event=None, properties=properties)).events
        assert (event.event, event.profile, event.properties) == ("$identify", ops, b"{}")


def test_an_item_is_an_entity_and_names_nobody() -> None:
    item = {"type": "item_set", "item_type": "car", "item_id": "C5", "properties": {"price": 1}}
    (event,) = decode(item).events
    assert (event.event, event.identifiers) == ("$item_set", [])
    assert event.entities == [EntityRef("car", "C5")]


def test_milliseconds_without_padding_are_whole_milliseconds() -> None:
    sent = {"a": "2026-01-01 02:03:04.5", "b": "2026-01-01 02:03:04.45", "c": "2026-01-01 2.5"}
    (event,) = decode(record(properties=sent)).events
    assert json.loads(event.properties) == {
        "a": "2026-01-01 02:03:04.005",
        "b": "2026-01-01 02:03:04.045",
        "c": "2026-01-01 2.5",
    }


def test_a_wrong_clock_is_corrected_and_a_right_one_is_left_alone() -> None:
    day = 86_400_000
    ahead = record(time=AT + day - 5000, _flush_time=AT + day)
    late = record(time=AT - 7 * day, _flush_time=AT - 40)
    seconds = record(time=AT // 1000)
    assert [e.occurred_at for e in decode([ahead, late, seconds]).events] == [
        AT - 5000,
        AT - 7 * day,
        AT,
    ]


def test_a_repeat_has_the_same_id_whenever_it_was_flushed() -> None:
    def ids(*records: dict[str, Any]) -> list[str]:
        return [e.message_id for e in decode(list(records)).events]

    first, again = ids(record(_track_id=1, _flush_time=AT), record(_track_id=1, _flush_time=AT + 9))
    assert first == again
    assert len(set(ids(record(_track_id=1), record(_track_id=2), record(distinct_id="x")))) == 3


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"event": "1st"}, "name_invalid"),
        ({"event": "user_tag_x"}, "name_invalid"),
        ({"event": "Distinct_ID"}, "name_invalid"),
        ({"event": "x" * 101}, "name_invalid"),
        ({"event": None}, "name_invalid"),
        ({"properties": {"bad key": 1}}, "name_invalid"),
        ({"properties": {"time": 1}}, "name_invalid"),
        ({"properties": {"a": {"b": 1}}}, "invalid_type"),
        ({"properties": {"a": [1]}}, "invalid_type"),
        ({"properties": {"a": "x" * 8192}}, "text_too_long"),
        ({"properties": [1]}, "invalid_type"),
        ({"distinct_id": ""}, "missing_identifier"),
        ({"distinct_id": None}, "missing_identifier"),
        ({"distinct_id": "x" * 256}, "name_invalid"),
        ({"time": "soon"}, "invalid_timestamp"),
        ({"time": -1}, "invalid_timestamp"),
        ({"type": "nonsense"}, "unknown_type"),
        ({"type": "profile_increment", "properties": {"n": "x"}}, "invalid_type"),
        ({"type": "item_set", "item_type": "car"}, "missing_identifier"),
    ],
)
def test_a_bad_record_never_harms_its_neighbours(fields: dict[str, Any], code: str) -> None:
    decoded = decode([record(), record(**fields), record()])
    assert [e.index for e in decoded.events] == [0, 2]
    assert [(r.index, r.code) for r in decoded.rejected] == [(1, code)]


def test_debug_checks_only_on_a_dry_run_and_says_what_is_wrong() -> None:
    form = {"data": b64(RECORD)}
    dry = Request("GET", "/debug", form, {"dry-run": "true"})
    assert SENSORS.unwrap(dry, SENSORS_LIMITS).check_only
    wet = Request("GET", "/debug", form, {"dry-run": "false"})
    assert not SENSORS.unwrap(wet, SENSORS_LIMITS).check_only
    assert not SENSORS.unwrap(Request("GET", "/sa", form, {"dry-run": "true"}), SENSORS_LIMITS)[2]
    bad = decode(record(event="1st"))
    assert SENSORS.accepted(dry, bad).status == 400
    assert SENSORS.accepted(Request("POST", "/sa"), bad).status == 200
    assert SENSORS.accepted(Request("GET", "/sa.gif"), bad).headers["content-type"] == "image/gif"


def test_the_token_may_stand_in_the_query_or_in_the_record() -> None:
    assert SENSORS.credentials(Request("POST", "/sa", {"project": "p", "token": "k"})) == "k"
    assert SENSORS.credentials_in(json.dumps([record(token="k")]).encode()) == "k"
    assert SENSORS.credentials_in(RECORD) == ""


@pytest.mark.parametrize("text", ["", "a", "carloop", "看车", "x" * 5000])
def test_java_hash_equals_the_plain_loop(text: str) -> None:
    expected = 0
    for char in text:
        expected = (expected * 31 + ord(char)) & 0xFFFFFFFF
    assert java_hash(text) == expected - (expected >> 31 << 32)
