"""Every way in over HTTP with a batch that it takes, for tests that treat them alike."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from carloop.connectors import HOOKS, PROTOCOLS
from carloop.connectors.protocol import Request, Response
from carloop.core.events import Decoded, Received
from carloop.kit.errors import CarloopError

KEY = "clw_0123456789abcdefghijklmnopqrst00"
AT = 1_795_334_400_000  # 2026-11-22T08:00:00Z
SOURCE = 7
SECRET = "hook-secret"
TOKEN, CORP = "QDG6eK", "wx5823bf96d3bd56c7"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
MAPPING: dict[str, Any] = {
    "items": "leads[]",
    "event": "lead_submitted",
    "message_id": "id",
    "identifiers": [{"type": "login_id", "path": "who"}],
    "properties": {"a": "a"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"algorithm": "hmac-sha256", "secret": SECRET, "mapping": MAPPING},
    "wechat": {"appid": CORP, "token": TOKEN, "tolerance_seconds": 0},
    "wecom": {"corpid": CORP, "token": TOKEN, "aes_key": AES_KEY, "tolerance_seconds": 0},
}


class Peer(NamedTuple):
    """A way in.

    Attributes:
        event: one event with an id and a raw JSON value ``a``.
        batch: a request that holds such events.
    """

    name: str
    event: Callable[[str, bytes], bytes]
    batch: Callable[[Sequence[bytes]], Request]


def _own(id_: str, value: bytes) -> bytes:
    return b'{"message_id":"%b","event":"e","identifiers":{"login_id":"u"},"properties":{"a":%b}}' % (  # noqa: E501
        id_.encode(), value,
    )  # fmt: skip


def _segment(id_: str, value: bytes) -> bytes:
    return b'{"type":"track","messageId":"%b","event":"e","userId":"u","properties":{"a":%b}}' % (
        id_.encode(), value,
    )  # fmt: skip


def _sensors(id_: str, value: bytes) -> bytes:
    return (
        b'{"type":"track","event":"e","distinct_id":"u","time":%d,"_track_id":"%b",'
        b'"properties":{"a":%b}}' % (AT, id_.encode(), value)
    )


def _cloudevent(id_: str, value: bytes) -> bytes:
    return (
        b'{"specversion":"1.0","id":"%b","source":"s","type":"e","subject":"login_id:u",'
        b'"data":{"a":%b}}' % (id_.encode(), value)
    )


def _posthog(id_: str, value: bytes) -> bytes:
    return b'{"event":"e","uuid":"%b","distinct_id":"u","properties":{"a":%b}}' % (
        id_.encode(), value,
    )  # fmt: skip


def _snowplow(id_: str, value: bytes) -> bytes:
    return b'{"e":"se","se_ac":"e","eid":"%b","uid":"u","se_la":%b}' % (id_.encode(), value)


def _lead(id_: str, value: bytes) -> bytes:
    return b'{"id":"%b","who":"u","a":%b}' % (id_.encode(), value)


def post(path: str, body: bytes, query: Mapping[str, str] | None = None, **more: str) -> Request:
    """A request with a write key."""
    headers = {"x-write-key": KEY, "content-type": "application/json"}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return Request("POST", path, dict(query or {}), headers, body)


def _array(events: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(events) + b"]"


def signed(body: bytes, secret: str = SECRET) -> Request:
    """A webhook's request."""
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return post(f"/webhooks/{SOURCE}", body, x_signature=signature)


def _form(events: Sequence[bytes]) -> Request:
    form = urlencode({"data_list": base64.b64encode(_array(events)).decode()}).encode()
    return post("/sa", form, {"project": "default"})


PEERS = (
    Peer("own", _own, lambda events: post("/api/events", _array(events))),
    Peer(
        "segment", _segment, lambda events: post("/v1/batch", b'{"batch":%b}' % _array(events))
    ),
    Peer("sensors", _sensors, _form),
    Peer(
        "cloudevents",
        _cloudevent,
        lambda events: post(
            "/cloudevents", _array(events), content_type="application/cloudevents-batch+json"
        ),
    ),
    Peer("posthog", _posthog, lambda events: post("/batch/", b'{"batch":%b}' % _array(events))),
    Peer(
        "snowplow",
        _snowplow,
        lambda events: post(
            "/com.snowplowanalytics.snowplow/tp2",
            b'{"schema":"iglu:x/payload_data/jsonschema/1-0-4","data":%b}' % _array(events),
        ),
    ),
    Peer("webhook", _lead, lambda events: signed(b'{"leads":%b}' % _array(events))),
)  # fmt: skip


def wechat(fields: Mapping[str, str], token: str = TOKEN) -> Request:
    """A plain callback of an official account."""
    body = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    query = {"timestamp": str(AT // 1000), "nonce": "n1"}
    text = "".join(sorted((token, *query.values())))
    query["signature"] = hashlib.sha1(text.encode()).hexdigest()
    return post(f"/wechat/{SOURCE}", f"<xml>{body}</xml>".encode(), query)


def taken(request: Request, at: int = AT) -> tuple[Decoded, Response]:
    """What a request becomes, without journal and keys; raises ``CarloopError``."""
    for protocol in PROTOCOLS.values():
        if (request.method, request.path) in protocol.routes:
            unwrapped = protocol.unwrap(request, protocol.limits)
            kept = _received(protocol.name, unwrapped.body, unwrapped.hint, at)
            decoded = protocol.decode(kept, protocol.limits)
            return decoded, protocol.accepted(request, decoded)
    hook = next(h for h in HOOKS.values() if request.path.startswith(f"/{h.word}/"))
    incoming = hook.receive(request, hook.open(SETTINGS[hook.name]), at)
    if isinstance(incoming, Response):
        return Decoded([], []), incoming
    kept = _received(hook.name, incoming.body, incoming.hint, at)
    decoded = hook.decode(kept, hook.limits)
    return decoded, incoming.answer or hook.accepted(request, decoded)


def _received(protocol: str, body: bytes, hint: str, at: int) -> Received:
    return Received(
        tenant=1, source=SOURCE, protocol=protocol, received_at=at, body=body, hint=hint
    )


def code_of(request: Request) -> str:
    """The code of the refusal; empty where it is taken."""
    try:
        taken(request)
    except CarloopError as error:
        return error.code
    return ""


def text(value: Any) -> bytes:
    """JSON."""
    return json.dumps(value).encode()
