"""A person from all sides: found, told, explained, split, merged, scoped, erased."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.event import listen, remove

from carloop.app.identity import NOBODY
from carloop.core.evidence import Evidence
from carloop.core.identifiers import RawIdentifier
from carloop.kit.clock import from_ms, to_ms
from carloop.kit.errors import InvalidInput, NotFound
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.world import CATALOGUE, World

PHONE = "13912345679"


@pytest.fixture
def world(state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher, tenant: int) -> World:
    return World(state, event_store, cipher, tenant)


def test_a_person_is_found_by_any_identifier_and_shown_masked(world: World) -> None:
    world.event("cookie:abcdef")
    world.event("cookie:abcdef", "login_id:wang", f"mobile:{PHONE}", set={"name": "王小明"})
    (found,) = world.persons.find(world.caller(), "phone:+86 139-1234-5679")
    assert found == world.persons.find(world.caller(), "$identity_cookie_id:abcdef")[0]
    assert (found.name, found.mobile, found.display) == ("王**", "139****5679", "王**")
    assert world.persons.search(world.caller(), "王小明") == [found]
    assert world.persons.search(world.caller(), PHONE) == [found]
    assert world.persons.search(world.caller(), "王") == []
    assert world.persons.find(world.caller(), "login_id:li") == []


def test_the_360_holds_fields_identifiers_and_times(world: World) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}", set={"name": "王芳", "$city": "上海"})
    view = world.persons.get(world.caller(), world.id("login_id:wang"))
    fields = {a.field: (a.value, a.masked, a.cls) for a in view.attributes}
    assert fields["name"] == ("王*", True, "identifying")
    assert fields["city"] == ("上海", False, "descriptive")
    assert [(i.type, i.value) for i in view.identifiers] == [
        ("login_id", "wang"),
        ("mobile", "139****5679"),
    ]
    assert view.first_seen_at == view.last_seen_at == world.clock.now()


def test_reveal_is_audited_and_needs_a_reason(world: World) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}", set={"name": "王芳"})
    id = world.id("login_id:wang")
    assert world.persons.reveal(world.caller(), id, "name", "call back") == "王芳"
    mobile = world.persons.get(world.caller(), id).identifiers[1].number
    assert world.persons.reveal(world.caller(), id, f"identifier:{mobile}", "call") == PHONE
    with pytest.raises(InvalidInput):
        world.persons.reveal(world.caller(), id, "name", " ")
    with world.state.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert (last.action, last.object) == ("person.reveal", id)


def test_the_timeline_comes_in_pages_newest_first(world: World) -> None:
    for n in range(5):
        world.event("login_id:wang", name=f"e{n}")
    id = world.id("login_id:wang")
    first, place = world.story.timeline(world.caller(), id, 3)
    rest, end = world.story.timeline(world.caller(), id, 3, place)
    assert [e.event for e in [*first, *rest]] == ["e4", "e3", "e2", "e1", "e0"]
    assert end is None
    assert first[0].properties == {"page": "e4"}
    only, _ = world.story.timeline(world.caller(), id, 3, event="e1")
    assert [e.event for e in only] == ["e1"]


def test_explain_gives_the_chain_of_evidence(world: World) -> None:
    world.event("cookie:abcdef", "login_id:wang")
    world.event("login_id:wang", f"mobile:{PHONE}")
    world.event("login_id:li")
    path = world.story.explain(world.caller(), "cookie:abcdef", f"mobile:{PHONE}")
    assert path.same
    assert [s.rule for s in path.steps] == ["seen_together", "seen_together"]
    assert len(path.nodes) == 3
    assert not world.story.explain(world.caller(), "cookie:abcdef", "login_id:li").same


def test_split_and_merge_by_hand_with_history(world: World) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}")
    id = world.id("login_id:wang")
    phone = world.persons.get(world.caller(), id).identifiers[1].number
    new = world.decisions.split(world.caller(), id, [phone], "wife's phone")
    assert world.id(f"mobile:{PHONE}") == new != world.id("login_id:wang")
    world.event("login_id:wang", f"mobile:{PHONE}")
    assert world.id(f"mobile:{PHONE}") == new
    again = world.decisions.merge(world.caller(), id, new, "it was his after all")
    assert world.id(f"mobile:{PHONE}") == world.id("login_id:wang") == again
    assert [e.kind for e in world.story.log(world.caller(), again)] == ["merge", "split"]
    assert str(world.persons.get(world.caller(), new).id) == again
    edges = world.story.graph(world.caller(), again).edges
    assert {e.kind for e in edges} == {"evidence", "link"}


def test_splitting_off_everything_or_strangers_is_refused(world: World) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}")
    stranger = world.event("login_id:li")
    id = world.id("login_id:wang")
    for wrong in ([], [1, 2], [stranger]):
        with pytest.raises(InvalidInput):
            world.decisions.split(world.caller(), id, wrong, "no")


def test_fm04_a_resold_bicycle_changes_hands_and_keeps_its_past(world: World) -> None:
    first = world.event("login_id:wang")
    second = world.event("login_id:li")
    bike = world.entity("bicycle", "FRAME-0001")
    world.relate("owns", second, bike, at=2_000)
    world.relate("owns", first, bike, at=1_000)
    (old,) = world.persons.get(world.caller(), world.id("login_id:wang")).relations
    (new,) = world.persons.get(world.caller(), world.id("login_id:li")).relations
    assert (old.until, new.until) == (from_ms(2_000), None)
    assert (new.entity, new.masked) == ("FRA***0001", True)
    (found,) = world.desk.find(world.caller(), "bicycle", "FRAME-0001")
    detail = world.desk.get(world.caller(), "bicycle", str(found.id))
    assert [r.person.display for r in detail.relations if r.person] == ["wang", "li"]


def test_a_relation_two_fragments_of_one_person_hold_is_shown_once(world: World) -> None:
    login, phone = world.event("login_id:wang"), world.event(f"mobile:{PHONE}")
    bike = world.entity("bicycle", "FRAME-0001")
    world.relate("owns", phone, bike, at=1_000)
    world.relate("owns", login, bike, at=2_000)
    world.event("login_id:wang", f"mobile:{PHONE}")
    (only,) = world.persons.get(world.caller(), world.id("login_id:wang")).relations
    assert (only.since, only.until) == (from_ms(1_000), None)
    (found,) = world.desk.find(world.caller(), "bicycle", "FRAME-0001")
    assert len(world.desk.get(world.caller(), "bicycle", str(found.id)).relations) == 1


def test_a_dealer_sees_only_its_own_on_every_path(world: World) -> None:
    mine, other = world.entity("shop", "S1"), world.entity("shop", "S2")
    ours = world.event("login_id:wang", set={"name": "王芳"}, shop=mine)
    theirs = world.event("login_id:li", set={"name": "王芳"}, shop=other)
    world.event("login_id:wang", name="elsewhere", shop=other)
    world.settle()
    bike = world.entity("bicycle", "FRAME-0001")
    world.relate("owns", ours, bike, at=2_000)
    world.relate("owns", theirs, bike, at=1_000)
    world.relate("customer_of", ours, other, at=1_000)
    foreign, caller = world.id("login_id:li"), world.caller(shop=mine)
    with pytest.raises(NotFound):
        world.persons.get(caller, foreign)
    with pytest.raises(NotFound):
        world.story.timeline(caller, foreign, 10)
    with pytest.raises(NotFound):
        world.story.explain(caller, "login_id:wang", "login_id:li")
    with pytest.raises(NotFound):
        world.decisions.merge(caller, world.id("login_id:wang"), foreign, "mine now")
    assert world.persons.find(caller, "login_id:li") == []
    assert [p.number for p in world.persons.search(caller, "王芳")] == [ours]
    own = world.id("login_id:wang")
    assert [r.kind for r in world.persons.get(caller, own).relations] == ["owns"]
    assert [e.event for e in world.story.timeline(caller, own, 10)[0]] == ["visit"]
    (found,) = world.desk.find(caller, "bicycle", "FRAME-0001")
    owners = world.desk.get(caller, "bicycle", str(found.id)).relations
    assert [r.person.number for r in owners if r.person] == [ours]
    assert world.desk.find(caller, "shop", "S2") == []
    assert [e.key for e in world.desk.search(caller, "shop", "", 0, 10)] == ["S1"]


def test_export_is_everything_in_the_clear(world: World) -> None:
    world.event("login_id:wang", f"mobile:{PHONE}", set={"name": "王芳"})
    text = json.dumps(
        world.story.export(world.caller(), world.id("login_id:wang")),
        default=str,
        ensure_ascii=False,
    )
    assert PHONE in text
    assert "王芳" in text


def test_erasure_reaches_every_table_and_keeps_old_imports_out(world: World) -> None:
    shop = world.entity("shop", "S1")
    fragment = world.event("login_id:wang", f"mobile:{PHONE}", set={"city": "上海"}, shop=shop)
    world.relate("owns", fragment, world.entity("bicycle", "FRAME-0001"), at=1_000)
    world.event("login_id:li", set={"city": "北京"})
    world.settle()
    assert (world.count("events"), world.count("attributes")) == (2, 2)
    id = world.id("login_id:wang")
    assert world.erasure.erase(world.caller(), id) == 2
    assert (world.count("events"), world.count("attributes")) == (1, 1)
    with pytest.raises(NotFound):
        world.persons.get(world.caller(), id)
    with world.state.write() as tx:
        assert tx.identity.by_numbers(world.tenant, [1, 2]) == []
        assert tx.profiles.attributes(world.tenant, [1, 2]) == []
        assert tx.profiles.subject_keys(world.tenant, "person", [1, 2]) == {}
        assert tx.entities.grants_of(world.tenant, [1, 2]) == []
        assert tx.entities.relations(world.tenant, ["owns"], subjects=[1, 2]) == []
        login = CATALOGUE.identifiers.normalise(RawIdentifier("login_id", "wang"))
        old = Evidence((login,), to_ms(world.clock.now()) - 1, "late")
        assert world.resolver.resolve(tx, world.tenant, [old]) == [NOBODY]
    world.event("login_id:wang")
    assert world.id("login_id:wang") == id


def test_a_page_of_persons_costs_as_many_reads_as_one_person(world: World) -> None:
    shop = world.entity("shop", "S1")
    for n in range(30):
        world.event(
            f"cookie:c{n:06d}", f"login_id:l{n}", f"mobile:139123400{n:02d}",
            set={"name": f"王{n}", "city": "上海"}, shop=shop if n % 3 == 0 else 0,
        )  # fmt: skip
    with world.state.read() as tx:
        fragments = tx.identity.by_numbers(world.tenant, range(1, 200))
    numbers = sorted({f.person for f in fragments})
    statements: list[str] = []

    def count(conn: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    listen(world.state.reader, "before_cursor_execute", count)
    try:
        for caller, seen in ((world.caller(), 30), (world.caller(shop=shop), 10)):
            cost = {}
            for wanted in (numbers[:1], numbers):
                statements.clear()
                found = world.persons.summaries(caller, wanted)
                cost[len(wanted)] = len(statements)
            assert len(found) == seen
            assert cost[30] == cost[1]
            assert [p.mobile for p in found[-1:]] == [f"139****00{29 if seen == 30 else 27}"]
    finally:
        remove(world.state.reader, "before_cursor_execute", count)
