"""What every way in owes its senders, whatever it is called and however it is written."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carloop.connectors import DECODERS, HOOKS, PROTOCOLS
from carloop.connectors.protocol import Request
from carloop.core.events import Decoded, Received
from carloop.core.hooks import Hook, encode_hooks, seal_secrets
from carloop.core.write_keys import WriteKey, encode_write_keys
from carloop.gateway.hooks import HookRing
from carloop.gateway.ingest import Ingest
from carloop.gateway.keys import KeyRing
from carloop.gateway.metrics import Metrics
from carloop.kit.errors import CarloopError
from carloop.stores.journal import SqliteJournal
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import MasterKey
from tests.support.connectors import (
    AT,
    KEY,
    PEERS,
    SETTINGS,
    SOURCE,
    Peer,
    code_of,
    post,
    signed,
    taken,
    wechat,
)

GOOD = b'"fine"'
BAD_VALUES = {
    "NaN": (b"NaN", {"malformed_json", "number_out_of_range"}),
    "10^400": (b"1e400", {"number_out_of_range"}),
    "bad UTF-8": (b'"\xff\xfe"', {"invalid_utf8"}),
    "NUL": (b'"x\\u0000y"', {"nul"}),
    "deep": (b"[" * 60 + b"]" * 60, {"too_deep"}),
    "oversize": (b'"' + b"x" * 300_000 + b'"', {"too_large", "text_too_long"}),
}
ADF = b"""<?ADF VERSION="1.0"?><?xml version="1.0"?><adf><prospect><id source="s">%b</id>
<requestdate>2026-11-22T8:47:50-08:0</requestdate><vehicle interest="buy"><year>2026</year>
<make>Volvo</make><model>EX30</model></vehicle><customer><contact><name part="full">Ann Lee</name>
<phone type="voice">13912345678</phone><email>ann@example.com</email></contact></customer>
<vendor><id>D001</id></vendor></prospect></adf>"""
SUBSCRIBED = {"ToUserName": "gh_1", "FromUserName": "oUser1", "CreateTime": str(AT // 1000),
              "MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_c5"}  # fmt: skip
WHOLE = {
    **{peer.name: peer.batch([peer.event("m1", GOOD)]) for peer in PEERS},
    "adf": post("/adf", ADF % b"L1", content_type="application/x-adf+xml"),
    "wechat": wechat(SUBSCRIBED),
}
peers = pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])


def with_body(request: Request, body: bytes) -> Request:
    return (
        signed(body)
        if request.path.startswith("/webhooks")
        else Request(request.method, request.path, request.query, request.headers, body)
    )


def test_every_way_in_is_under_contract() -> None:
    assert {*WHOLE, "wecom"} == DECODERS.keys()


@peers
@pytest.mark.parametrize("bad", BAD_VALUES)
def test_a_bad_event_never_harms_its_neighbours(peer: Peer, bad: str) -> None:
    value, codes = BAD_VALUES[bad]
    events = [peer.event("m1", GOOD), peer.event("m2", value), peer.event("m3", GOOD)]
    decoded, answer = taken(peer.batch(events))
    assert [event.index for event in decoded.events] == [0, 2]
    ((index, code),) = [(r.index, r.code) for r in decoded.rejected]
    assert index == 1
    assert code in codes
    assert decoded.rejected[0].raw
    assert answer.status == 200


@peers
@pytest.mark.parametrize("wrong", [b"7", b"null", b'"text"', b"[]", b"{}", b'{"event":[]}'])
def test_an_event_of_the_wrong_type_is_kept_with_its_reason(peer: Peer, wrong: bytes) -> None:
    decoded, _ = taken(peer.batch([peer.event("m1", GOOD), wrong, peer.event("m3", GOOD)]))
    assert {event.index for event in decoded.events} == {0, 2}
    assert [bad.index for bad in decoded.rejected] == [1]
    assert decoded.rejected[0].code


@pytest.mark.parametrize("name", WHOLE)
def test_a_repeat_is_the_same_event_and_decoding_is_deterministic(name: str) -> None:
    first, again = taken(WHOLE[name])[0], taken(WHOLE[name])[0]
    assert first == again
    assert len(first.events) == 1
    later = taken(WHOLE[name], AT + 3_600_000)[0]
    assert [e.message_id for e in later.events] == [e.message_id for e in first.events]


@peers
def test_two_events_with_two_ids_are_two(peer: Peer) -> None:
    decoded, _ = taken(peer.batch([peer.event("m1", GOOD), peer.event("m2", GOOD)]))
    assert len({event.message_id for event in decoded.events}) == 2


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b"", {"empty_body"}),
        (b"{", {"malformed_json", "invalid_type", "xml_broken", "empty_body"}),
        (b"\xff\xfe\x00", {"malformed_json", "xml_broken", "form_broken"}),
        (b"[" * 200_000, {"malformed_json", "too_deep", "xml_broken", "empty_body"}),
        (gzip.compress(b" " * 300_000_000), {"too_large_unpacked"}),
        (gzip.compress(b"{}" * 99)[:20], {"compression_broken"}),
        (b"[" + b" " * 4_300_000 + b"]", {"too_large"}),
    ],
    ids=["empty", "cut off", "not text", "nested", "bomb", "torso", "oversize"],
)
def test_an_unreadable_body_is_refused(name: str, body: bytes, codes: set[str]) -> None:
    assert code_of(with_body(WHOLE[name], body)) in codes


@peers
def test_too_many_events_are_refused(peer: Peer) -> None:
    assert code_of(peer.batch([peer.event("m", b"1")] * 2501)) in ("too_many_events", "too_large")


class Rig:
    """The gateway's ingest over a real journal, called in process."""

    def __init__(self, directory: Path, day_keys: DayKeys) -> None:
        cipher = VaultCipher(MasterKey(b"k" * 32))
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        keys = directory / "keys.json"
        keys.write_bytes(encode_write_keys([WriteKey(hash=digest, tenant=1, source=SOURCE)]))
        self.hooks = directory / "hooks.json"
        self.cipher = cipher
        self.now = AT / 1000
        self.version = 0
        ring = HookRing(HOOKS.values(), self.hooks, cipher)
        self.journal = SqliteJournal(directory / "journal.db", day_keys)
        self.ingest = Ingest(
            PROTOCOLS.values(), self.journal, KeyRing(keys), Metrics(), lambda: self.now, hooks=ring
        )

    def publish(self, protocol: str, settings_: dict[str, Any]) -> None:
        self.version += 1
        self.now += 1
        names = ("secret", "token", "aes_key")
        secrets: dict[str, Any] = {k: settings_[k] for k in names if k in settings_}
        public = {k: v for k, v in settings_.items() if k not in secrets}
        key, sealed = seal_secrets(self.cipher, 1, SOURCE, secrets)
        hook = Hook(
            tenant=1, source=SOURCE, protocol=protocol, version=self.version,
            settings=json.dumps(public), key=key, sealed=sealed,
        )  # fmt: skip
        self.hooks.write_bytes(encode_hooks([hook]))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        way = self.ingest.protocol(scope["method"], scope["path"])
        assert way is not None, scope["path"]
        await self.ingest.answer(way, scope, receive, send)

    async def send(self, request: Request) -> httpx.Response:
        transport = httpx.ASGITransport(app=self, client=("127.0.0.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://gw") as client:
            return await client.request(
                request.method, request.path, params=dict(request.query),
                headers=dict(request.headers), content=request.body,
            )  # fmt: skip

    def kept(self) -> list[Received]:
        return [batch.received for batch in self.journal.read(0, 1 << 30)]


@pytest.fixture
def rig(tmp_path: Path, day_keys: DayKeys) -> Iterator[Rig]:
    rig = Rig(tmp_path, day_keys)
    yield rig
    rig.journal.close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("name", WHOLE)
async def test_the_gateway_keeps_it_and_a_wrong_key_keeps_nothing(rig: Rig, name: str) -> None:
    if name in HOOKS:
        rig.publish(name, SETTINGS[name])
    request = WHOLE[name]
    headers = {**request.headers, "x-write-key": "wrong", "x-signature": "0" * 64}
    query = {**request.query, "signature": "0" * 40}
    strange = Request(request.method, request.path, query, headers, request.body)
    answer = await rig.send(strange)
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] in ("key_invalid", "signature_wrong")
    assert rig.kept() == []
    answer = await rig.send(request)
    assert answer.status_code == 200, answer.text
    (received,) = rig.kept()
    assert (received.tenant, received.source, received.protocol) == (1, SOURCE, name)
    decoded = DECODERS[name].decode(received, DECODERS[name].limits)
    assert len(decoded.events) == 1


