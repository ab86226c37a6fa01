"""Segments keep true: after data, as time passes, within a scope, told once to whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from carloop.app.audit import AuditLog
from carloop.app.persons.lookup import Persons
from carloop.app.segments.audiences import Audiences
from carloop.app.segments.refresher import SegmentRefresher
from carloop.app.segments.saved import Segments
from carloop.core.pack import SegmentTemplate
from carloop.core.ports.segments import SegmentChange
from carloop.core.ports.state import Tx
from carloop.core.ports.tenants import Tenant
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission, Scope
from carloop.kit.clock import ManualClock
from carloop.kit.errors import Conflict, InvalidInput, NotFound
from carloop.rules import parse
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.api import MemoryHead
from tests.support.people import People

TEN_DAYS = {"kind": "performed", "event": "visit", "window": {"days": 10}}


@dataclass
class Heard:
    changes: list[SegmentChange] = field(default_factory=list)

    def changed(self, tx: Tx, change: SegmentChange) -> None:
        self.changes.append(change)


@dataclass
class Desk:
    """Everything about segments over one state store and one event store."""

    state: SqlState
    store: ClickHouseStore
    tenant: int
    clock: ManualClock
    segments: Segments
    refresher: SegmentRefresher
    audiences: Audiences
    heard: Heard
    seconds: list[float]

    def people(self, first_seq: int = 0) -> People:
        return People(self.store, self.tenant, seq=first_seq)

    def caller(self, **scope: Any) -> Caller:
        return Caller("user:1", "ann", frozenset(Permission), Scope(self.tenant, **scope))

    def create(self, rule: dict[str, Any], name: str = "s") -> str:
        return self.segments.create(self.caller(), name, "", parse(rule)).segment.uuid

    def members(self, id: str, **scope: Any) -> list[int]:
        with self.state.read() as tx:
            segment = tx.segments.by_uuid(self.tenant, id)
        assert segment is not None
        return sorted(self.segments.people(Scope(self.tenant, **scope), segment))

    def later(self, **by: float) -> int:
        self.clock.advance(timedelta(**by))
        self.seconds[0] += timedelta(**by).total_seconds()
        return self.refresher.run_once()


@pytest.fixture
def desk(
    state: SqlState,
    event_store: ClickHouseStore,
    tenant: int,
    clock: ManualClock,
    cipher: VaultCipher,
) -> Desk:
    event_store.ensure_tenant(tenant)
    with state.write() as tx:
        tx.tenants.save(Tenant(tenant, "t", "Asia/Shanghai"))
    catalogue, heard, seconds = Catalogue.of(), Heard(), [1000.0]
    audiences = Audiences(state, event_store, catalogue, cipher, clock)
    refresher = SegmentRefresher(state, event_store, audiences, clock, heard, lambda: seconds[0])
    audit = AuditLog(state, clock, bytes(32), MemoryHead())
    persons = Persons(state, event_store, catalogue, cipher, audit)
    segments = Segments(state, clock, audiences, persons, refresher.refresh)
    return Desk(state, event_store, tenant, clock, segments, refresher, audiences, heard, seconds)


def test_a_visitor_enters_with_the_event_and_leaves_as_time_passes(desk: Desk) -> None:
    people = desk.people()
    people.person(1)
    people.write()
    id = desk.create(TEN_DAYS)
    assert desk.members(id) == []
    people.event("visit", 1, desk.clock.now())
    people.write()
    desk.refresher.notice()
    assert desk.later(seconds=3) == 1
    assert desk.members(id) == [1]
    desk.later(days=10, seconds=-4)
    assert desk.members(id) == [1]
    desk.later(seconds=5)
    assert desk.members(id) == []
    told = [(list(c.entered), list(c.left)) for c in desk.heard.changes]
    assert told == [([1], []), ([], [1])]


def test_imported_history_enters_but_is_told_apart(desk: Desk) -> None:
    people = desk.people()
    for number in (1, 2):
        people.person(number)
    people.write()
    desk.create(TEN_DAYS)
    people.event("visit", 1, desk.clock.now(), historical=1)
    people.event("visit", 2, desk.clock.now(), historical=1)
    people.event("page", 2, desk.clock.now())
    people.write()
    desk.refresher.notice()
    desk.later(seconds=3)
    (change,) = desk.heard.changes
    assert (list(change.entered), list(change.entered_by_history)) == ([2], [1])


def test_nothing_is_computed_before_its_turn(desk: Desk) -> None:
    desk.create({"kind": "performed", "event": "visit"})
    assert desk.later(seconds=1) == 0
    assert desk.later(seconds=30) == 0
    desk.refresher.notice()
    assert desk.later(seconds=0.1) == 1
    assert desk.later(seconds=1) == 0
    assert desk.later(seconds=1.5) == 1
    assert desk.later(seconds=30) == 0
    assert desk.later(seconds=60) == 1


def test_a_limited_caller_counts_its_own_people_by_its_own_events(desk: Desk) -> None:
    people = desk.people()
    for number in (1, 2, 3):
        people.person(number)
        people.event("visit", number, desk.clock.now(), entities={"dealer": 3 if number < 3 else 9})
    people.grant("dealer", 3, 1)
    people.grant("dealer", 3, 3)
    people.write()
    id = desk.create(TEN_DAYS)
    own = {"dims": {"dealer": frozenset({3})}}
    assert desk.members(id) == [1, 2, 3]
    assert desk.members(id, **own) == [1]
    view = desk.segments.get(desk.caller(**own), id)
    assert view.counted.count == 1
    assert desk.members(id, dims={"dealer": frozenset()}) == []


def test_small_counts_are_not_told_to_who_may_not_see_people(desk: Desk) -> None:
    people = desk.people()
    for number in range(1, 11):
        people.person(number)
    people.event("visit", 1, desk.clock.now())
    people.write()
    few, all_ = desk.create(TEN_DAYS, "few"), desk.create({"kind": "everyone"}, "all")
    viewer = desk.caller(persons=False)
    counted = [desk.segments.get(viewer, id).counted for id in (few, all_)]
    assert [(c.count, c.suppressed) for c in counted] == [(None, True), (10, False)]


def test_a_rule_may_name_segments_but_never_itself(desk: Desk) -> None:
    people = desk.people()
    for number in (1, 2):
        people.person(number)
    people.event("visit", 1, desk.clock.now())
    people.write()
    first = desk.create(TEN_DAYS, "first")
    second = desk.create({"kind": "not", "rule": {"kind": "in_segment", "segment": first}}, "2nd")
    assert desk.members(second) == [2]
    cycle = parse({"kind": "in_segment", "segment": second})
    with pytest.raises(InvalidInput, match="itself"):
        desk.segments.change(desk.caller(), first, None, rule=cycle)
    with pytest.raises(Conflict, match="names it"):
        desk.segments.delete(desk.caller(), first)
    with pytest.raises(InvalidInput, match="no such segment"):
        desk.create({"kind": "in_segment", "segment": "nowhere"}, "third")


def test_changes_need_the_version_that_was_read_and_deletion_can_be_undone(desk: Desk) -> None:
    caller, id = desk.caller(), desk.create(TEN_DAYS)
    assert desk.segments.change(caller, id, 1, name="n").segment.version == 2
    with pytest.raises(Conflict, match="changed"):
        desk.segments.change(caller, id, 1, name="m")
    with pytest.raises(Conflict, match="name"):
        desk.create(TEN_DAYS, "n")
    desk.segments.delete(caller, id)
    with pytest.raises(NotFound):
        desk.segments.get(caller, id)
    assert [v.segment.uuid for v in desk.segments.page(caller, deleted=True)] == [id]
    assert desk.segments.restore(caller, id).state == "ready"


def test_templates_are_installed_once_even_when_deleted_since(desk: Desk) -> None:
    templates: Sequence[SegmentTemplate] = [
        SegmentTemplate("visitors", {"zh": "访客", "en": "Visitors"}, TEN_DAYS)
    ]
    assert desk.segments.install(desk.tenant, templates, "zh") == 1
    caller = desk.caller()
    (view,) = desk.segments.page(caller)
    assert (view.segment.name, view.state) == ("访客", "waiting")
    desk.segments.delete(caller, view.segment.uuid)
    assert desk.segments.install(desk.tenant, templates, "zh") == 0


def test_journeys_may_ask_a_rule_of_some_people(desk: Desk) -> None:
    people = desk.people()
    for number in (1, 2, 3):
        people.person(number)
        people.event("visit", number, desk.clock.now())
    people.write()
    now = int(desk.clock.now().timestamp() * 1000)
    assert set(desk.audiences.matching(desk.tenant, TEN_DAYS, [1, 3, 7], now)) == {1, 3}
    assert not desk.audiences.matching(desk.tenant, TEN_DAYS, [], now)
