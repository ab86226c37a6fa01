"""Every operation × role × own, foreign and no person: generated from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from carloop.core.scope import ROLE_PERMISSIONS, Permission, Role
from tests.support.server import Server, serving

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text("utf-8"))
NOBODY = "00000000-0000-5000-8000-000000000000"
MOBILES = {"own": "13912340001", "foreign": "13912340002", "nobody": "13912340003"}
CANARIES = {
    "own": "own-canary-7f3a",
    "foreign": "foreign-canary-9b1c",
    "nobody": "nobody-canary-5d2e",
}


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    id: str
    permission: str | None
    public: bool

    def __str__(self) -> str:
        return self.id


OPERATIONS = [
    Operation(
        method.upper(),
        path,
        operation["operationId"],
        operation.get("x-permission"),
        operation.get("security") == [],
    )
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
GUARDED = [operation for operation in OPERATIONS if operation.permission]


@dataclass(frozen=True)
class World:
    """A server with three people, and a client for every role."""

    server: Server
    persons: dict[str, str]
    clients: dict[str, httpx.Client]


def lead(name: str, dealer: str | None) -> dict[str, Any]:
    return {
        "message_id": f"lead-{name}",
        "event": "lead_assigned" if dealer else "page_viewed",
        "occurred_at": "2026-11-20T08:00:00Z",
        "identifiers": {"mobile": MOBILES[name], "cookie": f"cookie-{CANARIES[name]}"},
        "entities": [{"type": "dealer", "key": dealer}] if dealer else [],
        "properties": {"note": CANARIES[name], **({"dealer": dealer} if dealer else {})},
        "profile": {"set": {"name": CANARIES[name]}},
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serving(tmp_path_factory.mktemp("authz") / "data") as server:
        server.send(
            server.write_key(),
            [lead("own", "D001"), lead("foreign", "D002"), lead("nobody", None)],
        )
        admin = server.client(server.token())
        clients = {"anonymous": server.client()}
        for role in Role:
            dims = {"dealer": ["D001"]} if role.name.startswith("DEALER") else {}
            body = {"name": role.value, "roles": [role.value], "dims": dims}
            made = admin.post("/api/keys", json=body)
            assert made.status_code == 201, made.text
            clients[role.value] = server.client(made.json()["token"])
        persons = {name: find(admin, name) for name in MOBILES}
        admin.close()
        yield World(server, persons, clients)
        for client in clients.values():
            client.close()


def find(client: httpx.Client, name: str) -> str:
    answer = client.get("/api/persons", params={"identifier": f"mobile:{MOBILES[name]}"})
    assert answer.status_code == 200, answer.text
    (person,) = answer.json()["items"]
    return str(person["id"])


def call(client: httpx.Client, operation: Operation, person: str = NOBODY) -> httpx.Response:
    names = {"type": "dealer", "name": "x", "key": "x", "channel_id": NOBODY}
    numeric = operation.path.startswith(("/api/users", "/api/sources"))
    names["id"] = "999999" if numeric else person
    return client.request(operation.method, operation.path.format(**names))


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_a_role_is_refused_what_it_may_not_do(world: World, role: Role) -> None:
    for operation in GUARDED:
        if Permission(operation.permission or "") not in ROLE_PERMISSIONS[role]:
            for person in (NOBODY, *world.persons.values()):
                answer = call(world.clients[role.value], operation, person)
                assert answer.status_code == 403, f"{role} {operation}: {answer.status_code}"
                assert answer.json()["code"] == "permission_denied"


def test_nobody_may_do_anything_but_what_is_public(world: World) -> None:
    for operation in OPERATIONS:
        if not operation.public:
            answer = call(world.clients["anonymous"], operation)
            assert answer.status_code == 401, f"{operation}: {answer.status_code}"


DEALERS = (Role.DEALER_MANAGER, Role.DEALER_ADVISOR)
OF_A_PERSON = [operation for operation in GUARDED if operation.path.startswith("/api/persons/{id}")]
BODIES: dict[str, dict[str, Any]] = {
    "reveal_person_field": {"field": "name", "reason": "the customer called"},
}


@pytest.mark.parametrize("role", DEALERS, ids=str)
@pytest.mark.parametrize("operation", OF_A_PERSON, ids=str)
def test_a_foreign_person_does_not_exist_for_a_dealer(
    world: World, role: Role, operation: Operation
) -> None:
    if Permission(operation.permission or "") not in ROLE_PERMISSIONS[role]:
        return
    client, body = world.clients[role.value], BODIES.get(operation.id)
    for name, status in (("own", 200), ("foreign", 404), ("nobody", 404)):
        path = operation.path.format(id=world.persons[name])
        answer = client.request(operation.method, path, json=body)
        assert answer.status_code == status, f"{name}: {answer.text}"
        hidden = [canary for other, canary in CANARIES.items() if other != name]
        assert not any(canary in answer.text for canary in hidden)


@pytest.mark.parametrize("role", DEALERS, ids=str)
def test_lists_and_searches_hold_nothing_foreign(world: World, role: Role) -> None:
    client = world.clients[role.value]
    hidden = {world.persons[n] for n in ("foreign", "nobody")}
    hidden |= {CANARIES[n] for n in ("foreign", "nobody")}
    for operation in GUARDED:
        if operation.method == "GET" and "{id}" not in operation.path:
            for query in ({}, {"q": MOBILES["foreign"]}, {"q": CANARIES["foreign"]}):
                answer = client.get(operation.path.format(type="dealer", name="x"), params=query)
                assert answer.status_code < 500
                found = [secret for secret in hidden if secret in answer.text]
                assert found == [], f"{operation} {query} shows {found}"
    by_mobile = client.get("/api/persons", params={"identifier": f"mobile:{MOBILES['foreign']}"})
    assert by_mobile.status_code in (200, 404), by_mobile.text
    assert by_mobile.json().get("items", []) == []
    known = world.clients["admin"].get(f"/api/persons/{world.persons['foreign']}").json()
    events = client.get("/api/events", params={"person": known["number"]})
    assert events.status_code in (200, 404), events.text
    assert events.json().get("items", []) == []
    explained = client.get(
        "/api/identity/explain",
        params={"a": f"mobile:{MOBILES['own']}", "b": f"mobile:{MOBILES['foreign']}"},
    )
    assert explained.status_code == 404


@pytest.mark.parametrize("role", DEALERS, ids=str)
def test_counts_are_of_the_own_people_only(world: World, role: Role) -> None:
    client, everyone = world.clients[role.value], {"rule": {"kind": "everyone"}}
    assert world.clients["admin"].post("/api/segments/count", json=everyone).json()["count"] == 3
    assert client.post("/api/segments/count", json=everyone).json()["count"] == 1
    assert client.get("/api/overview").json()["persons"] == 1
    performed = {"rule": {"kind": "performed", "event": "lead_assigned"}}
    assert client.post("/api/segments/count", json=performed).json()["count"] == 1
    by_name = {
        "rule": {
            "kind": "attribute", "field": "name", "op": "=", "value": CANARIES["foreign"],
        }
    }  # fmt: skip
    assert client.post("/api/segments/count", json=by_name).json()["count"] == 0


@pytest.mark.parametrize("role", DEALERS, ids=str)
def test_funnels_and_members_are_of_the_own_people_only(world: World, role: Role) -> None:
    client, admin = world.clients[role.value], world.clients["admin"]
    funnel = {
        "steps": [{"event": "lead_assigned"}, {"event": "order_placed"}],
        "window": {"days": 7},
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-12-01T00:00:00Z",
    }
    for asking, count in ((admin, 2), (client, 1)):
        answer = asking.post("/api/analytics/funnel", json=funnel)
        assert answer.status_code == 200, answer.text
        assert answer.json()["steps"][0]["count"] == count
    bar = {**funnel, "step": 1}
    shown = client.post("/api/analytics/funnel/persons", json=bar)
    assert shown.status_code == 200, shown.text
    assert [person["id"] for person in shown.json()["items"]] == [world.persons["own"]]
    body = {"name": f"all {role.value}", "rule": {"kind": "everyone"}}
    segment = admin.post("/api/segments", json=body)
    assert segment.status_code == 201, segment.text
    id = segment.json()["id"]
    admin.post(f"/api/segments/{id}/refresh")
    members = client.get(f"/api/segments/{id}/members")
    assert members.status_code == 200, members.text
    assert [person["id"] for person in members.json()["items"]] == [world.persons["own"]]


def test_a_viewer_sees_numbers_but_no_small_ones(world: World) -> None:
    client = world.clients["viewer"]
    counted = client.post("/api/segments/count", json={"rule": {"kind": "everyone"}}).json()
    assert (counted["count"], counted["suppressed"]) == (None, True)
    assert client.get("/api/overview").json()["persons"] is None
