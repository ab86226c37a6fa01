"""The quick look-up of a person answers as the route behind it does."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

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
    return build(world.state, world.store, world.clock, world.tenant, persons=world.persons).local()


@pytest.mark.parametrize(
    "identifier",
    [
        f"mobile:{PHONE}",
        "login_id:wang",
        "login_id:nobody",
        "mobile:12",
        "shoe_size:42",
        "openid:wx1:",
        "",
        "x" * 401,
        "login_id:a\x00b",
        "login_id:王芳 100%",
    ],
)
def test_the_quick_answer_is_the_answer_of_the_route(
    world: World, api: TestClient, identifier: str
) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}", set={"name": "王芳", "city": "上海"})
    quick = api.get("/api/persons", params={"identifier": identifier})
    route = api.get("/api/persons", params={"identifier": identifier, "beside": "1"})
    assert quick.status_code == route.status_code
    assert quick.json() == route.json()
    ignored = {"x-request-id", "content-length"}
    assert {k: v for k, v in quick.headers.items() if k not in ignored} == {
        k: v for k, v in route.headers.items() if k not in ignored
    }


def test_strangers_are_sent_away(world: World, api: TestClient) -> None:
    del api.headers["authorization"]
    refused = api.get("/api/persons", params={"identifier": f"mobile:{PHONE}"})
    assert refused.status_code == 401
