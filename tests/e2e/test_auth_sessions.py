"""Signing in, staying in, and being kept out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from tests.support.api import Harness, build

PASSWORD = "a long enough phrase"


@pytest.fixture
def api(state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int) -> Harness:
    return build(state, event_store, clock, tenant)


def ready_admin(api: Harness) -> TestClient:
    client = api.signed_in("admin", api.password)
    body = {"old": api.password, "new": PASSWORD}
    assert client.post("/api/session/password", json=body).status_code == 204
    return client


def sign_in(
    api: Harness, password: str, address: str = "198.51.100.7", username: str = "admin"
) -> Response:
    return api.client().post(
        "/api/session",
        json={"username": username, "password": password},
        headers={"X-Forwarded-For": address},
    )


def test_the_first_admin_must_change_the_password_before_anything_else(api: Harness) -> None:
    client = api.signed_in("admin", api.password)
    assert client.get("/api/session").json()["must_change"] is True
    refused = client.get("/api/users")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")
    body = {"old": api.password, "new": PASSWORD}
    assert client.post("/api/session/password", json=body).status_code == 204
    assert client.get("/api/users").status_code == 200
    assert sign_in(api, api.password).status_code == 401
    assert sign_in(api, PASSWORD).status_code == 201


def test_there_is_only_one_first_admin(api: Harness) -> None:
    assert api.services.access.first_admin() is None


def test_the_cookie_is_for_http_only_and_secure_behind_https(api: Harness) -> None:
    plain = sign_in(api, api.password).headers["set-cookie"]
    assert plain.startswith("carloop_session=")
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    assert "Secure" not in plain
    https = api.client().post(
        "/api/session",
        json={"username": "admin", "password": api.password},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert https.headers["set-cookie"].startswith("__Host-carloop_session=")
    assert "Secure" in https.headers["set-cookie"]


def test_the_store_holds_neither_cookie_nor_password(api: Harness, state: SqlState) -> None:
    client = api.signed_in("admin", api.password)
    with state.read() as tx:
        user = tx.access.users(api.services.access.tenant)[0]
        assert user.password.startswith("$argon2id$")
        assert tx.access.session(client.cookies["carloop_session"].encode()) is None


def test_changes_by_cookie_need_the_csrf_token(api: Harness) -> None:
    client = ready_admin(api)
    del client.headers["X-CSRF-Token"]
    body = {"name": "web", "kind": "web"}
    refused = client.post("/api/sources", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    wrong = client.post("/api/sources", json=body, headers={"X-CSRF-Token": "wrong"})
    assert wrong.json()["code"] == "csrf"
    assert client.get("/api/sources").status_code == 200


def test_sign_out_ends_the_session(api: Harness) -> None:
    client = api.signed_in("admin", api.password)
    cookie = client.cookies["carloop_session"]
    assert client.delete("/api/session").status_code == 204
    again = api.client()
    again.cookies.set("carloop_session", cookie)
    assert again.get("/api/session").status_code == 401


@pytest.mark.parametrize(
    ("wait", "status"),
    [
        (timedelta(hours=2) - timedelta(milliseconds=1), 200),
        (timedelta(hours=2), 401),
    ],
)
def test_an_idle_session_ends(
    api: Harness, clock: ManualClock, wait: timedelta, status: int
) -> None:
    client = api.signed_in("admin", api.password)
    clock.advance(wait)
    assert client.get("/api/session").status_code == status


def test_a_session_ends_after_a_day_however_busy(api: Harness, clock: ManualClock) -> None:
    client = api.signed_in("admin", api.password)
    for _ in range(23):
        clock.advance(timedelta(hours=1))
        assert client.get("/api/session").status_code == 200
    clock.advance(timedelta(hours=1))
    assert client.get("/api/session").status_code == 401


def test_a_password_change_ends_the_other_sessions(api: Harness) -> None:
    other = api.signed_in("admin", api.password)
    ready_admin(api)
    assert other.get("/api/session").status_code == 401


def test_failures_of_a_user_lead_to_growing_waits(api: Harness, clock: ManualClock) -> None:
    for n in range(5):
        assert sign_in(api, "wrong", f"198.51.100.{n}").status_code == 401
    waits = []
    for n in range(4):
        limited = sign_in(api, api.password, f"198.51.100.{100 + n}")
        assert (limited.status_code, limited.json()["code"]) == (429, "sign_in_limited")
        waits.append(int(limited.headers["retry-after"]))
        clock.advance(timedelta(seconds=waits[-1]))
        assert sign_in(api, "wrong", f"198.51.100.{50 + n}").status_code == 401
    assert waits == [1, 2, 4, 8]
    clock.advance(timedelta(seconds=16))
    assert sign_in(api, api.password).status_code == 201
    assert sign_in(api, "wrong").status_code == 401


def test_failures_from_an_address_lead_to_a_wait_for_any_user(api: Harness) -> None:
    for n in range(20):
        assert sign_in(api, "wrong", username=f"nobody{n}").status_code == 401
    assert sign_in(api, api.password).status_code == 429
    assert sign_in(api, api.password, "198.51.100.8").status_code == 201


def test_an_unknown_user_is_refused_like_a_wrong_password(api: Harness) -> None:
    a, b = sign_in(api, "wrong"), sign_in(api, "wrong", username="nobody")
    assert a.status_code == b.status_code == 401
    assert a.json() == b.json()


@pytest.mark.parametrize("weak", ["short", "x" * 20, "my admin pass", "y" * 129])
def test_weak_passwords_are_refused(api: Harness, weak: str) -> None:
    client = api.signed_in("admin", api.password)
    answer = client.post("/api/session/password", json={"old": api.password, "new": weak})
    assert (answer.status_code, answer.json()["code"]) == (422, "password_weak")


def test_a_bad_token_is_refused_and_a_stale_cookie_is_nobody(api: Harness) -> None:
    bad = api.client("carloop_x_y").get("/api/session")
    assert (bad.status_code, bad.json()["code"]) == (401, "token_invalid")
    assert bad.headers["www-authenticate"] == "Bearer"
    stale = api.client()
    stale.cookies.set("carloop_session", "stale")
    assert stale.get("/api/session").status_code == 401
    odd = api.client()
    assert odd.get("/api/session", headers={"Cookie": "a=b;;=;\x01"}).status_code == 401


def test_a_token_works_until_revoked_or_expired(api: Harness, clock: ManualClock) -> None:
    local = api.local()
    at = (clock.now() + timedelta(hours=1)).isoformat()
    body = {"name": "t", "roles": ["admin"], "expires_at": at}
    made = local.post("/api/keys", json=body).json()
    token = api.client(made["token"])
    assert token.get("/api/users").status_code == 200
    assert made["token"].endswith(made["key"]["hint"])
    clock.advance(timedelta(hours=1))
    assert token.get("/api/users").status_code == 401
    other = local.post("/api/keys", json={"name": "u", "roles": ["admin"]}).json()
    assert local.delete(f"/api/keys/{other['key']['id']}").status_code == 204
    assert api.client(other["token"]).get("/api/users").status_code == 401
    assert local.delete("/api/keys/unknown").status_code == 404
    past = {**body, "expires_at": "2020-01-01T00:00:00Z"}
    assert local.post("/api/keys", json=past).json()["code"] == "expired"
