"""The tenant's settings and a source's limits over HTTP."""

from __future__ import annotations

import pytest

from carloop.core.scope import Role
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from tests.support.api import Harness, build


@pytest.fixture
def api(
    any_state: SqlState, event_store: ClickHouseStore, clock: ManualClock, tenant: int
) -> Harness:
    event_store.ensure_tenant(tenant)
    return build(any_state, event_store, clock, tenant)


def test_settings_are_shown_to_all_and_changed_by_admins(api: Harness) -> None:
    admin, viewer = api.local(), api.token([Role.VIEWER])
    first = viewer.get("/api/settings")
    assert first.json() == {"name": "", "zone": "Asia/Shanghai", "event_days": None}
    body = {"name": "车商集团", "zone": "Europe/Berlin", "event_days": 400}
    assert viewer.patch("/api/settings", json=body).status_code == 403
    tag = first.headers["ETag"]
    saved = admin.patch("/api/settings", json=body, headers={"If-Match": tag})
    assert saved.json() == body
    stale = admin.patch("/api/settings", json={"name": "x"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    user = api.signed_in("admin", api.password)
    tenant = user.get("/api/session").json()["tenant"]
    assert tenant == {"name": "车商集团", "zone": "Europe/Berlin"}
    assert admin.patch("/api/settings", json={"event_days": None}).json()["event_days"] is None
    told = admin.get("/api/audit", params={"action": "settings.change"}).json()["items"]
    assert [it["detail"]["changed"] for it in told] == [
        {"event_days": [400, None]},
        {
            "name": ["", "车商集团"],
            "zone": ["Asia/Shanghai", "Europe/Berlin"],
            "event_days": [None, 400],
        },
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"zone": "Mars/Olympus"}, "zone_unknown"),
        ({"zone": "../etc/passwd"}, "invalid_input"),
        ({"zone": ""}, "invalid_input"),
        ({"zone": None}, "invalid_input"),
        ({"name": "  "}, "invalid_input"),
        ({"name": None}, "invalid_input"),
        ({"event_days": 0}, "invalid_input"),
        ({"event_days": 36_501}, "invalid_input"),
        ({"event_days": 1.5}, "invalid_input"),
        ({"event_days": "a year"}, "invalid_input"),
    ],
)
def test_wrong_settings_are_refused(api: Harness, body: dict[str, object], code: str) -> None:
    answer = api.local().patch("/api/settings", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert api.local().get("/api/settings").json()["zone"] == "Asia/Shanghai"


def test_a_source_is_given_room_and_its_keys_are_changed(api: Harness) -> None:
    admin = api.local()
    source = admin.post("/api/sources", json={"name": "web", "kind": "web"}).json()["id"]
    place = f"/api/sources/{source}/limits"
    assert admin.get(place).json() == {"event_bytes": 32_768, "wire_bytes": 500_000}
    made = admin.post(f"/api/sources/{source}/keys", json={"name": "a"}).json()["key"]["id"]
    roomy = {"event_bytes": 262_144, "wire_bytes": 4_194_304}
    assert admin.put(place, json=roomy).json() == roomy
    assert [(k.event_bytes, k.wire_bytes) for k in api.published[-1]] == [(262_144, 4_194_304)]
    change = {"origins": ["https://www.example.com"], "rate": 50}
    changed = admin.patch(f"/api/sources/{source}/keys/{made}", json=change)
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["rate"]) == ("a", 50)
    (published,) = api.published[-1]
    assert (published.origins, published.rate) == (("https://www.example.com",), 50)
    for body in ({"event_bytes": 32_767}, {"event_bytes": 262_145}, {"wire_bytes": 4_194_305}):
        assert admin.put(place, json={**roomy, **body}).status_code == 422
    assert admin.get("/api/sources/999/limits").status_code == 404
    assert admin.patch(f"/api/sources/{source}/keys/none", json=change).status_code == 404
    assert admin.delete(f"/api/sources/{source}/keys/{made}").status_code == 204
    assert admin.patch(f"/api/sources/{source}/keys/{made}", json=change).status_code == 404
    viewer = api.token([Role.ANALYST])
    assert viewer.put(place, json=roomy).status_code == 403