@pytest.mark.anyio
async def test_a_hook_without_signature_needs_a_key_of_its_own_source(rig: Rig) -> None:
    rig.publish("webhook", {"mapping": SETTINGS["webhook"]["mapping"]})
    body = WHOLE["webhook"].body
    path = WHOLE["webhook"].path
    assert (await rig.send(Request("POST", path, body=body))).json()["code"] == "key_missing"
    good = Request("POST", path, {"write_key": KEY}, body=body)
    assert (await rig.send(good)).status_code == 200
    other = Request("POST", "/webhooks/8", {"write_key": KEY}, body=body)
    assert (await rig.send(other)).json()["code"] == "source_unknown"
    wrong_kind = Request("POST", f"/wechat/{SOURCE}", body=body)
    assert (await rig.send(wrong_kind)).json()["code"] == "source_unknown"


def check(decoded: Decoded) -> None:
    for event in decoded.events:
        assert isinstance(msgspec.json.decode(event.properties), dict)
        assert 0 <= event.occurred_at <= 253_402_300_799_999
        assert 0 < len(event.message_id) <= 255
        msgspec.json.encode(event)
    for bad in decoded.rejected:
        assert bad.code


def decode(name: str, body: bytes) -> None:
    hint = {"segment": "batch", "wechat": '{"account":"a","keep":true}'}.get(name, "")
    if name == "wecom":
        hint = '{"account":"a","keep":true}'
    if name == "webhook":
        hint = json.dumps(SETTINGS["webhook"]["mapping"])
    received = Received(tenant=1, source=1, protocol=name, received_at=AT, body=body, hint=hint)
    try:
        check(DECODERS[name].decode(received, DECODERS[name].limits))
    except CarloopError as error:
        refused = error.status
        assert 400 <= refused < 500  # noqa: PT017


