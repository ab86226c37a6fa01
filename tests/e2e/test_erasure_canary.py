"""A person comes in by every way, is written to, exported and erased; then no byte is left."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import httpx

from tests.support.provider import Provider, provider
from tests.support.server import Server, serving
from tests.support.stores import stores_of
from tests.support.story import graph, send
from tests.support.waiting import until

IDENTIFYING = {
    "name": "金丝雀岚",
    "phone": "13958172604",
    "email": "canary.q7x@example.cn",
    "id card": "330106198703145270",
    "address": "金丝雀路七十七号",
    "plate": "浙A7Q2X9",
    "phone in free text": "18657130942",
    "phone as message id": "15967184203",
}
PLAIN = {
    "openid": "oCANARYq7x_openid",
    "cookie": "canary-cookie-q7x",
    "login": "canary-login-q7x",
}
EVERY = {**IDENTIFYING, **PLAIN}
GONE_SECONDS = 150
"""Old parts leave the disk within this time."""


def found(canaries: dict[str, str], text: bytes) -> set[str]:
    """Names of the canaries that are in ``text``, in any of the encodings they came in."""
    return {
        name
        for name, value in canaries.items()
        if any(value.encode(encoding) in text for encoding in ("utf-8", "gb18030", "utf-16-le"))
        or json.dumps(value)[1:-1].encode() in text
    }


def on_disk(canaries: dict[str, str], *roots: Path) -> set[tuple[str, str]]:
    """``(canary, file)`` for every file under the roots that holds one."""
    hits = set()
    for root in roots:
        for path in [root] if root.is_file() else root.rglob("*"):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:
                continue
            hits |= {(name, str(path)) for name in found(canaries, content)}
            hits |= {(name, str(path)) for name in found(canaries, str(path).encode())}
    return hits


def every_answer(client: httpx.Client) -> Iterable[tuple[str, bytes]]:
    """What all reads without a path parameter say, and the look-ups by each canary."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" in methods and "{" not in path:
            yield path, client.get(path).content
    yield "/metrics", client.get("/metrics").content


