"""The own protocol and the guard that every JSON body passes: bad input against its neighbours."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carloop.connectors import PROTOCOLS, ROUTES
from carloop.connectors.json_guard import guard_object, split
from carloop.connectors.protocol import Request
from carloop.core.events import OWN_LIMITS, Decoded, EntityRef, ProfileOp, Received
from carloop.core.identifiers import RawIdentifier
from carloop.kit.errors import CarloopError, Malformed, TooLarge

OWN = PROTOCOLS["own"]
AT = 1_763_798_400_000
GOOD = b'{"event":"lead_submitted","message_id":"good","identifiers":{"mobile":"13912345678"}}'


def decode(body: bytes | Any) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = Received(tenant=1, source=1, protocol="own", received_at=AT, body=raw)
    return OWN.decode(received, OWN_LIMITS)


def beside_good(bad: bytes) -> Decoded:
    """Decode a batch with a good event on either side of a bad one."""
    return decode(b'{"events":[' + GOOD + b"," + bad + b" , " + GOOD + b'],"write_key":"k"}')


def event(**fields: Any) -> dict[str, Any]:
    return {"event": "lead_submitted", "identifiers": {"mobile": "13912345678"}, **fields}


def test_an_event_with_everything_arrives_as_its_sender_meant_it() -> None:
    body = {
        "historical": True,
        "events": [
            {
                "message_id": "m1",
                "event": "lead_submitted",
                "occurred_at": "2026-11-22T16:00:00.123+08:00",
                "identifiers": [
                    {"type": "mobile", "value": 13912345678},
                    {"type": "openid", "namespace": "wx12", "value": "oABC"},
                ],
                "entities": [{"type": "dealer", "key": "D001"}],
                "properties": {"series": "C5"},
                "profile": {
                    "set": {"name": "王芳", "level": None},
                    "increment": {"visits": 2},
                    "append": {"interests": ["suv"]},
                    "unset": ["city"],
                },
            }
        ],
    }
    (envelope,) = decode(body).events
    assert envelope.occurred_at == 1_795_334_400_123  # date -d 2026-11-22T08:00:00.123Z +%s%3N
    assert envelope.identifiers == [
        RawIdentifier("mobile", "13912345678"),
        RawIdentifier("openid", "oABC", "wx12"),
    ]
    assert envelope.entities == [EntityRef("dealer", "D001")]
    assert json.loads(envelope.properties) == {"series": "C5"}
    assert envelope.historical
    assert envelope.profile == [
        ProfileOp("unset", "city"),
        ProfileOp("set", "name", "王芳"),
        ProfileOp("unset", "level"),
        ProfileOp("increment", "visits", 2),
        ProfileOp("append", "interests", ["suv"]),
    ]


@pytest.mark.parametrize(
    ("sent_at", "corrected"),
    [
        (AT, 0),
        (AT - 60_000, 0),
        (AT - 60_001, 60_001),
        (AT + 3_600_000, -3_600_000),
        ("2025-11-22T08:00:00+00:00", 0),
        ("2025-11-22T15:00:00+08:00", 3_600_000),
        (None, 0),
        ("yesterday", 0),
        (True, 0),
        ({"a": 1}, 0),
        (10**18, 0),
    ],
)
def test_a_clock_off_by_more_than_a_minute_is_corrected_by_the_time_of_sending(
    sent_at: Any, corrected: int
) -> None:
    happened = AT - 7_200_000
    body = {"sent_at": sent_at, "events": [event(occurred_at=happened), event(message_id="now")]}
    first, second = decode(body).events
    assert first.occurred_at == happened + corrected
    assert second.occurred_at == AT


def test_an_array_and_a_single_object_are_batches_too() -> None:
    assert len(decode([event(), event(message_id="2")]).events) == 2
    assert len(decode(event()).events) == 1


def test_identifiers_may_be_an_object_with_lists_and_namespaces() -> None:
    sent = {"mobile": ["1", 2], "openid": {"namespace": "wx", "value": "o"}}
    (envelope,) = decode({"event": "e", "identifiers": sent}).events
    assert envelope.identifiers == [
        RawIdentifier("mobile", "1"),
        RawIdentifier("mobile", "2"),
        RawIdentifier("openid", "o", "wx"),
    ]


def test_an_entity_alone_is_enough() -> None:
    body = {"event": "vehicle_listed", "entities": {"vehicle": "LFV3A23C8J3000001"}}
    assert decode(body).events[0].identifiers == []


def test_a_repeat_of_a_body_without_ids_is_the_same_event() -> None:
    first, again = decode(event()), decode(event())
    assert first.events[0].message_id == again.events[0].message_id
    assert first.events[0].message_id != decode(event(properties={"n": 1})).events[0].message_id


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":NaN}}', "malformed_json"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":1e400}}',)
        + ("number_out_of_range",),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":-1E999}}',)
        + ("number_out_of_range",),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":"x\\u0000"}}', "nul"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":"\\ud800"}}',)
        + ("malformed_json",),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":"\xff"}}', "invalid_utf8"),
        (b'{"event":"\xff","identifiers":{"mobile":"1"}}', "invalid_utf8"),
        (b'{"event":"e","identifiers":{"mobile":"1\\u0000"}}', "nul"),
        (b'{"event":"e","identifiers":{"mobile":true}}', "invalid_type"),
        (b'{"event":7,"identifiers":{"mobile":"1"}}', "invalid_type"),
        (b'{"event":"","identifiers":{"mobile":"1"}}', "name_invalid"),
        (b'{"event":"a\\nb","identifiers":{"mobile":"1"}}', "name_invalid"),
        (b'{"event":"e"}', "missing_identifier"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":[1]}', "invalid_type"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"occurred_at":"yesterday"}',)
        + ("invalid_timestamp",),
        (b'{"event":"e","identifiers":{"mobile":"1"},"occurred_at":"2026-11-22T08:00:00"}',)
        + ("invalid_timestamp",),
        (b'{"event":"e","identifiers":{"mobile":"1"},"occurred_at":-1}', "invalid_timestamp"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"profile":{"increment":{"n":"x"}}}',)
        + ("invalid_type",),
        (b"17", "invalid_type"),
        (b"tru", "malformed_json"),
        (b'{"event":"e","x":' + b"[" * 5000 + b"]" * 5000 + b"}", "too_deep"),
        (b'{"event":"e","x":"' + b"[" * 5000 + b'"}', "missing_identifier"),
        (b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":' + b"[" * 31, None),
    ],
)
def test_a_bad_event_never_harms_its_neighbours(bad: bytes, code: str | None) -> None:
    if code is None:
        bad, code = bad + b"]" * 31 + b"}}", "too_deep"
    decoded = beside_good(bad)
    assert [e.index for e in decoded.events] == [0, 2]
    assert [(r.index, r.code) for r in decoded.rejected] == [(1, code)]
    assert decoded.rejected[0].raw == bad


def test_thirty_two_levels_are_allowed_and_no_more() -> None:
    nested = b'{"event":"e","identifiers":{"mobile":"1"},"properties":{"a":%s%s}}'
    assert beside_good(nested % (b"[" * 30, b"]" * 30)).rejected == []
    assert beside_good(nested % (b"[" * 31, b"]" * 31)).rejected[0].code == "too_deep"


def test_five_hundred_keys_and_keys_of_two_hundred_are_allowed_and_no_more() -> None:
    def codes(properties: dict[str, Any]) -> list[str]:
        return [r.code for r in decode(event(properties=properties)).rejected]

    assert codes({f"k{i}": i for i in range(500)}) == []
    assert codes({f"k{i}": i for i in range(501)}) == ["too_many_keys"]
    assert codes({"k" * 200: 1, "v": "x" * 300}) == []
    assert codes({"k" * 201: 1}) == ["key_too_long"]


def test_an_event_over_its_size_is_rejected_alone() -> None:
    big = json.dumps(event(properties={"t": "x" * OWN_LIMITS.event})).encode()
    assert [r.code for r in beside_good(big).rejected] == ["too_large"]


def test_integers_beyond_int64_become_texts() -> None:
    (envelope,) = decode(event(properties={"n": 10**30, "m": 2**63 - 1, "z": -(2**63)})).events
    assert json.loads(envelope.properties) == {"n": str(10**30), "m": 2**63 - 1, "z": -(2**63)}


def test_the_last_of_two_equal_keys_wins_and_chinese_passes() -> None:
    (envelope,) = decode(
        '{"event":"看车","identifiers":{"mobile":"1"},"properties":{"a":"\\u738b😀芳"}}'.encode()
    ).events
    assert json.loads(envelope.properties) == {"a": "王😀芳"}
    assert envelope.event == "看车"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1,2", b"nonsense", b'"text"', b"\xff\xfe", b'{"events":', b"[" * 100_000]
    + [b'{"events":{}}', b'{"events":[],"historical":"x"}', b"]", b'[{"a":"]'],
)
def test_an_unreadable_body_is_refused_and_never_an_exception(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


def test_too_many_events_are_refused() -> None:
    with pytest.raises(TooLarge):
        decode([event()] * 2501)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 4_000_000,
        b'{"a":[NaN' + b',"events"' * 400_000 + b"]}",
        b"[" + b"," * 4_000_000 + b"]",
        b"[1" + b",1" * 2_000_000 + b"]",
        b'{"events":[' + b'{"a":' * 700_000 + b"]}",
    ],
)
def test_hostile_bodies_are_refused_quickly(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(CarloopError):
        decode(body)
    assert time.process_time() - started < 2


def test_the_key_may_stand_in_header_query_or_body() -> None:
    def key(**headers: str) -> str:
        return OWN.credentials(Request("POST", "/api/events", headers=headers))

    assert key(authorization="Basic d2s6") == "wk"
    assert key(authorization="Bearer wk") == "wk"
    assert key(authorization="Basic ???") == ""
    assert key(**{"x-write-key": "wk"}) == "wk"
    assert OWN.credentials(Request("POST", "/api/events", {"write_key": "wk"})) == "wk"
    assert OWN.credentials_in(b'{"write_key":"wk","events":[]}') == "wk"
    assert OWN.credentials_in(b"[]") == ""


def test_answers_say_what_was_taken() -> None:
    decoded = beside_good(b'{"event":"e"}')
    answer = OWN.accepted(Request("POST", "/api/events"), decoded)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "accepted": 2,
        "rejected": [{"index": 1, "code": "missing_identifier", "path": "identifiers"}],
    }
    refused = OWN.refused(Request("POST", "/api/events"), TooLarge("big", retry_after_seconds=3))
    assert (refused.status, refused.headers["retry-after"]) == (413, "3")
    assert json.loads(refused.body)["code"] == "too_large"


def test_every_route_names_one_protocol() -> None:
    assert len(ROUTES) == sum(len(p.routes) for p in PROTOCOLS.values())


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab€\\"', max_size=4), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text('abc\\"{', max_size=5), JSON_VALUES, max_size=5))
def test_harmless_properties_keep_their_meaning(properties: dict[str, Any]) -> None:
    raw = json.dumps(properties).encode()
    assert json.loads(guard_object(raw, OWN_LIMITS)) == properties


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_between_good_events_are_refused_or_rejected(junk: bytes) -> None:
    try:
        decoded = beside_good(junk)
    except CarloopError:
        return
    good = [e.index for e in decoded.events if e.message_id == "good"]
    assert good[:1] == [0]
    assert len(decoded.events) + len(decoded.rejected) >= 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text('ab,]}\\"', max_size=4), JSON_VALUES), min_size=1))
def test_splitting_a_broken_batch_finds_the_same_events(items: list[dict[str, Any]]) -> None:
    parts = [json.dumps(item).encode() for item in items]
    head, events = split(
        b'{"x":1,"events":[' + b" ,".join([*parts, b"NaN"]) + b"]}", "events", OWN_LIMITS
    )
    assert events == [*parts, b"NaN"]
    assert set(head) == {"x"}