def unwrapped(name: str) -> bytes:
    """What the journal would keep of the good request."""
    protocol = DECODERS[name]
    if name in HOOKS:
        return WHOLE[name].body
    return PROTOCOLS[name].unwrap(WHOLE[name], protocol.limits).body


SEEDS = {
    **{name: unwrapped(name) for name in WHOLE},
    "wecom": WHOLE["wechat"].body.replace(b"FromUserName", b"ExternalUserID"),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
FEW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@pytest.mark.parametrize("name", DECODERS)
@FEW
@given(st.data())
def test_no_bytes_break_a_decoder(name: str, data: st.DataObject) -> None:
    seed = SEEDS[name]
    at = data.draw(st.integers(0, len(seed)))
    cut = data.draw(st.integers(0, 12))
    body = seed[:at] + data.draw(st.binary(max_size=8)) + seed[at + cut :]
    decode(name, body)
    decode(name, data.draw(st.binary(max_size=64)))


@peers
@FEW
@given(st.data())
def test_no_json_breaks_a_decoder(peer: Peer, data: st.DataObject) -> None:
    fields = msgspec.json.decode(peer.event("m1", GOOD))
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(JSON)
    raw = json.dumps([fields]).encode()
    decode(
        peer.name,
        {"webhook": b'{"leads":%b}', "snowplow": b'{"data":%b}'}.get(peer.name, b"%b") % raw,
    )


@pytest.mark.parametrize("name", [*WHOLE, "wecom"])
@FEW
@given(
    body=st.binary(max_size=80),
    query=st.dictionaries(
        st.sampled_from(["data", "data_list", "gzip", "ext", "echostr", "signature", "timestamp",
                         "nonce", "msg_signature", "e", "ue_px", "cx", "event"]),
        st.text(max_size=30), max_size=5),
    kind=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/plain",
                          "application/cloudevents+json", "message/rfc822", "text/xml"]),
    method=st.sampled_from(["GET", "POST"]),
)  # fmt: skip
def test_no_request_breaks_the_transport(
    name: str, body: bytes, query: dict[str, str], kind: str, method: str
) -> None:
    if name in HOOKS:
        path = f"/{HOOKS[name].word}/{SOURCE}"
        if method not in HOOKS[name].methods:
            return
    else:
        paths = [path for verb, path in PROTOCOLS[name].routes if verb == method]
        if not paths:
            return
        path = paths[0]
    headers = {"content-type": kind, "ce-specversion": "1.0", "ce-type": "a"}
    try:
        check(taken(Request(method, path, query, headers, body))[0])
    except CarloopError as error:
        refused = error.status
        assert 400 <= refused < 500  # noqa: PT017
