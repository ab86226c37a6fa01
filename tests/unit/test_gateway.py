"""The gateway as an ASGI application: keys, limits, origins, durable answers, static files."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from carloop.connectors import PROTOCOLS
from carloop.core.events import room_of
from carloop.core.write_keys import WriteKey, encode_write_keys
from carloop.gateway.app import Gateway
from carloop.gateway.health import Health
from carloop.gateway.ingest import Ingest
from carloop.gateway.keys import KeyRing
from carloop.gateway.metrics import Metrics
from carloop.gateway.proxy import EngineProxy
from carloop.gateway.sdk import Sdk
from carloop.gateway.static import Console
from carloop.stores.journal import SqliteJournal
from carloop.stores.vault.journal_keys import DayKeys

EVENT = {"message_id": "m1", "event": "visit", "identifiers": {"login_id": "u1"}}


def key(clear: str, **more: Any) -> WriteKey:
    digest = hashlib.sha256(clear.encode()).hexdigest()
    return WriteKey(hash=digest, tenant=1, source=7, **more)


def publish(path: Path, *keys: WriteKey) -> None:
    draft = path.with_suffix(".tmp")
    draft.write_bytes(encode_write_keys(keys))
    os.replace(draft, path)


class Rig:
    """A gateway over a real journal, called in process."""

    def __init__(self, directory: Path, day_keys: DayKeys) -> None:
        self.keys = directory / "keys.json"
        self.now = 1_763_798_400.0
        self.journal = SqliteJournal(directory / "journal.db", day_keys)
        self.metrics = Metrics()
        static = directory / "static"
        (static / "assets").mkdir(parents=True)
        (static / "index.html").write_text("<!doctype html><title>carloop</title>")
        (static / "assets" / "app-1a2b.js").write_text("export {};" * 500)
        sdk = directory / "sdk"
        sdk.mkdir()
        (sdk / "carloop.js").write_text("var carloop=1;" * 200)
        (sdk / "secret.js").write_text("not ours to show")
        engine = EngineProxy(directory / "no-engine.sock")
        ingest = Ingest(
            PROTOCOLS.values(), self.journal, KeyRing(self.keys), self.metrics, lambda: self.now
        )
        health = Health(engine, self.metrics, directory / "probe", lambda: [])
        self.app = Gateway(ingest, engine, Console(static), Sdk(sdk), health)

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://gw") as client:
            return await client.request(method, path, **more)

    async def send(self, body: Any, clear: str = "secret", **more: Any) -> httpx.Response:
        headers = {"x-write-key": clear, **more.pop("headers", {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.call("POST", "/api/events", content=content, headers=headers, **more)

    def kept(self) -> list[bytes]:
        return [b.received.body for b in self.journal.read(0, 1 << 30)]


@pytest.fixture
def rig(tmp_path: Path, day_keys: DayKeys) -> Iterator[Rig]:
    rig = Rig(tmp_path, day_keys)
    publish(rig.keys, key("secret"), key("shop", origins=("https://shop.example",)))
    yield rig
    rig.journal.close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


async def test_an_accepted_batch_is_in_the_journal_when_the_answer_comes(rig: Rig) -> None:
    answer = await rig.send({"events": [EVENT, {"event": "x"}]})
    assert answer.status_code == 200
    body = answer.json()
    assert body["accepted"] == 1
    assert [(r["index"], r["code"]) for r in body["rejected"]] == [(1, "missing_identifier")]
    assert len(rig.kept()) == 1
    [batch] = rig.journal.read(0, 1 << 30)
    assert (batch.received.tenant, batch.received.source, batch.received.protocol) == (1, 7, "own")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"", 400, "empty_body"),
        (b"7", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (gzip.compress(b"0" * 20_000_000), 413, "too_large_unpacked"),
        (b"[" + b" " * 5_000_000 + b"]", 413, "too_large"),
    ],
)
async def test_an_unreadable_body_is_refused_with_its_reason(
    rig: Rig, body: bytes, status: int, code: str
) -> None:
    answer = await rig.send(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["message"]
    assert rig.kept() == []


async def test_keys_are_needed_and_new_ones_work_at_once(rig: Rig) -> None:
    assert (await rig.call("POST", "/api/events", json=[EVENT])).json()["code"] == "key_missing"
    assert (await rig.send([EVENT], "wrong")).status_code == 401
    preflight = {"origin": "https://new.example"}
    publish(rig.keys, key("secret", origins=("https://shop.example",)))
    rig.now += 0.9
    assert (await rig.call("OPTIONS", "/api/events", headers=preflight)).status_code == 403
    publish(rig.keys, key("secret"), key("fresh"))
    assert (await rig.call("OPTIONS", "/api/events", headers=preflight)).status_code == 204
    assert (await rig.send([EVENT], "fresh")).status_code == 200
    publish(rig.keys, key("secret", expires_at=int(rig.now * 1000)))
    rig.now += 0.9
    assert (await rig.send([EVENT], "fresh")).status_code == 401
    assert (await rig.send([EVENT])).status_code == 401


async def test_a_key_in_the_body_works_too(rig: Rig) -> None:
    body = {"write_key": "secret", "events": [EVENT]}
    assert (await rig.call("POST", "/api/events", json=body)).status_code == 200


async def test_origins_and_preflight(rig: Rig) -> None:
    good = {"origin": "https://shop.example"}
    bad = {"origin": "https://evil.example"}
    assert (await rig.send([EVENT], "shop", headers=bad)).json()["code"] == "origin_not_allowed"
    assert (await rig.send([EVENT], "shop")).status_code == 403
    assert (await rig.send([EVENT], "shop")).json()["code"] == "origin_missing"
    page = {"referer": "https://shop.example/c5?from=wechat"}
    assert (await rig.send([EVENT], "shop", headers=page)).status_code == 200
    sent = await rig.send([EVENT], "shop", headers=good)
    assert sent.headers["access-control-allow-origin"] == "https://shop.example"
    asked = await rig.call(
        "OPTIONS", "/v1/batch", headers={**good, "access-control-request-headers": "content-type"}
    )
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-headers"] == "content-type"
    publish(rig.keys, key("shop", origins=("https://shop.example",)))
    rig.now += 1
    assert (await rig.call("OPTIONS", "/v1/batch", headers=bad)).status_code == 403


async def test_a_rate_is_enforced_and_recovers(rig: Rig) -> None:
    publish(rig.keys, key("slow", rate=2))
    rig.now += 1
    codes = [(await rig.send([EVENT], "slow")).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    rig.now += 0.5
    again = await rig.send([EVENT], "slow")
    assert again.status_code == 200
    assert (await rig.send([EVENT], "slow")).headers["retry-after"] == "1"


async def test_other_protocols_answer_under_their_paths(rig: Rig) -> None:
    segment = await rig.call(
        "POST", "/v1/track", json={"userId": "u", "event": "e"}, auth=("secret", "")
    )
    assert segment.status_code == 200
    assert (await rig.call("GET", "/any/prefix/sa.gif?project=p&token=secret")).status_code < 500
    assert (await rig.call("GET", "/api/sa")).json()["code"] == "engine_down"


async def test_the_rest_is_the_engines_and_says_so_while_it_is_away(rig: Rig) -> None:
    answer = await rig.call("GET", "/api/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_down")
    assert answer.headers["retry-after"] == "2"
    assert (await rig.call("GET", "/livez")).status_code == 200
    ready = await rig.call("GET", "/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["journal"] == {"ready": True}
    assert ready.json()["parts"]["engine"] == {"ready": False, "reason": "engine_down"}


async def test_metrics_count_what_happened(rig: Rig) -> None:
    await rig.send([EVENT, {"event": "x"}])
    await rig.send(b"{")
    text = (await rig.call("GET", "/metrics")).text
    assert 'carloop_gateway_events_accepted_total{protocol="own"} 1' in text
    assert (
        'carloop_gateway_events_rejected_total{protocol="own",code="missing_identifier"} 1' in text
    )
    assert 'carloop_gateway_requests_refused_total{protocol="own",code="malformed_json"} 1' in text
    assert "carloop_gateway_accept_seconds_count 1" in text


async def test_the_console_is_served_with_its_headers(rig: Rig) -> None:
    assert (await rig.call("GET", "/")).headers["location"] == "/console/"
    index = await rig.call("GET", "/console/persons/42")
    assert "carloop" in index.text
    assert index.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in index.headers["content-security-policy"]
    asset = await rig.call("GET", "/console/assets/app-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    assert asset.text == "export {};" * 500
    assert (await rig.call("GET", "/console/assets/gone.js")).status_code == 404
    assert (await rig.call("GET", "/console/%2e%2e/%2e%2e/keys.json")).status_code == 404


async def test_any_site_may_load_the_tracker_and_keep_it_for_a_while(rig: Rig) -> None:
    plain = await rig.call("GET", "/sdk/carloop.js", headers={"accept-encoding": "identity"})
    packed = await rig.call("GET", "/sdk/carloop.js", headers={"accept-encoding": "gzip"})
    assert (plain.status_code, packed.status_code) == (200, 200)
    assert plain.text == packed.text == "var carloop=1;" * 200
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["etag"] != packed.headers["etag"]
    for answer in (plain, packed):
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "max-age=3600" in answer.headers["cache-control"]
        same = {"if-none-match": answer.headers["etag"], "accept-encoding": "gzip, identity"}
        if answer is packed:
            again = await rig.call("GET", "/sdk/carloop.js", headers=same)
            assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["", "secret.js", "x/carloop.js", "carloop.mjs", "%00"])
async def test_nothing_but_the_tracker_is_under_sdk(rig: Rig, name: str) -> None:
    assert (await rig.call("GET", f"/sdk/{name}")).status_code == 404


async def test_pages_may_read_when_to_come_back(rig: Rig) -> None:
    answer = await rig.send(EVENT, headers={"origin": "https://www.example"})
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


async def test_a_source_may_be_given_more_room_on_the_segment_routes(rig: Rig) -> None:
    room = {"event_bytes": 65_536, "wire_bytes": 1_000_000}
    publish(rig.keys, key("usual"), key("roomy", **room))
    for where in ("header", "body"):
        for clear, size, status, rejected in (
            ("usual", 40_000, 200, 1),
            ("roomy", 40_000, 200, 0),
            ("roomy", 70_000, 200, 1),
            ("usual", 600_000, 413, 0),
            ("roomy", 600_000, 200, 1),
            ("roomy", 1_100_000, 413, 0),
        ):
            message = {"type": "track", "event": "e", "userId": "u", "messageId": f"{where}{size}",
                       "properties": {"text": "x" * size}}  # fmt: skip
            named = {"writeKey": clear} if where == "body" else {}
            auth = (clear, "") if where == "header" else None
            before = dict(rig.metrics.rejected)
            answer = await rig.call(
                "POST", "/v1/batch", content=json.dumps({"batch": [message], **named}), auth=auth
            )
            assert answer.status_code == status, (where, clear, size, answer.text)
            told = sum(rig.metrics.rejected.values()) - sum(before.values())
            assert told == rejected, (where, clear, size)


async def test_what_the_journal_keeps_is_decoded_under_the_same_limits_again(rig: Rig) -> None:
    publish(rig.keys, key("roomy", event_bytes=65_536))
    message = {"type": "track", "event": "e", "userId": "u", "messageId": "m",
               "properties": {"text": "x" * 40_000}}  # fmt: skip
    answer = await rig.call("POST", "/v1/track", content=json.dumps(message), auth=("roomy", ""))
    assert answer.status_code == 200
    (batch,) = rig.journal.read(0, 1 << 30)
    segment = PROTOCOLS["segment"]
    again = segment.decode(*room_of(batch.received, segment.limits))
    assert [e.event for e in again.events] == ["e"]
    assert segment.decode(batch.received, segment.limits).rejected[0].code == "too_large"
