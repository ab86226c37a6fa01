"""The plan in the state store, on both engines: per tenant, under locking, within a scope."""

from __future__ import annotations

import pytest

from carloop.app.audit import AuditLog
from carloop.app.tracking.desk import PlanDesk
from carloop.app.tracking.reality import Reality
from carloop.app.tracking.report import PlanReport
from carloop.core.scope import Caller, Permission, Scope
from carloop.core.tracking import PlanSettings
from carloop.kit.clock import ManualClock
from carloop.kit.errors import CarloopError, Conflict, NotFound
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.world import CATALOGUE, NoHead, World


def desk_over(state: SqlState, clock: ManualClock) -> PlanDesk:
    audit = AuditLog(state, clock, b"k" * 32, NoHead())
    return PlanDesk(state, CATALOGUE, clock, audit, lambda: None)


def who(tenant: int) -> Caller:
    return Caller("u:1", "Li", frozenset(Permission), Scope(tenant))


@pytest.fixture
def desk(state: SqlState, clock: ManualClock) -> PlanDesk:
    return desk_over(state, clock)


def test_a_tenant_sees_no_other_ones_plan(desk: PlanDesk) -> None:
    own, other = who(1), who(2)
    desk.save_event(own, "visit", {"owner": "Li"}, 0)
    desk.publish(own, "first", None)
    desk.save_event(other, "visit", {"owner": "Wang"}, 0)
    assert desk.event(own, "visit")[0].owner == "Li"
    assert desk.event(other, "visit")[0].owner == "Wang"
    assert desk.versions(other, before=None, limit=9) == []
    with pytest.raises(NotFound):
        desk.restore(other, 1, "", None)


def test_what_was_read_before_a_change_cannot_overwrite_it(desk: PlanDesk) -> None:
    li = who(1)
    _, first = desk.save_event(li, "visit", {"owner": "Li"}, 0)
    _, second = desk.save_event(li, "visit", {"owner": "Wang"}, first)
    assert (first, second) == (1, 2)
    for stale in (0, first):
        with pytest.raises(Conflict):
            desk.save_event(li, "visit", {}, stale)
        with pytest.raises(Conflict):
            desk.remove_event(li, "visit", stale)
    read = desk.work(li).tag
    desk.remove_event(li, "visit", second)
    desk.save_event(li, "visit", {"owner": "Zhao"}, 0)
    with pytest.raises(Conflict):
        desk.publish(li, "", read)
    assert desk.publish(li, "", desk.work(li).tag).version == 1
    with pytest.raises(CarloopError) as nothing:
        desk.publish(li, "", None)
    assert nothing.value.code == "plan_unchanged"


def test_a_version_is_brought_back_as_it_was(desk: PlanDesk) -> None:
    li = who(1)
    places = [{"name": "site", "title": {"zh": "官网"}, "sources": ["web"]}]
    desk.save_settings(li, PlanSettings(), places, 0)
    desk.save_event(li, "visit", {"touchpoints": {"site": "live"}}, 0)
    desk.publish(li, "one", None)
    first = desk.work(li).own
    desk.remove_event(li, "visit", None)
    desk.save_settings(li, PlanSettings(), [], None)
    desk.save_event(li, "purchase", {"title": {"zh": "购买"}}, 0)
    desk.publish(li, "two", None)
    assert [c.kind for c in desk.between(li, 1, 2)] == ["removed", "added", "removed"]
    made = desk.restore(li, 1, "back", None)
    assert (made.version, made.restored, desk.work(li).own) == (3, 1, first)
    assert desk.between(li, 1, 3) == []
    assert [v.note for v in desk.versions(li, before=3, limit=9)] == ["two", "one"]


def test_a_touchpoint_that_points_lie_at_stays(desk: PlanDesk) -> None:
    li = who(1)
    desk.save_settings(li, PlanSettings(), [{"name": "site"}], 0)
    desk.save_event(li, "visit", {"touchpoints": {"site": "live"}}, 0)
    with pytest.raises(CarloopError) as refused:
        desk.save_settings(li, PlanSettings(), [], None)
    assert refused.value.code == "plan_touchpoint_unknown"


def test_coverage_counts_what_the_caller_may_see(
    any_state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher, tenant: int
) -> None:
    world = World(any_state, event_store, cipher, tenant)
    north, south = world.entity("shop", "N"), world.entity("shop", "S")
    for shop, times in ((north, 2), (south, 3)):
        for n in range(times):
            world.event(f"login_id:{shop}-{n}", shop=shop)
    world.settle()
    desk = desk_over(any_state, world.clock)
    desk.save_event(world.caller(), "visit", {}, 0)
    report = PlanReport(any_state, desk, Reality(event_store, world.clock), CATALOGUE)

    def counted(caller: Caller) -> int:
        return report.of(caller, 30).met.get(("visit", "*"), 0)

    assert counted(world.caller()) == 5
    assert counted(world.caller(shop=north)) == 2
    assert counted(world.caller(shop=south)) == 3
