"""Every list is walked item by item, and the walk shows what one long page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import serving
from tests.support.waiting import until

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text("utf-8"))
PHONE = "13912340001"
ALWAYS_SHORT = {"list_node_kinds", "list_channel_kinds", "list_source_kinds", "list_feed_kinds"}
"""Lists of what is built in."""
ASKS: dict[str, dict[str, Any]] = {"list_persons": {"q": "王伟"}, "list_plan_changes": {"old": 0}}


def lists() -> Iterator[tuple[str, str]]:
    """Operation and path of every GET that answers ``{items, next_cursor}``."""
    for path, item in DOCUMENT["paths"].items():
        operation = item.get("get", {})
        content = operation.get("responses", {}).get("200", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").split("/")[-1]
        schema = DOCUMENT["components"]["schemas"].get(name, {})
        if "next_cursor" in schema.get("properties", {}):
            yield operation["operationId"], path


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("paged") / "data") as server:
        events = [
            {
                "message_id": f"m{n}",
                "event": "lead_assigned",
                "occurred_at": "2026-11-20T08:00:00Z",
                "identifiers": {"mobile": f"1391234000{n}", "cookie": f"cookie-{n}"},
                "entities": [{"type": "dealer", "key": f"D00{n}"}],
                "profile": {"set": {"name": "王伟"}},
            }
            for n in range(3)
        ]
        server.send(server.write_key(), events)
        client = server.client(server.token())
        furnish(client)
        yield client
        client.close()


def furnish(client: httpx.Client) -> None:
    """At least three of whatever can be made by a call."""
    rule = {"kind": "everyone"}
    steps = {"steps": [{"event": "lead_assigned"}], "window": {"days": 7}}
    webhook = {"url": "https://example.com/hook", "secret": "a-secret-of-some-length"}
    table = {"dialect": "postgresql", "host": "db.invalid", "database": "d", "table": "t"}
    mapping = {"columns": {"id": {"as": "identifier", "type": "login_id"}}}
    for n in range(3):
        feed = {"name": f"feed{n}", "kind": "database", "settings": table, "mapping": mapping}
        made = (
            ("/api/feeds", feed),
            ("/api/segments", {"name": f"s{n}", "rule": rule}),
            ("/api/users", {"username": f"User{n}", "roles": ["viewer"]}),
            ("/api/keys", {"name": f"k{n}", "roles": ["viewer"]}),
            ("/api/sources", {"name": f"src{n}", "kind": "web"}),
            ("/api/journeys", {"name": f"j{n}"}),
            ("/api/channels", {"kind": "webhook", "name": f"c{n}", "settings": webhook}),
            ("/api/analytics/saved", {"name": f"f{n}", "params": steps}),
        )
        for path, body in made:
            answer = client.post(path, json=body)
            assert answer.status_code == 201, f"{path}: {answer.text}"
    read_in_vain(client, times=3)
    plan_events(client, times=3)


def read_in_vain(client: httpx.Client, times: int) -> None:
    """Runs of the first feed, whose database is nowhere."""
    feed = f"/api/feeds/{client.get('/api/feeds').json()['items'][0]['id']}"
    for _ in range(times):
        assert client.post(f"{feed}/run", json={}).status_code == 202
        until(lambda: not client.get(feed).json()["running"], "the run does not end", every=0.05)


def plan_events(client: httpx.Client, times: int) -> None:
    """Events in the tracking plan, each published by a version."""
    told: dict[str, Any] = {"title": {}, "stage": "", "owner": "", "description": ""}
    body = {**told, "touchpoints": {"*": "design"}, "properties": []}
    for n in range(times):
        assert client.put(f"/api/plan/events/planned{n}", json=body).status_code == 200
        assert client.post("/api/plan/versions", json={}).status_code == 201


def walk(client: httpx.Client, path: str, asked: dict[str, Any]) -> list[Any]:
    items: list[Any] = []
    cursor: str | None = None
    while True:
        query = {**asked, "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query).json()
        assert len(page["items"]) <= 1, path
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@pytest.mark.parametrize(("operation", "path"), list(lists()))
def test_a_walk_shows_every_item_once_and_in_order(
    admin: httpx.Client, operation: str, path: str
) -> None:
    if operation in ALWAYS_SHORT:
        return
    found = admin.get("/api/persons", params={"identifier": f"mobile:{PHONE}"}).json()["items"]
    segment = admin.get("/api/segments").json()["items"][0]["id"]
    journey = admin.get("/api/journeys").json()["items"][0]["id"]
    source = admin.get("/api/sources").json()["items"][0]["id"]
    ids = {
        "/api/sources": source,
        "/api/persons": found[0]["id"],
        "/api/feeds": admin.get("/api/feeds").json()["items"][0]["id"],
        "/api/entities": admin.get("/api/entities/dealer").json()["items"][0]["id"],
        "/api/segments": segment,
        "/api/journeys": journey,
    }
    path = path.format(type="dealer", name="province", id=ids.get(path.partition("/{")[0], ""))
    asked = ASKS.get(operation, {})
    whole = admin.get(path, params={**asked, "limit": 200})
    assert whole.status_code == 200, whole.text
    assert walk(admin, path, asked) == whole.json()["items"]
    refused = admin.get(path, params={**asked, "cursor": "WyJ4IiwieSIsMV0"})
    assert refused.status_code in (200, 422), refused.text
