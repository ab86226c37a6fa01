"""The loop runs with no pack and with another industry's; the core names no industry."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import bicycle_pack
from tests.support.server import Server, carloop, serving

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "carloop"
CAR_TRADE = re.compile(
    r"(?:^|[^a-z])(vehicle|dealer|vin|plate|advisor|odometer|test_?drive|car)s?(?:[^a-z]|$)"
)
KNOWING = {
    "core/scope.py": "names the roles of a partner's staff",
    "app/ingest/personal.py": "forms of personal data, hidden whatever pack is in force",
    "app/access/callers.py": "names those roles",
    "cli/demo.py": "names one of those roles",
    "kit/logging.py": "forms of personal data, redacted whatever pack is in force",
    "connectors/adf.py": "a format of that trade, whose elements are so named",
    "api/app.py": "says what the product is for",
    "cli/main.py": "says what the product is for",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """``PYTHONPATH`` on which the bicycle pack is installed."""
    directory = tmp_path_factory.mktemp("packs")
    bicycle_pack.install(directory)
    return os.pathsep.join((str(directory), str(ROOT)))


@pytest.fixture(scope="module")
def bicycles(tmp_path_factory: pytest.TempPathFactory, path: str) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("bicycles") / "data"
    with serving(data, CARLOOP_PACKS=bicycle_pack.NAME, PYTHONPATH=path) as server:
        server.send(server.write_key(), [fitting("u1", "S1"), sale("u1", "wb 123456", "S1")])
        server.send(server.write_key(), [fitting("u2", "S2")])
        yield server


def fitting(who: str, shop: str) -> dict[str, Any]:
    return {
        "event": "fitting_done",
        "occurred_at": "2026-11-01T08:00:00Z",
        "identifiers": {"login_id": who, "email": f"{who}@example.com"},
        "properties": {"shop": shop},
        "profile": {"set": {"leg_cm": 82}},
    }


def sale(who: str, frame: str, shop: str) -> dict[str, Any]:
    return {
        "event": "bicycle_sold",
        "occurred_at": "2026-11-02T08:00:00Z",
        "identifiers": {"email": f"{who}@example.com"},
        "properties": {"shop": shop, "frame": frame, "price": 900},
    }


def person(client: httpx.Client, identifier: str) -> dict[str, Any]:
    (found,) = client.get("/api/persons", params={"identifier": identifier}).json()["items"]
    shown: dict[str, Any] = client.get(f"/api/persons/{found['id']}").json()
    return shown


def test_the_loop_runs_without_any_pack(tmp_path: Path) -> None:
    visit = {"event": "visit", "occurred_at": "2026-11-01T08:00:00Z",
             "identifiers": {"anonymous_id": "visitor-1"}}  # fmt: skip
    buy = {"event": "buy", "occurred_at": "2026-11-02T08:00:00Z",
           "identifiers": {"anonymous_id": "visitor-1", "mobile": "13905712846"},
           "profile": {"set": {"name": "王芳"}}}  # fmt: skip
    with serving(tmp_path / "data", CARLOOP_PACKS="") as server:
        server.send(server.write_key(), [visit, buy])
        with server.client(server.token()) as client:
            shown = person(client, "mobile:13905712846")
            assert [i["type"] for i in shown["identifiers"]] == ["mobile", "anonymous_id"]
            rule = {"kind": "performed", "event": "buy"}
            assert client.post("/api/segments/count", json={"rule": rule}).json()["count"] == 1
            steps = [{"event": "visit"}, {"event": "buy"}]
            body = {"steps": steps, "window": {"days": 7}}
            funnel = client.post("/api/analytics/funnel", json=body).json()
            assert [step["count"] for step in funnel["steps"]] == [1, 1]
            catalogue = client.get("/api/catalogue").json()
            assert catalogue["entity_types"] == catalogue["relation_types"] == []
            assert client.get("/api/overview").json()["quarantine_open"] == 0


def test_the_loop_runs_for_a_bicycle_shop(bicycles: Server) -> None:
    with bicycles.client(bicycles.token()) as client:
        shown = person(client, "login_id:u1")
        relations = {(r["kind"], r["entity_type"]) for r in shown["relations"]}
        assert relations == {("rides", "bicycle"), ("shops_at", "shop")}
        (frame,) = (r["entity"] for r in shown["relations"] if r["kind"] == "rides")
        assert "123456" not in frame
        (leg,) = (a["value"] for a in shown["attributes"] if a["field"] == "leg_cm")
        assert float(leg) == 82
        answer = client.get("/api/entities/bicycle", params={"key": "WB123456"})
        assert len(answer.json()["items"]) == 1
        (riders,) = client.get("/api/segments").json()["items"]
        assert riders["name"] == "骑手"
        count = client.post("/api/segments/count", json={"rule": riders["rule"]}).json()
        assert count["count"] == 1
        (saved,) = client.get("/api/analytics/saved").json()["items"]
        funnel = client.post("/api/analytics/funnel", json=saved["params"]).json()
        assert [step["count"] for step in funnel["steps"]] == [2, 1]


def test_a_caller_limited_to_a_shop_sees_its_own_people(bicycles: Server) -> None:
    made = bicycles.run("user", "create", "s2", "--role", "dealer_manager", "--limit", "shop=S2")
    with bicycles.client() as client:
        body = {"username": "s2", "password": made.split()[-1]}
        signed = client.post("/api/session", json=body)
        assert signed.status_code == 201, signed.text
        change = {"old": body["password"], "new": "a long enough phrase"}
        headers = {"X-CSRF-Token": signed.json()["csrf"]}
        assert client.post("/api/session/password", json=change, headers=headers).status_code == 204
        everyone = {"rule": {"kind": "everyone"}}
        count = client.post("/api/segments/count", json=everyone, headers=headers)
        assert count.json()["count"] == 1
        assert [r["entity"] for r in person(client, "login_id:u2")["relations"]] == ["S2"]
        away = client.get("/api/persons", params={"identifier": "login_id:u1"}).json()
        assert away["items"] == []


def test_a_plan_violation_names_the_other_industrys_property(bicycles: Server) -> None:
    body = {"event": "bicycle_sold", "identifiers": {"login_id": "u3"}, "properties": {}}
    bicycles.send(bicycles.write_key(), [body])
    with bicycles.client(bicycles.token()) as client:
        (refused,) = client.get("/api/quarantine").json()["items"]
    assert (refused["code"], refused["path"]) == ("missing_property", "properties.shop")


def test_an_unknown_pack_is_named(tmp_path: Path, path: str) -> None:
    data = ("--data", str(tmp_path / "data"))
    listed = carloop("key", "list", *data, CARLOOP_PACKS="boats", PYTHONPATH=path)
    assert listed.returncode == 1
    assert "automotive, bicycles" in listed.stderr


def test_nothing_outside_the_packs_names_the_car_trade() -> None:
    found = {
        str(file.relative_to(SOURCES)): words
        for file in sorted(SOURCES.rglob("*.py"))
        if file.relative_to(SOURCES).parts[0] != "packs"
        if (words := _words(ast.parse(file.read_text("utf-8"))))
    }
    assert {file: words for file, words in found.items() if file not in KNOWING} == {}
    assert set(KNOWING) <= set(found), "no longer needed"


def _words(tree: ast.AST) -> set[str]:
    """Words of the car trade in names and strings of code; docstrings may give examples."""
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg"):
            if isinstance(value := getattr(node, field, None), str):
                texts.append(value)
    return {word for text in texts for word in CAR_TRADE.findall(text.lower())}
