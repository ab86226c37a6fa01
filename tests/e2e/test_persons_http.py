"""Persons, identity and entities over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from carloop.bootstrap.wiring.persons import erasure_job
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.api import build
from tests.support.world import World

PHONE = "13912345679"


@pytest.fixture
def world(
    any_state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher, tenant: int
) -> World:
    return World(any_state, event_store, cipher, tenant)


@pytest.fixture
def api(world: World) -> TestClient:
    harness = build(
        world.state,
        world.store,
        world.clock,
        world.tenant,
        persons=world.persons,
        person_story=world.story,
        entity_lookup=world.desk,
        identity_decisions=world.decisions,
        erasure=world.erasure,
    )
    harness.services.jobs.register(erasure_job(world.erasure))
    client = harness.local()
    world.run_job = harness.services.jobs.run_once
    return client


def find(api: TestClient, identifier: str) -> str:
    (found,) = api.get("/api/persons", params={"identifier": identifier}).json()["items"]
    return str(found["id"])


def test_a_person_over_http(world: World, api: TestClient) -> None:
    world.event("cookie:abcdef", "login_id:wang")
    world.event("login_id:wang", f"mobile:{PHONE}", set={"name": "王芳", "city": "上海"})
    id = find(api, f"phone:{PHONE}")
    view = api.get(f"/api/persons/{id}").json()
    assert view["name"] == "王*"
    assert {i["type"] for i in view["identifiers"]} == {"login_id", "mobile", "anonymous_id"}
    page = api.get(f"/api/persons/{id}/timeline", params={"limit": 1}).json()
    more = api.get(f"/api/persons/{id}/timeline", params={"cursor": page["next_cursor"]}).json()
    assert len(page["items"]) == len(more["items"]) == 1
    assert len(api.get(f"/api/persons/{id}/graph").json()["edges"]) == 2
    path = api.get(
        "/api/identity/explain", params={"a": "cookie:abcdef", "b": f"mobile:{PHONE}"}
    ).json()
    assert (path["same"], len(path["steps"])) == (True, 2)
    body = {"field": "name", "reason": "call back"}
    assert api.post(f"/api/persons/{id}/reveal", json=body).json() == {"value": "王芳"}
    assert PHONE in api.get(f"/api/persons/{id}/export").text


def test_split_and_merge_over_http(world: World, api: TestClient) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}")
    id = find(api, "login_id:wang")
    body = {"identifiers": [2], "reason": "not his"}
    new = api.post(f"/api/persons/{id}/split", json=body).json()["id"]
    assert new != id
    merged = api.post("/api/persons/merge", json={"a": id, "b": new, "reason": "his"}).json()
    assert find(api, f"mobile:{PHONE}") == merged["id"]
    log = api.get(f"/api/persons/{id}/identity-log").json()["items"]
    assert [e["kind"] for e in log] == ["merge", "split"]


def test_erasure_over_http_is_a_job(world: World, api: TestClient) -> None:
    world.event("login_id:wang")
    id = find(api, "login_id:wang")
    answer = api.delete(f"/api/persons/{id}")
    assert answer.status_code == 202
    assert world.run_job is not None
    assert world.run_job()
    assert api.get(f"/api/persons/{id}").json()["code"] == "person_unknown"
    job = api.get(f"/api/jobs/{answer.json()['job']}").json()
    assert (job["state"], job["result"]) == ("done", {"identifiers": 1})


def test_entities_over_http(world: World, api: TestClient) -> None:
    owner, bike = world.event("login_id:wang"), world.entity("bicycle", "FRAME-0001")
    world.relate("owns", owner, bike, at=1_000)
    (found,) = api.get("/api/entities/bicycle", params={"key": "FRAME-0001"}).json()["items"]
    detail = api.get(f"/api/entities/bicycle/{found['id']}").json()
    assert detail["relations"][0]["person"]["display"] == "wang"
    assert api.get("/api/entities/rocket").json()["code"] == "entity_type_unknown"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/persons", 422),
        ("/api/persons?identifier=mobile:138****0000", 422),
        ("/api/persons?identifier=rocket:1", 422),
        ("/api/persons?identifier=%00", 422),
        ("/api/persons/none", 422),
        ("/api/persons/00000000-0000-0000-0000-000000000000", 404),
        ("/api/persons/00000000-0000-0000-0000-000000000000/timeline", 404),
        ("/api/identity/explain?a=login_id:a&b=login_id:b", 404),
        ("/api/entities/bicycle?key=%20", 422),
        ("/api/entities/bicycle/00000000-0000-0000-0000-000000000000", 404),
    ],
)
def test_wrong_requests_are_answered_with_a_reason(api: TestClient, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]
