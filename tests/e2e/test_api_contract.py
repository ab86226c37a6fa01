"""What every route promises: permissions, problems, headers, idempotency, cursors."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import select, text

from carloop.api.app import create_app
from carloop.api.deps import Requires, public
from carloop.api.openapi import api_routes
from carloop.api.paging import decode_cursor, encode_cursor
from carloop.api.services import Services
from carloop.app.operation.health import Figure, Health, disk_probe
from carloop.kit.clock import ManualClock
from carloop.kit.errors import InvalidInput
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.schema import metadata
from carloop.stores.state.store import SqlState
from tests.support.api import Harness, build

PUBLIC = {
    "sign_in",
    "get_liveness",
    "get_readiness",
    "get_version",
    "get_metrics",
    "receive_receipt",
}


@pytest.fixture
def api(
    any_state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int
) -> Harness:
    event_store.ensure_tenant(tenant)
    return build(any_state, event_store, clock, tenant)


def requirements(route: APIRoute) -> list[Requires]:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [call for call in calls if isinstance(call, Requires)]


def test_every_route_states_who_may_call_it() -> None:
    operations = [
        item for path in create_app(Services()).openapi()["paths"].values() for item in path
    ]
    assert len(list(api_routes())) == len(operations) > 50
    for route in api_routes():
        is_public = getattr(route.endpoint, "carloop_public", False)
        assert is_public or requirements(route), f"{route.path} does not say who may call it"
        if is_public:
            assert route.operation_id in PUBLIC


def test_every_operation_is_named_verb_noun_and_documents_its_refusals() -> None:
    schema = create_app(Services()).openapi()
    names = []
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            names.append(operation["operationId"])
            assert "_" in operation["operationId"], path
            assert {"401", "403", "404", "422", "429", "503"} <= set(operation["responses"]), path
            assert operation.get("description"), f"{method} {path} has no docstring"
    assert len(names) == len(set(names))


def test_unknown_paths_are_problems(api: Harness) -> None:
    answer = api.local().get("/api/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_wrong_method_is_a_problem(api: Harness) -> None:
    answer = api.local().put("/api/users")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b'{"name":1}', 422, "invalid_input"),
        (b'{"name":"a\\u0000b","kind":"web"}', 422, "invalid_input"),
        (b'{"name":"' + b"a" * 2_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_bad_bodies_are_refused_with_a_reason(
    api: Harness, body: bytes, status: int, code: str
) -> None:
    answer = api.local().post(
        "/api/sources", content=body, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_unexpected_is_a_500_with_a_request_id_and_no_values(
    api: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    router = APIRouter()

    @router.get("/boom", operation_id="get_boom")
    @public
    def boom() -> None:
        raise RuntimeError("13912345678")

    api.app.include_router(router)
    answer = api.client().get("/boom")
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    written = capsys.readouterr()
    assert "13912345678" not in answer.text + written.out + written.err


def test_answers_carry_safe_headers(api: Harness) -> None:
    headers = api.local().get("/api/users").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert len(headers["x-request-id"]) == 16
    given = api.local().get("/version", headers={"X-Request-Id": "abc-12345678"})
    assert given.headers["x-request-id"] == "abc-12345678"


def test_docs_need_nothing_from_elsewhere(api: Harness) -> None:
    page = api.client().get("/docs").text
    assert "create_source" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_repeated_post_is_answered_not_done_again(api: Harness) -> None:
    client, body = api.local(), {"name": "web", "kind": "web"}
    key = {"Idempotency-Key": "one"}
    first = client.post("/api/sources", json=body, headers=key)
    again = client.post("/api/sources", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(client.get("/api/sources").json()["items"]) == 1
    other = client.post("/api/sources", json={**body, "name": "x"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


def test_another_caller_may_use_the_same_idempotency_key(api: Harness) -> None:
    key = {"Idempotency-Key": "one"}
    body = {"name": "web", "kind": "web"}
    assert api.local().post("/api/sources", json=body, headers=key).status_code == 201
    other = api.token(["admin"]).post("/api/sources", json=body, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "name_taken")


def test_kept_answers_hold_no_clear_secret(api: Harness, any_state: SqlState) -> None:
    body = {"name": "t", "roles": ["viewer"]}
    answer = api.local().post("/api/keys", json=body, headers={"Idempotency-Key": "secret"})
    token = answer.json()["token"]
    with any_state.read() as tx:
        kept = [
            bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode()
            for table in metadata.sorted_tables
            for row in tx.connection.execute(select(table))
            for cell in row
        ]
    assert any(b"viewer" in cell for cell in kept)
    if any_state.url.startswith("sqlite"):
        any_state.close()
        database = Path(any_state.url.removeprefix("sqlite:///"))
        kept += [file.read_bytes() for file in database.parent.glob("state.db*")]
    assert not any(token.encode() in cell for cell in kept)


def test_an_answer_is_kept_for_a_day(api: Harness, clock: ManualClock) -> None:
    body, key = {"name": "web", "kind": "web"}, {"Idempotency-Key": "one"}
    assert api.local().post("/api/sources", json=body, headers=key).status_code == 201
    clock.advance(timedelta(hours=24, milliseconds=1))
    late = api.local().post("/api/sources", json=body, headers=key)
    assert (late.status_code, late.json()["code"]) == (409, "name_taken")


def test_a_stale_etag_is_a_conflict(api: Harness) -> None:
    client = api.local()
    made = client.post("/api/sources", json={"name": "web", "kind": "web"})
    tag, id = made.headers["etag"], made.json()["id"]
    changed = client.patch(f"/api/sources/{id}", json={"name": "a"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    stale = client.patch(f"/api/sources/{id}", json={"name": "b"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    bad = client.patch(f"/api/sources/{id}", json={}, headers={"If-Match": "nonsense"})
    assert (bad.status_code, bad.json()["code"]) == (422, "etag_invalid")


def test_readiness_names_the_part_that_is_not(
    any_state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int
) -> None:
    def fine() -> None:
        return None

    health = Health({"state": fine, "disk": disk_probe(Path("/"), 2**62)})
    api = build(any_state, event_store, clock, tenant, health=health)
    answer = api.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not_ready",
        "parts": {
            "state": {"ready": True, "reason": None},
            "disk": {"ready": False, "reason": "disk_full"},
        },
    }


def test_metrics_are_for_this_machine_or_a_token(
    any_state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int
) -> None:
    health = Health({}, [Figure("lag_seconds", "Lag", lambda: [(("a",), 2.5)], ("part",))])
    api = build(any_state, event_store, clock, tenant, health=health)
    assert 'carloop_lag_seconds{part="a"} 2.5' in api.client().get("/metrics").text
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert api.client().get("/metrics", headers=outside).status_code == 401
    assert api.token(["viewer"]).get("/metrics", headers=outside).status_code == 403
    assert api.token(["admin"]).get("/metrics", headers=outside).status_code == 200


@pytest.mark.parametrize("text", ["", "a", "!!", "W10", json.dumps([1]), "WzFd" * 200, "WyJhIl0"])
def test_a_forged_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        decode_cursor(text, int)


def test_a_cursor_returns_its_key() -> None:
    assert decode_cursor(encode_cursor(5, "中"), int, str) == (5, "中")


def test_changes_are_in_the_audit_log_by_operation_and_reads_are_not(api: Harness) -> None:
    client = api.local()
    client.post("/api/sources", json={"name": "web", "kind": "web"})
    client.get("/api/sources")
    client.post("/api/sources", json={"name": "web", "kind": "web"})
    (entry,) = client.get("/api/audit").json()["items"]
    assert (entry["action"], entry["caller"], entry["object"]) == (
        "create_source",
        "local",
        "/api/sources",
    )
    assert entry["detail"] == {"status": 201}
    assert api.services.audit.verify().problem == ""


def test_a_change_and_its_entry_in_the_audit_log_are_one_transaction(
    api: Harness, any_state: SqlState
) -> None:
    def rename(old: str, new: str) -> None:
        with any_state.write() as tx:
            tx.connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    client, body = api.local(), {"name": "web", "kind": "web"}
    rename("audit", "audit_away")
    try:
        assert client.post("/api/sources", json=body).status_code >= 500
    finally:
        rename("audit_away", "audit")
    assert client.get("/api/sources").json()["items"] == []
    assert client.get("/api/audit").json()["items"] == []
    assert client.post("/api/sources", json=body).status_code == 201
    actions = [entry["action"] for entry in client.get("/api/audit").json()["items"]]
    assert actions == ["create_source"]


def test_a_refused_change_leaves_no_entry(api: Harness) -> None:
    client, body = api.local(), {"name": "web", "kind": "web"}
    key = {"Idempotency-Key": "again"}
    assert client.post("/api/sources", json=body).status_code == 201
    for headers in ({}, key, key):
        assert client.post("/api/sources", json=body, headers=headers).status_code == 409
    assert len(client.get("/api/audit").json()["items"]) == 1
