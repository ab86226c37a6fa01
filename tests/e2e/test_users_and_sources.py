"""Users, sources and write keys over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest

from carloop.core.access import fingerprint
from carloop.core.scope import ROLE_PERMISSIONS, Role
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from tests.support.api import Harness, build


@pytest.fixture
def api(state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int) -> Harness:
    event_store.ensure_tenant(tenant)
    return build(state, event_store, clock, tenant)


def make_user(api: Harness, **body: object) -> dict[str, object]:
    answer = api.local().post("/api/users", json={"username": "li", "roles": ["viewer"], **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_new_user_signs_in_with_the_first_password(api: Harness) -> None:
    made = make_user(api, username="王芳", roles=["analyst"])
    client = api.signed_in("王芳", str(made["password"]))
    session = client.get("/api/session").json()
    assert session["must_change"] is True
    assert session["user"]["roles"] == ["analyst"]
    assert set(session["user"]["permissions"]) == ROLE_PERMISSIONS[Role.ANALYST]


def test_user_names_differ_beyond_case(api: Harness) -> None:
    make_user(api, username="Li")
    again = api.local().post("/api/users", json={"username": "lI", "roles": ["viewer"]})
    assert (again.status_code, again.json()["code"]) == (409, "username_taken")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"roles": []}, "invalid_input"),
        ({"roles": ["dealer_manager"]}, "dimension_needed"),
        ({"roles": ["dealer_advisor"], "dims": {"dealer": []}}, "dimension_needed"),
        ({"roles": ["viewer"], "dims": {"planet": ["x"]}}, "dimension_unknown"),
        ({"roles": ["viewer"], "password": "short"}, "password_weak"),
        ({"roles": ["owner"]}, "invalid_input"),
    ],
)
def test_wrong_users_are_refused(api: Harness, body: dict[str, object], code: str) -> None:
    answer = api.local().post("/api/users", json={"username": "li", **body})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_last_admin_stays(api: Harness) -> None:
    local = api.local()
    for answer in (
        local.patch("/api/users/1", json={"roles": ["viewer"]}),
        local.patch("/api/users/1", json={"disabled": True}),
        local.delete("/api/users/1"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
    make_user(api, roles=["admin"])
    assert local.delete("/api/users/1").status_code == 204


def test_a_change_of_rights_counts_at_once(api: Harness) -> None:
    made = make_user(api)
    client = api.signed_in("li", str(made["password"]))
    user = made["user"]
    assert isinstance(user, dict)
    path = f"/api/users/{user['id']}"
    api.local().patch(path, json={"roles": ["admin"]})
    assert client.get("/api/session").json()["user"]["roles"] == ["admin"]
    api.local().patch(path, json={"disabled": True})
    assert client.get("/api/session").status_code == 401
    refused = api.client().post(
        "/api/session", json={"username": "li", "password": made["password"]}
    )
    assert refused.status_code == 401


def test_a_reset_password_ends_sessions(api: Harness) -> None:
    made = make_user(api)
    client = api.signed_in("li", str(made["password"]))
    user = made["user"]
    assert isinstance(user, dict)
    reset = api.local().patch(f"/api/users/{user['id']}", json={"reset_password": True})
    assert client.get("/api/session").status_code == 401
    assert api.signed_in("li", reset.json()["password"]).get("/api/session").status_code == 200


def test_a_write_key_is_published_as_a_hash_and_shown_once(api: Harness) -> None:
    local = api.local()
    source = local.post("/api/sources", json={"name": "web", "kind": "web"}).json()
    made = local.post(
        f"/api/sources/{source['id']}/keys",
        json={"origins": ["https://www.example.com"], "rate": 5},
    ).json()
    (key,) = api.published[-1]
    assert key.hash == fingerprint(made["write_key"]).hex()
    assert (key.source, key.origins, key.rate) == (source["id"], ("https://www.example.com",), 5)
    assert made["write_key"] not in local.get("/api/sources").text


def test_a_write_key_opens_nothing_of_the_api(api: Harness) -> None:
    local = api.local()
    id = local.post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    key = local.post(f"/api/sources/{id}/keys", json={}).json()["write_key"]
    for path in ("/api/sources", "/api/session", "/api/overview"):
        assert api.client(key).get(path).status_code == 401


def test_keys_stop_when_revoked_rotated_disabled_or_removed(
    api: Harness, clock: ManualClock
) -> None:
    local = api.local()
    id = local.post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    path = f"/api/sources/{id}"
    old = local.post(f"{path}/keys", json={}).json()["key"]["id"]
    local.post(f"{path}/keys", json={"name": "new"})
    assert len(api.published[-1]) == 2
    assert local.delete(f"{path}/keys/{old}?after_hours=24").status_code == 204
    ends = [key.expires_at for key in api.published[-1] if key.expires_at]
    assert ends == [int((clock.now() + timedelta(hours=24)).timestamp() * 1000)]
    assert local.delete(f"{path}/keys/{old}").status_code == 204
    assert len(api.published[-1]) == 1
    assert local.patch(path, json={"enabled": False}).status_code == 200
    assert api.published[-1] == []
    assert local.patch(path, json={"enabled": True}).status_code == 200
    assert len(api.published[-1]) == 1
    assert local.delete(path).status_code == 204
    assert api.published[-1] == []
    assert local.get(path).status_code == 404
    assert local.delete(f"{path}/keys/{old}").status_code in (204, 404)


def test_numbers_of_sources_are_never_used_again(api: Harness) -> None:
    local = api.local()
    first = local.post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    local.delete(f"/api/sources/{first}")
    again = local.post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    assert again != first


@pytest.mark.parametrize(
    "origin", ["*", "www.example.com", "https://a.example/path", "javascript://x", "https://"]
)
def test_an_origin_is_scheme_host_and_port(api: Harness, origin: str) -> None:
    id = api.local().post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    answer = api.local().post(f"/api/sources/{id}/keys", json={"origins": [origin]})
    assert answer.status_code == 422


def test_statistics_count_events_of_the_source(
    api: Harness, event_store: ClickHouseStore, tenant: int, clock: ManualClock
) -> None:
    id = api.local().post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    now = clock.now()
    rows = []
    for n, age in enumerate((timedelta(hours=1), timedelta(hours=23), timedelta(hours=25))):
        at = (now - age).strftime("%Y-%m-%d %H:%M:%S.000")
        rows.append(
            {
                "tenant": tenant, "event": "visit", "fragment": 1, "occurred_at": at, "seq": n,
                "received_at": at, "source": id, "event_id": str(UUID(int=n)),
                "message_id": str(n), "historical": 0, "entities": {}, "properties": {},
            }
        )  # fmt: skip
    event_store.insert("events", "\n".join(json.dumps(row) for row in rows).encode())
    source = api.local().get(f"/api/sources/{id}").json()
    assert (source["events_total"], source["events_24h"]) == (3, 2)
    assert source["last_event_at"].startswith("2026-11-22T07:00:00")