def arrive(server: Server, client: httpx.Client) -> None:
    """The person by the Segment, Sensors and own routes and in a file."""
    key = server.write_key("canary")
    login, cookie = EVERY["login"], EVERY["cookie"]
    traits = {"name": EVERY["name"], "phone": EVERY["phone"], "email": EVERY["email"]}
    segment = [
        {"type": "identify", "userId": login, "anonymousId": cookie, "traits": traits},
        {"type": "track", "userId": login, "event": "page_viewed",
         "properties": {"note": f"请打 {EVERY['phone in free text']} 找我"}},
    ]  # fmt: skip
    answer = httpx.post(f"{server.url}/v1/batch", json={"batch": segment}, auth=(key, ""))
    assert answer.status_code == 200, answer.text
    sensors = {"type": "profile_set", "distinct_id": login, "time": int(time.time() * 1000),
               "properties": {"$name": EVERY["name"], "$address": EVERY["address"]},
               "identities": {"$identity_login_id": login,
                              "$identity_mobile": EVERY["phone"]}}  # fmt: skip
    data = base64.b64encode(json.dumps([sensors]).encode()).decode()
    answer = httpx.post(
        f"{server.url}/sa", params={"project": "default", "token": key}, data={"data_list": data}
    )
    assert answer.status_code == 200, answer.text
    own = {
        "message_id": EVERY["phone as message id"],
        "event": "test_drive_booked",
        "identifiers": [
            {"type": "login_id", "value": login},
            {"type": "openid", "namespace": "wx12", "value": EVERY["openid"]},
            {"type": "id_card", "value": EVERY["id card"]},
            {"type": "plate", "value": EVERY["plate"]},
        ],
        "properties": {"series": "C5", "dealer": "D001"},
        "profile": {"set": {"level": "gold"}},
    }
    late = {**own, "message_id": "late", "occurred_at": "2001-01-01T00:00:00Z"}
    late["profile"] = {"set": traits}
    answer = httpx.post(f"{server.url}/api/events", json=[own, late], headers={"X-Write-Key": key})
    assert answer.status_code == 200, answer.text
    csv = f"手机号,姓名,地址\n{EVERY['phone']},{EVERY['name']},{EVERY['address']}\n"
    upload = {"file": (f"{EVERY['name']}.csv", csv.encode("gb18030"))}
    answer = client.post("/api/imports", files=upload, data={"source": "crm"})
    assert answer.status_code in (200, 201, 202), answer.text
    job = answer.json()["id"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")
    server.settle()


def campaign(client: httpx.Client, receiver: Provider) -> None:
    """A journey that writes to whoever becomes a gold member."""
    rule = {"kind": "attribute", "field": "level", "op": "=", "value": "gold"}
    made = client.post("/api/segments", json={"name": "金卡", "rule": rule})
    assert made.status_code == 201, made.text
    segment = made.json()["id"]
    settings = {"url": receiver.url, "secret": "s" * 16, "address_type": "mobile"}
    body = {"kind": "webhook", "name": "短信", "settings": settings}
    made = client.post("/api/channels", json=body)
    assert made.status_code == 201, made.text
    channel = made.json()["id"]
    shape = graph(channel, send("hello", channel, "{{name}}您好"))
    shape["nodes"][0]["segment"] = segment
    made = client.post("/api/journeys", json={"name": "问候", "graph": shape})
    assert made.status_code == 201, made.text
    answer = client.post(f"/api/journeys/{made.json()['id']}/publish")
    assert answer.status_code == 200, answer.text
    until(lambda: client.get(f"/api/segments/{segment}").json()["refreshed_at"])


def erase(client: httpx.Client, person: str) -> None:
    answer = client.delete(f"/api/persons/{person}", headers={"Idempotency-Key": "canary-erase"})
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")


def inactive_parts(data: Path) -> list[Path]:
    """Parts that a mutation replaced: of each part, all but the newest generation."""
    newest: dict[tuple[Path, str], int] = {}
    parts = []
    for path in (data / "events").rglob("*_*_*_*"):
        if fits := re.fullmatch(r"((?:\d{6}|all)_\d+_\d+_\d+)(?:_(\d+))?", path.name):
            place, generation = (path.parent, fits[1]), int(fits[2] or 0)
            parts.append((place, generation, path))
            newest[place] = max(generation, newest.get(place, 0))
    return [path for place, generation, path in parts if generation < newest[place]]


def test_an_erased_person_is_in_no_file_and_no_answer(tmp_path: Path) -> None:
    data, log, dump = tmp_path / "data", tmp_path / "server.log", tmp_path / "dump"
    with (
        provider() as receiver,
        serving(
            data, log=log, CARLOOP_ALLOWED_HOSTS="127.0.0.1", CARLOOP_CONSENT_DEFAULT="grant"
        ) as server,
        server.client(server.token()) as client,
    ):
        campaign(client, receiver)
        arrive(server, client)
        until(lambda: receiver.requests)
        assert receiver.requests[0]["address"].endswith(EVERY["phone"])
        asked = {"identifier": f"mobile:{EVERY['phone']}"}
        (person,) = client.get("/api/persons", params=asked).json()["items"]
        (same,) = client.get("/api/persons", params={"q": EVERY["login"]}).json()["items"]
        assert same["id"] == person["id"]
        exported = client.get(f"/api/persons/{person['id']}/export").content
        shown = {"name", "phone", "email", "id card", "address", *PLAIN}
        assert found(EVERY, exported) >= shown
        assert client.get("/api/quarantine").json()["items"]
        assert on_disk(IDENTIFYING, data, log) == set()

        erase(client, person["id"])
        until(lambda: not inactive_parts(data), "old parts stay", seconds=GONE_SECONDS)
        assert on_disk(EVERY, data, log) == set()
        for path, answer in every_answer(client):
            assert found(EVERY, answer) == set(), path
        for name, value in EVERY.items():
            items = client.get("/api/persons", params={"q": value}).json()["items"]
            assert items == [], name
    with stores_of(data) as stores:
        subprocess.run(
            [sys.executable, "-m", "tests.support.aged", str(data), "8", str(dump)],
            check=True,
            env={**os.environ, **stores},
        )
    assert on_disk(EVERY, data, log, dump) == set()
    assert not [path for path in (data / "secret" / "journal").iterdir() if path.suffix == ".key"]
