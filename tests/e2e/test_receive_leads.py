"""The guide "Receive leads from an ad platform", on a running server."""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Server, serving

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/receive-leads.md").read_text("utf-8")


def block(label: str) -> str:
    found = re.search(rf"^```\w+ {label}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None, label
    return found[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("leads") / "data") as it:
        yield it


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client(server.token()) as client:
        yield client


def push(server: Server, path: str, sample: str, secret: bytes = b"tell-nobody") -> httpx.Response:
    stamp = str(int(time.time()))
    signature = hmac.new(secret, f"{stamp}.{sample}".encode(), "sha256").hexdigest()
    return httpx.post(
        server.url + path,
        content=sample.encode(),
        headers={"X-Timestamp": stamp, "X-Signature": signature},
    )


def leads(api: httpx.Client, source: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/api/events", params={"source": str(source)}).json()[
        "items"
    ]
    return found


def test_the_guide_from_its_first_line_to_its_last(server: Server, api: httpx.Client) -> None:
    made = api.post("/api/sources", json=json.loads(block("source")))
    assert made.status_code == 201, made.text
    source = made.json()
    path = source["settings"]["path"]
    assert source["settings"]["secrets"] == ["secret"]
    assert "tell-nobody" not in made.text + api.get("/api/sources").text

    tried = api.post(f"/api/sources/{source['id']}/try", json={"body": block("sample")}).json()
    assert [(event["event"], event["identifiers"]) for event in tried["events"]] == [
        ("lead_submitted", ["mobile"])
    ]
    assert tried["unread"] == ["wish"]

    time.sleep(1)
    code = compile(block("send"), "guide", "exec")
    for _ in range(2):
        names = {"SAMPLE": block("sample"), "ADDRESS": server.url + path}
        exec(code, {**names, "time": time, "hmac": hmac, "httpx": httpx})  # noqa: S102
    server.settle()
    (event,) = leads(api, source["id"])
    assert event["event"] == "lead_submitted"
    assert event["properties"] == {
        "channel": "ocean_engine",
        "campaign": "C5 秋季",
        "series": "C5",
    }
    found = api.get("/api/persons", params={"identifier": "mobile:13966280700"}).json()["items"]
    assert len(found) == 1

    wrong = push(server, path, block("sample"), b"guess")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signature_wrong")

    renamed = block("sample").replace("telphone", "mobile_no").replace("7310001", "7310002")
    assert push(server, path, renamed).status_code == 200
    server.settle()
    kept = api.get("/api/quarantine", params={"source": str(source["id"])}).json()["items"]
    assert [item["code"] for item in kept] == ["missing_value"]

    settings = source["settings"]["settings"]
    settings["mapping"]["identifiers"][0] = {"type": "mobile", "paths": ["telphone", "mobile_no"]}
    changed = api.patch(f"/api/sources/{source['id']}", json={"settings": settings})
    assert changed.status_code == 200, changed.text
    assert changed.json()["settings"]["version"] == 2
    versions = api.get(f"/api/sources/{source['id']}/settings").json()["items"]
    assert [version["version"] for version in versions] == [2, 1]
    again = api.post("/api/quarantine/replay", json={"source": source["id"]}).json()
    assert (again["replayed"], again["gone"]) == (1, 0)
    server.settle()
    assert len(leads(api, source["id"])) == 2
    time.sleep(1)
    assert push(server, path, renamed).status_code == 200


def test_a_source_that_is_switched_off_takes_nothing(server: Server, api: httpx.Client) -> None:
    body = json.loads(block("source")) | {"name": "off"}
    source = api.post("/api/sources", json=body).json()
    path = source["settings"]["path"]
    time.sleep(1)
    assert push(server, path, block("sample")).status_code == 200
    api.patch(f"/api/sources/{source['id']}", json={"enabled": False})
    time.sleep(1)
    answer = push(server, path, block("sample"))
    assert (answer.status_code, answer.json()["code"]) == (404, "source_unknown")


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "settings.mapping"),
        ({"mapping": {"event": "e"}}, "settings.mapping.identifiers"),
        (
            {"mapping": {"event": "e", "identifiers": [{"type": "mobile", "path": "a"}]},
             "algorithm": "hmac-sha256"},
            "settings.secret",
        ),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_with_their_path(
    api: httpx.Client, settings: dict[str, Any], path: str
) -> None:
    body = {"name": "wrong", "kind": "webhook", "settings": settings}
    answer = api.post("/api/sources", json=body)
    assert (answer.status_code, answer.json()["path"]) == (422, path)
    plain = api.post("/api/sources", json={"name": "w", "kind": "web", "settings": {"a": 1}})
    assert (plain.status_code, plain.json()["code"]) == (422, "setting_unknown")


def test_the_kinds_tell_their_settings_and_the_presets(api: httpx.Client) -> None:
    kinds = {kind["kind"]: kind for kind in api.get("/api/source-kinds").json()["items"]}
    assert set(kinds) == {"webhook", "wechat", "wecom"}
    assert kinds["wecom"]["settings"]["properties"]["aes_key"]["writeOnly"]
    names = {preset["name"] for preset in kinds["webhook"]["presets"]}
    assert {"ocean_engine", "tencent_ads", "baidu_marketing", "autohome", "dongchedi", "yiche"} <= (
        names
    )
