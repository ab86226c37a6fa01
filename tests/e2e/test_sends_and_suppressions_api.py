"""Sends that nobody knows the outcome of, and addresses that nothing is sent to, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from carloop.core.ports.vault import Cipher
from carloop.core.scope import Role
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from tests.e2e.test_journeys_api import api_over, channel, journey, receipt, story_over
from tests.support.api import Harness
from tests.support.provider import Provider, provider
from tests.support.story import Story, graph


@pytest.fixture
def story(any_state: SqlState, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    yield from story_over(any_state, cipher, clock, tenant)


@pytest.fixture
def api(story: Story, event_store: ClickHouseStore, clock: ManualClock) -> Harness:
    return api_over(story, event_store, clock)


@pytest.fixture
def operator(api: Harness) -> TestClient:
    return api.token([Role.OPERATOR])


@pytest.fixture
def gateway() -> Iterator[Provider]:
    with provider() as it:
        yield it


@pytest.fixture
def unclear(operator: TestClient, story: Story, gateway: Provider) -> tuple[str, str]:
    """A channel and a journey with two sends whose line was cut after the provider took them."""
    made = channel(operator, gateway)
    id = journey(operator, graph(made["id"]))
    gateway.script[:] = ["reset", "reset"]
    people = (story.person("王芳", "wang@example.cn"), story.person("李雷", "li@example.cn"))
    story.enters(*people).run()
    return made["id"], id


def test_unknown_sends_are_listed_settled_once_and_never_sent_again(
    api: Harness, operator: TestClient, story: Story, gateway: Provider, unclear: tuple[str, str]
) -> None:
    channel_id, journey_id = unclear
    items = operator.get("/api/sends/unknown").json()["items"]
    assert sorted(it["display"] for it in items) == ["李*", "王*"]
    assert {(it["journey"], it["channel"]) for it in items} == {(journey_id, channel_id)}
    sends = operator.get(f"/api/journeys/{journey_id}/sends").json()["items"]
    assert {it["key"]: it["display"] for it in sends} == {it["key"]: it["display"] for it in items}
    first, second = (it["key"] for it in items)
    body = {"outcome": "delivered", "reason": "the provider's report of Monday lists it"}
    assert operator.post(f"/api/sends/{first}/settle", json=body).status_code == 204
    again = operator.post(f"/api/sends/{first}/settle", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "send_settled")
    failed = {"outcome": "failed", "reason": "the provider never saw it"}
    assert operator.post(f"/api/sends/{second}/settle", json=failed).status_code == 204
    assert operator.get("/api/sends/unknown").json() == {"items": [], "next_cursor": None}
    states = {
        it["key"]: (it["state"], it["reason"])
        for it in operator.get(f"/api/journeys/{journey_id}/sends").json()["items"]
    }
    assert states == {first: ("sent", "settled_by_hand"), second: ("failed", "settled_by_hand")}
    story.wait(days=2).run()
    assert len(gateway.requests) == 2
    audit = api.local().get("/api/audit", params={"action": "send.settle"}).json()["items"]
    assert [(it["object"], it["detail"]["why"]) for it in audit] == [
        (second, failed["reason"]),
        (first, body["reason"]),
    ]
    answer = receipt(api, story, channel_id, {"key": second, "kind": "delivered"})
    assert answer.json()["accepted"] == 1
    state = operator.get(f"/api/journeys/{journey_id}/sends", params={"state": "sent"}).json()
    assert second in {it["key"] for it in state["items"]}


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("999:hello:0", {"outcome": "delivered", "reason": "x"}, 404),
        ("9999999999999999999:hello:0", {"outcome": "delivered", "reason": "x"}, 404),
        ("1:hello:9999999999", {"outcome": "delivered", "reason": "x"}, 404),
        ("x", {"outcome": "delivered", "reason": "x"}, 422),
        ("999:hello:0", {"outcome": "delivered", "reason": "  "}, 422),
        ("999:hello:0", {"outcome": "maybe", "reason": "x"}, 422),
        ("999:hello:0", {"outcome": "failed"}, 422),
    ],
)
def test_what_cannot_be_settled(
    operator: TestClient, key: str, body: dict[str, str], status: int
) -> None:
    assert operator.post(f"/api/sends/{key}/settle", json=body).status_code == status


def test_viewers_see_sends_without_people_and_settle_nothing(
    api: Harness, unclear: tuple[str, str]
) -> None:
    viewer = api.token([Role.VIEWER])
    items = viewer.get("/api/sends/unknown").json()["items"]
    assert [(it["person"], it["display"]) for it in items] == [(None, None)] * 2
    body = {"outcome": "failed", "reason": "x"}
    refused = viewer.post(f"/api/sends/{items[0]['key']}/settle", json=body)
    assert refused.status_code == 403


def test_an_address_is_suppressed_shown_masked_and_lifted_with_a_reason(
    api: Harness, operator: TestClient, story: Story, gateway: Provider
) -> None:
    made = channel(operator, gateway)
    journey(operator, graph(made["id"]))
    wang = story.person("王芳", "wang@example.cn")
    body = {"address": "email:WANG@example.cn", "reason": "asked on the phone"}
    added = operator.post("/api/suppressions", json=body)
    assert added.status_code == 201
    assert (added.json()["type"], added.json()["display"]) == ("email", "王*")
    assert "wang" not in added.json()["address"]
    assert operator.post("/api/suppressions", json=body).json()["code"] == "suppressed_already"
    stranger = {"address": "email:nobody@example.cn", "reason": "a complaint"}
    unknown = operator.post("/api/suppressions", json=stranger).json()
    assert (unknown["type"], unknown["address"], unknown["person"]) == (None, None, None)
    story.enters(wang).run()
    assert gateway.requests == []
    listed = operator.get("/api/suppressions").json()["items"]
    assert {it["id"] for it in listed} == {added.json()["id"], unknown["id"]}
    found = operator.get("/api/suppressions", params={"address": "email:wang@example.cn"}).json()
    assert [it["id"] for it in found["items"]] == [added.json()["id"]]
    lift = f"/api/suppressions/{added.json()['id']}/lift"
    assert operator.post(lift, json={}).status_code == 422
    assert operator.post(lift, json={"reason": "opted in again"}).status_code == 204
    assert operator.post(lift, json={"reason": "again"}).json()["code"] == "suppression_unknown"
    audit = api.local().get("/api/audit").json()["items"]
    told = [
        (it["action"], it["detail"].get("why")) for it in audit if "suppression." in it["action"]
    ]
    assert told == [
        ("suppression.lift", "opted in again"),
        ("suppression.add", "a complaint"),
        ("suppression.add", "asked on the phone"),
    ]
    assert "example.cn" not in json.dumps(audit)


def test_suppressions_show_no_address_to_those_who_see_no_people(
    api: Harness, operator: TestClient, story: Story
) -> None:
    story.person("王芳", "wang@example.cn")
    body = {"address": "email:wang@example.cn", "reason": "x"}
    assert operator.post("/api/suppressions", json=body).status_code == 201
    viewer = api.token([Role.VIEWER])
    (item,) = viewer.get("/api/suppressions").json()["items"]
    assert (item["type"], item["address"], item["person"], item["display"]) == (None,) * 4
    assert viewer.post("/api/suppressions", json=body).status_code == 403
    assert (
        viewer.post(f"/api/suppressions/{item['id']}/lift", json={"reason": "x"}).status_code == 403
    )
    refused = operator.post("/api/suppressions", json={"address": "email:not one", "reason": "x"})
    assert refused.status_code == 422
