"""The tracking plan over HTTP against a real server: edit, publish, compare, restore, enforce."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pandas
import pytest
import yaml

from tests.support.server import Server, serving
from tests.support.waiting import until

NOW = datetime.now(UTC)
ORDER = {
    "title": {"zh": "内容评分", "en": "Content rated"},
    "stage": "traffic",
    "owner": "王芳",
    "description": "",
    "touchpoints": {"site": "live", "app": "test"},
    "properties": [
        {
            "name": "stars",
            "title": {},
            "type": "number",
            "required": True,
            "allowed": [],
            "owner": "",
            "status": "live",
            "description": "",
        }
    ],
}
FLAG = {"unplanned_event": "flag", "unplanned_property": "flag", "violation": "flag"}
STRICT = {name: "quarantine" for name in FLAG}
PLACES = [
    {"name": "site", "title": {"zh": "官网", "en": "Website"}, "sources": ["web"]},
    {"name": "app", "title": {"zh": "应用", "en": "App"}, "sources": ["app"]},
]


class World:
    """A server, its admin, and the write keys of two sources."""

    def __init__(self, server: Server) -> None:
        self.server = server
        token = (server.data / "run" / "local.token").read_text("ascii")
        self.admin, self.plain = server.client(token), server.client()
        made = self.admin.post("/api/keys", json={"name": "v", "roles": ["analyst"], "dims": {}})
        self.analyst = server.client(made.json()["token"])
        made = self.admin.post("/api/keys", json={"name": "v", "roles": ["viewer"], "dims": {}})
        self.viewer = server.client(made.json()["token"])
        self.ids: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        for name in ("web", "app"):
            source = self.admin.post("/api/sources", json={"name": name, "kind": name}).json()
            self.ids[name] = source["id"]
            key = self.admin.post(f"/api/sources/{source['id']}/keys", json={"name": "k"})
            self.keys[name] = key.json()["write_key"]
        self.sent = 0

    def send(self, source: str, event: str, **properties: Any) -> None:
        self.sent += 1
        body = {
            "message_id": f"m{self.sent}",
            "event": event,
            "occurred_at": (NOW - timedelta(hours=1)).isoformat(),
            "identifiers": {"cookie": "c1"},
            "properties": properties,
        }
        headers = {"X-Write-Key": self.keys[source]}
        answer = self.plain.post("/api/events", json=[body], headers=headers)
        assert answer.status_code == 200, answer.text

    def loaded(self) -> None:
        def done() -> bool:
            tiles = self.admin.get("/api/overview").json()
            return bool(tiles["loaded_batches"] >= tiles["accepted_batches"])

        until(done, "the loader did not catch up", every=0.05)

    def tag(self, path: str = "/api/plan") -> dict[str, str]:
        return {"If-Match": self.admin.get(path).headers["ETag"]}

    def publish(self, note: str) -> httpx.Response:
        return self.admin.post("/api/plan/versions", json={"note": note}, headers=self.tag())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serving(tmp_path_factory.mktemp("plan") / "data") as server:
        made = World(server)
        yield made
        for client in (made.admin, made.analyst, made.viewer, made.plain):
            client.close()


def test_the_packs_are_the_plan_to_start_from(world: World) -> None:
    first = world.admin.get("/api/plan").json()
    assert (first["version"], first["waiting"]) == (None, 0)
    page = world.analyst.get("/api/plan/events", params={"q": "lead_submitted"}).json()
    (lead,) = page["items"]
    assert (lead["base"], lead["revision"], lead["points"]) == (
        True, 0, [{"touchpoint": "*", "status": "design", "count": 0}],
    )  # fmt: skip
    assert world.viewer.get("/api/plan").status_code == 403
    assert world.analyst.put("/api/plan/events/x", json=ORDER).status_code == 403


def test_an_event_is_planned_under_locking_and_published(world: World) -> None:
    admin = world.admin
    settings = {"touchpoints": PLACES, "default": FLAG, "sources": []}
    headers = world.tag("/api/plan/settings")
    assert admin.put("/api/plan/settings", json=settings, headers=headers).json() == settings
    assert admin.put("/api/plan/settings", json=settings, headers=headers).status_code == 409
    place = "/api/plan/events/content/rated"
    wrong = {**ORDER, "touchpoints": {"tv": "live"}}
    refused = admin.put(place, json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_touchpoint_unknown")
    saved = admin.put(place, json=ORDER, headers={"If-Match": '"0"'})
    assert (saved.status_code, saved.json()["name"]) == (200, "content/rated")
    assert saved.headers["ETag"] == '"1"'
    stale = admin.put(place, json=ORDER, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert admin.get("/api/plan").json()["waiting"] == 3
    made = world.publish("first plan")
    assert (made.status_code, made.json()["version"], made.json()["note"]) == (201, 1, "first plan")
    again = world.publish("nothing new")
    assert (again.status_code, again.json()["code"]) == (409, "plan_unchanged")
    told = admin.get("/api/audit", params={"action": "plan.publish"}).json()["items"]
    assert [entry["object"] for entry in told] == ["plan/1"]


def test_coverage_and_departures_follow_what_arrives(world: World) -> None:
    world.send("web", "content/rated", stars=5)
    world.send("web", "content/rated", stars="many", colour="red")
    world.send("app", "surprise", n=1)
    world.loaded()

    def place(name: str) -> Any:
        answer = world.admin.get("/api/plan/coverage").json()
        return next(it for it in answer["touchpoints"] if it["touchpoint"] == name)

    site = until(lambda: place("site")["live"] == 1 and place("site"), "not counted")
    app = place("app")
    assert (site["planned"], site["share"], site["connected"]) == (1, 1.0, 1)
    assert (app["planned"], app["live"], app["share"]) == (1, 0, 0.0)
    rows = world.admin.get("/api/plan/unplanned").json()["items"]
    assert [(r["event"], r["property"], r["count"], r["sources"]) for r in rows] == [
        ("surprise", "", 1, [world.ids["app"]]),
        ("content/rated", "colour", 1, [world.ids["web"]]),
    ]
    (misfit,) = world.admin.get("/api/plan/violations").json()["items"]
    assert (misfit["property"], misfit["code"], misfit["count"], misfit["looked"]) == (
        "stars", "invalid_type", 1, 2,
    )  # fmt: skip
    assert misfit["samples"] == ["many"]
    detail = world.admin.get("/api/plan/events/content/rated").json()
    day = (NOW - timedelta(hours=1)).date().isoformat()
    assert detail["days"] == [
        {"day": day, "source": world.ids["web"], "touchpoints": ["site"], "count": 2}
    ]
    assert {p["touchpoint"]: p["count"] for p in detail["points"]} == {"site": 2, "app": 0}


def test_a_figure_is_computable_once_its_feed_arrives(world: World) -> None:
    def metric() -> Any:
        items = world.admin.get("/api/plan/metrics", params={"limit": 200}).json()["items"]
        return next(it for it in items if it["name"] == "page_views")

    assert {(n["property"], n["missing"]) for n in metric()["needs"]} == {
        ("", "event_not_seen"),
        ("url", "event_not_seen"),
    }
    world.send("web", "page_viewed", title="home")
    world.loaded()
    lacking = until(lambda: metric()["needs"][0]["missing"] is None and metric(), "not seen")
    assert [n["missing"] for n in lacking["needs"]] == [None, "property_not_seen"]
    world.send("web", "page_viewed", url="https://example.com/")
    world.loaded()
    until(lambda: metric()["computable"], "not computable")


def test_an_import_is_previewed_and_versions_are_compared_and_restored(world: World) -> None:
    admin = world.admin
    body = admin.get("/api/plan/export", params={"format": "yaml"})
    document = yaml.safe_load(body.content)
    assert "attachment" in body.headers["Content-Disposition"]
    (rated,) = (e for e in document["events"] if e["name"] == "content/rated")
    rated["touchpoints"]["app"] = "live"
    document["events"].append({"name": "=HYPERLINK(1)", "touchpoints": {"app": "design"}})
    files = {"file": ("plan.yaml", yaml.safe_dump(document, allow_unicode=True).encode())}
    shown = world.analyst.post("/api/plan/import/preview", files=files).json()
    assert [(c["name"], c["kind"]) for c in shown["changes"]] == [
        ("=HYPERLINK(1)", "added"), ("content/rated", "changed"),
    ]  # fmt: skip
    member = {"path": "touchpoints.app", "before": "test", "after": "live"}
    assert shown["changes"][1]["members"] == [member]
    assert admin.get("/api/plan").json()["waiting"] == 0
    bad = {"file": ("plan.yaml", b"events: [{name: a, touchpoints: {moon: live}}, {x: 1}]")}
    faulty = world.analyst.post("/api/plan/import/preview", files=bad).json()["faults"]
    assert [fault["code"] for fault in faulty] == [
        "plan_member_unknown", "plan_name_invalid", "plan_touchpoint_unknown",
    ]  # fmt: skip
    refused = admin.post("/api/plan/import", files=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_member_unknown")
    assert admin.post("/api/plan/import", files=files, headers=world.tag()).status_code == 200
    assert world.publish("more").json()["version"] == 2
    book = admin.get("/api/plan/export", params={"format": "xlsx", "version": 2}).content
    names = list(pandas.read_excel(io.BytesIO(book), sheet_name="events")["name"])
    assert "'=HYPERLINK(1)" in names
    diff = admin.get("/api/plan/changes", params={"old": 1, "new": 2}).json()
    assert (diff["added"], diff["removed"], diff["changed"]) == (1, 0, 1)
    made = admin.post("/api/plan/versions/1/restore", json={"note": "back"}, headers=world.tag())
    assert (made.status_code, made.json()["version"], made.json()["restored"]) == (201, 3, 1)
    assert admin.get("/api/plan/changes", params={"old": 1}).json()["items"] == []
    versions = admin.get("/api/plan/versions", params={"limit": 2}).json()
    assert [v["version"] for v in versions["items"]] == [3, 2]
    same = {"file": ("plan.xlsx", admin.get("/api/plan/export?format=xlsx").content)}
    same_again = admin.post("/api/plan/import/preview", files=same, data={"mode": "replace"})
    assert (same_again.json()["changes"], same_again.json()["faults"]) == ([], [])


def test_a_strict_source_sends_departures_to_quarantine(world: World) -> None:
    settings = world.admin.get("/api/plan/settings")
    body = {**settings.json(), "sources": [{"source": world.ids["app"], **STRICT}]}
    headers = {"If-Match": settings.headers["ETag"]}
    assert world.admin.put("/api/plan/settings", json=body, headers=headers).status_code == 200
    for source in ("web", "app"):
        world.send(source, "another_surprise")
        world.send(source, "content/rated", stars="none")
        world.send(source, "content/rated", stars=3)
    world.loaded()
    groups = world.admin.get("/api/quarantine/summary").json()["items"]
    assert {(g["source"], g["code"], g["event"], g["count"]) for g in groups} == {
        (world.ids["app"], "unplanned_event", "another_surprise", 1),
        (world.ids["app"], "invalid_type", "content/rated", 1),
    }
