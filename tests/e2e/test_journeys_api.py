"""The way out through the API: a channel, a journey, a message, a receipt, a person who leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from carloop.app.audit import AuditLog
from carloop.app.channels import ChannelDesk
from carloop.app.consents import ConsentLedger
from carloop.app.journey_desk import JourneyDesk
from carloop.app.persons.lookup import Persons
from carloop.app.receipts import Receipts
from carloop.app.suppressions import SuppressionDesk
from carloop.app.unknown_sends import UnknownSendDesk
from carloop.channels import CHANNEL_KINDS
from carloop.core.ports.vault import Cipher
from carloop.core.scope import Role
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from tests.support.api import Harness, MemoryHead, build
from tests.support.provider import Provider, provider
from tests.support.story import CATALOGUE, Story, graph, send

SECRET = "whsec_canary_5f1e"
RECEIPTS = "rcpt_canary_77aa"


@pytest.fixture
def story(any_state: SqlState, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    yield from story_over(any_state, cipher, clock, tenant)


def story_over(
    any_state: SqlState, cipher: Cipher, clock: ManualClock, tenant: int
) -> Iterator[Story]:
    """A tenant with real channels, hung up in the end."""
    it = Story(any_state, cipher, clock, tenant, kinds=CHANNEL_KINDS, allowed_hosts=("127.0.0.1",))
    yield it
    it.dispatcher.close()
    it.channels.close()


@pytest.fixture
def api(story: Story, event_store: ClickHouseStore, clock: ManualClock) -> Harness:
    return api_over(story, event_store, clock)


def api_over(story: Story, event_store: ClickHouseStore, clock: ManualClock) -> Harness:
    """The API with everything about sending."""
    event_store.ensure_tenant(story.tenant)
    state, cipher = story.state, story.cipher
    desk = ChannelDesk(state, story.channels, clock)
    audit = AuditLog(state, clock, b"k" * 32, MemoryHead())
    persons = Persons(state, event_store, CATALOGUE, cipher, audit)
    return build(
        state,
        event_store,
        clock,
        story.tenant,
        channels=desk,
        journeys=JourneyDesk(
            state, story.rules, story.entries, story.contacts, desk, CATALOGUE, clock, persons
        ),
        unknown_sends=UnknownSendDesk(state, persons, audit, clock),
        suppressions=SuppressionDesk(state, cipher, persons, audit, clock),
        consents=ConsentLedger(state, clock),
        unsubscribe_links=story.links,
        receipts=Receipts(state, story.channels, story.contacts, cipher, clock),
    )


@pytest.fixture
def operator(api: Harness) -> TestClient:
    return api.token([Role.OPERATOR])


@pytest.fixture
def gateway() -> Iterator[Provider]:
    with provider() as it:
        yield it


def channel(operator: TestClient, gateway: Provider, **more: Any) -> dict[str, Any]:
    settings = {"url": gateway.url, "secret": SECRET, "receipt_secret": RECEIPTS,
                "address_type": "email", **more}  # fmt: skip
    body = {"kind": "webhook", "name": "短信网关", "settings": settings}
    answer = operator.post("/api/channels", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def journey(operator: TestClient, shape: dict[str, Any]) -> str:
    answer = operator.post("/api/journeys", json={"name": "保养提醒", "graph": shape})
    assert answer.status_code == 201, answer.text
    id = str(answer.json()["id"])
    answer = operator.post(f"/api/journeys/{id}/publish")
    assert answer.status_code == 200, answer.text
    return id


def receipt(
    api: Harness, story: Story, channel: str, *items: dict[str, Any], secret: str = RECEIPTS
) -> Any:
    body = json.dumps({"receipts": items}).encode()
    at = str(story.now // 1000)
    mac = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Carloop-Timestamp": at, "X-Carloop-Signature": f"v1={mac}"}
    return TestClient(api.app).post(f"/receipts/{channel}", content=body, headers=headers)


def test_from_a_channel_to_a_delivered_message(
    api: Harness, operator: TestClient, story: Story, gateway: Provider
) -> None:
    made = channel(operator, gateway)
    id = journey(operator, graph(made["id"]))
    story.enters(story.person("王芳", "wang@example.cn")).run()
    assert gateway.requests[0]["address"] == "wang@example.cn"
    (row,) = operator.get(f"/api/journeys/{id}/sends").json()["items"]
    assert (row["state"], row["reason"]) == ("sent", "")
    assert UUID(row["person"])
    answer = receipt(api, story, made["id"], {"key": row["key"], "kind": "delivered"})
    assert answer.json() == {"accepted": 1, "rejected": []}
    shown = operator.get(f"/api/journeys/{id}").json()
    assert shown["sends"] == [{"state": "sent", "reason": "", "count": 1}]
    assert shown["people"] == {"ended:completed": 1}


@pytest.mark.parametrize(
    ("take", "missing"),
    [
        (lambda g: g.update(goal=" "), "goal"),
        (lambda g: g.update(period=None), "time"),
        (lambda g: g["nodes"][1].update(channel=""), "channel"),
        (lambda g: g["nodes"][0].update(segment=""), "person"),
        (lambda g: g["nodes"][1]["template"]["zh"].update(text="  "), "content"),
        (lambda g: g["nodes"][1].update(template={}), "content"),
    ],
)
def test_nothing_is_published_while_one_of_the_five_is_missing(
    operator: TestClient, gateway: Provider, take: Any, missing: str
) -> None:
    shape = graph(channel(operator, gateway)["id"])
    take(shape)
    made = operator.post("/api/journeys", json={"name": "草稿", "graph": shape}).json()
    assert made["missing"] == [missing]
    answer = operator.post(f"/api/journeys/{made['id']}/publish")
    assert answer.status_code == 422
    assert answer.json()["code"] == "journey_incomplete"
    assert answer.json()["details"]["missing"] == [missing]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda g: g["nodes"][0].update(segment="gone"), "segment_unknown"),
        (lambda g: g["nodes"][1].update(channel="gone"), "channel_unknown"),
        (lambda g: g["nodes"][1]["template"]["zh"].update(text="{{password}}"),
         "template_unknown_field"),
        (lambda g: g["nodes"][1]["template"]["zh"].update(text="{{ 7*7 }}"), "template_invalid"),
        (lambda g: g["edges"].pop(), "graph_invalid"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_not_published(
    operator: TestClient, gateway: Provider, spoil: Any, code: str
) -> None:
    shape = graph(channel(operator, gateway)["id"])
    spoil(shape)
    made = operator.post("/api/journeys", json={"name": "草稿", "graph": shape}).json()
    answer = operator.post(f"/api/journeys/{made['id']}/publish")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_secrets_are_shown_to_nobody_and_stay_when_not_sent(
    operator: TestClient, api: Harness, gateway: Provider, story: Story
) -> None:
    made = channel(operator, gateway)
    answer = operator.patch(f"/api/channels/{made['id']}", json={"settings": {"url": gateway.url}})
    assert answer.status_code == 200, answer.text
    for client in (operator, api.token([Role.ADMIN]), api.token([Role.VIEWER])):
        page = client.get("/api/channels")
        assert "canary" not in page.text
        assert page.json()["items"][0]["secrets"] == ["secret", "receipt_secret"]
    assert api.token([Role.VIEWER]).get("/api/channels").json()["items"][0]["settings"] == {}
    operator.post(f"/api/channels/{made['id']}/test", json={"address": "a@example.cn"})
    at = gateway.headers[0]["X-Carloop-Timestamp"].encode()
    mac = hmac.new(SECRET.encode(), at + b"." + gateway.bodies[0], hashlib.sha256).hexdigest()
    assert gateway.headers[0]["X-Carloop-Signature"] == f"v1={mac}"
    with story.state.read() as tx:
        (stored,) = tx.channels.list(story.tenant)
    assert b"canary" not in stored.settings_enc


def test_edits_are_guarded_by_etag(operator: TestClient, gateway: Provider) -> None:
    made = channel(operator, gateway)
    made_journey = journey(operator, graph(made["id"]))
    change = {"name": "b"}
    for path in (f"/api/channels/{made['id']}", f"/api/journeys/{made_journey}"):
        tag = operator.get(path).headers["ETag"]
        assert operator.patch(path, json=change, headers={"If-Match": tag}).status_code == 200
        again = operator.patch(path, json=change, headers={"If-Match": tag})
        assert (again.status_code, again.json()["code"]) == (409, "stale")


def test_pause_resume_and_emergency_stop(
    operator: TestClient, story: Story, gateway: Provider
) -> None:
    id = journey(operator, graph(channel(operator, gateway)["id"]))
    assert operator.post(f"/api/journeys/{id}/pause").json()["status"] == "paused"
    story.enters(story.person()).run()
    assert operator.post(f"/api/journeys/{id}/resume").json()["status"] == "live"
    assert operator.post("/api/journeys/stop").json() == {"stopped": 1}
    story.enters(story.person()).run()
    assert gateway.requests == []
    assert operator.delete(f"/api/journeys/{id}").status_code == 204
    assert operator.get(f"/api/journeys/{id}").status_code == 404


def test_test_sends_and_previews(operator: TestClient, story: Story, gateway: Provider) -> None:
    made = channel(operator, gateway)
    id = journey(operator, graph(made["id"], send("hi", made["id"], "{{name|车主}}您好")))
    body = {"node": "hi", "address": "me@example.cn"}
    assert operator.post(f"/api/journeys/{id}/test", json=body).json()["outcome"] == "sent"
    assert gateway.requests[0]["text"] == "车主您好"
    assert gateway.headers[0]["Idempotency-Key"].startswith("test:")
    person = story.person("王芳")
    with story.state.read() as tx:
        uuid = str(UUID(bytes=tx.identity.by_numbers(story.tenant, [person])[0].uuid))
    shown = operator.post(f"/api/journeys/{id}/preview", json={"node": "hi", "person": uuid})
    assert shown.json()["text"] == "***您好"
    body = {"node": "nothing", "address": "me@example.cn"}
    assert operator.post(f"/api/journeys/{id}/test", json=body).status_code == 404


def test_an_unsubscribe_link_asks_first_and_is_final(
    api: Harness, operator: TestClient, story: Story, gateway: Provider
) -> None:
    made = channel(operator, gateway)
    journey(operator, graph(made["id"], reentry="every_time"))
    wang = story.person("王芳", "wang@example.cn")
    story.enters(wang).run()
    link = gateway.requests[0]["unsubscribe_url"]
    path = link.removeprefix("https://crm.example.cn")
    assert "wang" not in link
    browser = TestClient(api.app)
    page = browser.get(path)
    assert page.status_code == 200
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    story.wait(minutes=1).enters(wang).run()
    assert len(gateway.requests) == 2
    assert browser.post(path).status_code == 200
    assert browser.post(path).status_code == 200
    story.wait(minutes=1).enters(wang).run()
    assert len(gateway.requests) == 2
    with story.state.read() as tx:
        entries = tx.consents.of(story.tenant, [wang])[wang]
    assert [entry.state.value for entry in entries] == ["granted", "withdrawn"]
    for forged in (path[:-3] + "AAA", "/unsubscribe/x", "/unsubscribe/" + "a" * 500, path + "."):
        assert browser.get(forged).status_code == 404


def test_consents_are_appended_and_the_standing_ones_shown(
    operator: TestClient, story: Story
) -> None:
    wang = story.person("王芳", consent=False)
    with story.state.read() as tx:
        uuid = UUID(bytes=tx.identity.by_numbers(story.tenant, [wang])[0].uuid)
    path = f"/api/persons/{uuid}/consents"
    for state in ("granted", "withdrawn"):
        body = {"purpose": "marketing", "state": state, "channel": "email"}
        assert operator.post(path, json=body).status_code == 201
    shown = operator.get(path).json()
    assert [it["state"] for it in shown["items"]] == ["granted", "withdrawn"]
    assert [it["state"] for it in shown["standing"]] == ["withdrawn"]
    future = {"purpose": "marketing", "state": "granted", "at": "2030-01-01T00:00:00Z"}
    assert operator.post(path, json=future).status_code == 422
    assert operator.get("/api/persons/nobody/consents").status_code == 404


def test_receipts_need_the_channels_signature(
    api: Harness, operator: TestClient, story: Story, gateway: Provider
) -> None:
    made = channel(operator, gateway)
    journey(operator, graph(made["id"]))
    story.enters(story.person()).run()
    item = {"key": gateway.requests[0]["key"], "kind": "failed"}
    assert receipt(api, story, made["id"], item, secret="wrong").status_code == 401
    assert receipt(api, story, made["id"], item, secret="").status_code == 401
    unknown = "00000000-0000-0000-0000-000000000000"
    assert receipt(api, story, unknown, item).status_code == 401
    assert re.search("signature", receipt(api, story, unknown, item).json()["code"])
    body = b'{"receipts": []}'
    old = str(story.now // 1000 - 301)
    mac = hmac.new(RECEIPTS.encode(), old.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Carloop-Timestamp": old, "X-Carloop-Signature": f"v1={mac}"}
    late = TestClient(api.app).post(f"/receipts/{made['id']}", content=body, headers=headers)
    assert late.status_code == 401
    weird = {b"X-Carloop-Timestamp": b"1", b"X-Carloop-Signature": "v1=é".encode()}
    assert TestClient(api.app).post(f"/receipts/{made['id']}", headers=weird).status_code == 401


def test_viewers_see_outcomes_but_no_people_and_no_small_numbers(
    api: Harness, operator: TestClient, story: Story, gateway: Provider
) -> None:
    id = journey(operator, graph(channel(operator, gateway)["id"]))
    story.enters(story.person()).run()
    viewer = api.token([Role.VIEWER])
    assert viewer.get(f"/api/journeys/{id}").json()["sends"][0]["count"] is None
    (row,) = viewer.get(f"/api/journeys/{id}/sends").json()["items"]
    assert row["person"] is None
    assert viewer.post(f"/api/journeys/{id}/publish").status_code == 403
    assert api.token([Role.ANALYST]).post("/api/journeys/stop").status_code == 403
