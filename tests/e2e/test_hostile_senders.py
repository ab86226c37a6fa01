"""What a running server says to whatever is sent to it, and what becomes of the neighbours."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Server, serving

WHO = b'"identifiers":{"login_id":"h-1"}'
EVENT = b'{"message_id":"%b","event":"page_viewed",' + WHO + b',"properties":%b}'


def properties(json_text: bytes) -> bytes:
    return b'{"event":"page_viewed",' + WHO + b',"properties":' + json_text + b"}"


MEMBERS = b",".join(b'"k%d":1' % n for n in range(501))
BAD = {
    "malformed_json": b'{"event":"page_viewed","identifiers":}',
    "NaN": properties(b'{"a":NaN}'),
    "Infinity": properties(b'{"a":-Infinity}'),
    "10^400": properties(b'{"a":1e400}'),
    "bad UTF-8": properties(b'{"a":"\xff\xfe"}'),
    "half a surrogate pair": properties(b'{"a":"\\ud800"}'),
    "NUL": properties(b'{"a":"x\\u0000y"}'),
    "NUL in a key": properties(b'{"a\\u0000":1}'),
    "deep": properties(b'{"a":' + b"[" * 60 + b"]" * 60 + b"}"),
    "many keys": properties(b"{" + MEMBERS + b"}"),
    "long key": properties(b'{"' + b"k" * 201 + b'":1}'),
    "oversize": properties(b'{"a":"' + b"x" * 300_000 + b'"}'),
    "properties as a list": properties(b"[1]"),
    "event as a number": b'{"event":7,' + WHO + b"}",
    "a number for an event": b"7",
    "null for an event": b"null",
    "empty name": b'{"event":"",' + WHO + b"}",
    "time without offset": b'{"event":"a","occurred_at":"2026-11-22T08:00:00",' + WHO + b"}",
    "time as a list": b'{"event":"a","occurred_at":[],' + WHO + b"}",
    "nobody": b'{"event":"page_viewed"}',
    "profile op unknown": b'{"event":"a","profile":{"drop":{}},' + WHO + b"}",
}
CODES = {
    "malformed_json": "malformed_json",
    "NaN": "malformed_json",
    "Infinity": "malformed_json",
    "10^400": "number_out_of_range",
    "bad UTF-8": "invalid_utf8",
    "half a surrogate pair": "malformed_json",
    "NUL": "nul",
    "NUL in a key": "nul",
    "deep": "too_deep",
    "many keys": "too_many_keys",
    "long key": "key_too_long",
    "oversize": "too_large",
    "properties as a list": "invalid_type",
    "event as a number": "invalid_type",
    "a number for an event": "invalid_type",
    "null for an event": "invalid_type",
    "empty name": "name_invalid",
    "time without offset": "invalid_timestamp",
    "time as a list": "invalid_type",
    "nobody": "missing_identifier",
    "profile op unknown": "invalid_type",
}
TAKEN = {
    "an integer beyond 64 bits": properties(b'{"a":123456789012345678901234567890}'),
    "the same key twice": properties(b'{"a":1,"a":2}'),
    "extra fields": b'{"event":"page_viewed","surprise":{"a":1},' + WHO + b"}",
    "no properties": b'{"event":"page_viewed",' + WHO + b"}",
}
WHOLE: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no body": (b"", {}, 400, "empty_body"),
    "not JSON": (b"{", {}, 400, "malformed_json"),
    "not even text": (b"\xff\xfe\x00", {}, 400, "malformed_json"),
    "endless nesting": (b"[" * 200_000, {}, 400, "malformed_json"),
    "a number": (b"7", {}, 400, "malformed_json"),
    "a gzip bomb": (
        gzip.compress(b" " * 300_000_000),
        {"content-encoding": "gzip"},
        413,
        "too_large_unpacked",
    ),
    "broken gzip": (
        gzip.compress(b"[]" * 99)[:20],
        {"content-encoding": "gzip"},
        400,
        "compression_broken",
    ),
    "an unknown encoding": (b"[]", {"content-encoding": "br"}, 400, "encoding_unsupported"),
    "too many bytes": (b"[" + b" " * 4_300_000 + b"]", {}, 413, "too_large"),
    "too many events": (b"[" + b",".join([b"{}"] * 2501) + b"]", {}, 413, "too_many_events"),
    "a wrong key": (b"[]", {"x-write-key": "no"}, 401, "key_invalid"),
    "no key": (b"[]", {"x-write-key": ""}, 401, "key_missing"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("hostile") / "data") as it:
        yield it


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return server.write_key("hostile")


def post(server: Server, key: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{server.url}/api/events", content=body, headers={"x-write-key": key, **headers}
    )


def stored(server: Server) -> set[str]:
    """The names that ``properties.n`` of the stored events carry."""
    names, cursor = set[str](), None
    with server.client(server.token()) as client:
        while True:
            asked = {"limit": "200", **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/events", params=asked).json()
            names |= {str(e["properties"].get("n")) for e in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                return names


def quarantined(server: Server) -> list[dict[str, Any]]:
    with server.client(server.token()) as client:
        items: list[dict[str, Any]] = client.get("/api/quarantine", params={"limit": "200"}).json()[
            "items"
        ]
        return items


def test_a_bad_event_goes_to_quarantine_and_its_neighbours_are_stored(
    server: Server, key: str
) -> None:
    said = {}
    for number, (name, bad) in enumerate({**BAD, **TAKEN}.items()):
        around = [
            EVENT
            % (b"m%d%b" % (number, side), json.dumps({"n": f"{name}/{side.decode()}"}).encode())
            for side in (b"a", b"b")
        ]
        answer = post(server, key, b"[" + b",".join([around[0], bad, around[1]]) + b"]")
        assert answer.status_code == 200, (name, answer.text)
        body = answer.json()
        said[name] = [(r["index"], r["code"]) for r in body["rejected"]]
        assert body["accepted"] == 3 - len(body["rejected"]), name
    assert said == {
        **{name: [(1, code)] for name, code in CODES.items()},
        **{name: [] for name in TAKEN},
    }
    server.settle()
    expected = {f"{name}/{side}" for name in (*BAD, *TAKEN) for side in "ab"}
    assert expected <= stored(server)
    kept = sorted((item["index"], item["code"]) for item in quarantined(server))
    assert kept == sorted((1, code) for code in CODES.values())


@pytest.mark.parametrize("name", WHOLE)
def test_an_unreadable_request_is_refused_with_its_reason(
    server: Server, key: str, name: str
) -> None:
    body, headers, status, code = WHOLE[name]
    answer = post(server, key, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_what_the_plan_refuses_is_stored_after_the_plan_changed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    bad = {"message_id": "p1", "event": "ad_clicked", "identifiers": {"login_id": "p-1"},
           "properties": {"n": "after the change"}}  # fmt: skip
    unknown = {"message_id": "u1", "event": "page_viewed", "identifiers": {"zodiac": "dragon"}}
    good = {"message_id": "g1", "event": "page_viewed", "identifiers": {"login_id": "p-1"},
            "properties": {"n": "neighbour"}}  # fmt: skip
    with serving(data) as server:
        answer = post(server, server.write_key(), json.dumps([bad, unknown, good]).encode())
        assert answer.status_code == 200, answer.text
        server.settle()
        kept = {(item["index"], item["code"]) for item in quarantined(server)}
        assert kept == {(0, "missing_property"), (1, "unknown_identifier_type")}
        assert stored(server) == {"neighbour"}
    with serving(data, CARLOOP_PACKS="") as server:
        with server.client(server.token()) as client:
            answer = client.post("/api/quarantine/replay", json={})
            assert answer.json() == {"replayed": 2, "gone": 0, "more": False}
        server.settle()
        assert stored(server) == {"neighbour", "after the change"}
        assert [item["code"] for item in quarantined(server)] == ["unknown_identifier_type"]
