"""What the state store knows reaches the event store, typed, once, newest last."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carloop.core.scope import Scope
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import attributes, persons
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.world import World


@pytest.fixture
def world(
    sqlite_state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher, tenant: int
) -> World:
    return World(sqlite_state, event_store, cipher, tenant)


def rows(world: World, columns: str, field: str) -> list[tuple[object, ...]]:
    params = Params()
    where = [f"field = {params.add(field, 'String')}"]
    text = attributes(Scope(world.tenant), params, columns, where)
    answer = world.store.query(Query(text, params.values), Scope(world.tenant))
    return [tuple(row) for row in answer.rows]


def people(world: World) -> set[int]:
    params = Params()
    text = persons(Scope(world.tenant), params)
    answer = world.store.query(Query(text, params.values), Scope(world.tenant))
    return {row[0] for row in answer.rows}


def test_merges_reach_the_reads(world: World) -> None:
    world.event("cookie:abcdef")
    world.event("login_id:wang")
    world.settle()
    assert people(world) == {1, 2}
    world.event("login_id:wang", "cookie:abcdef")
    world.settle()
    assert people(world) == {1}


def test_values_are_typed_and_identifying_ones_stay_behind(world: World) -> None:
    world.event("login_id:wang", set={"name": "王芳", "birthday": "1990-05-01", "city": "上海"})
    world.settle()
    born = datetime(1990, 5, 1, tzinfo=UTC)
    assert rows(world, "text, date", "birth_date") == [("1990-05-01", born)]
    assert rows(world, "text", "city") == [("上海",)]
    ((token,),) = rows(world, "text", "name")
    assert len(str(token)) == 32
    assert "王" not in str(token)


def test_among_fragments_the_earliest_first_touch_is_the_newest_row(world: World) -> None:
    world.event("cookie:abcdef", set_once={"channel": "douyin"}, at=1_000)
    world.event("login_id:wang", set_once={"channel": "dealer"}, at=2_000)
    world.settle()
    best = "argMax(text, tuple(-toInt32(rank), occurred_at, message_id))"
    assert rows(world, best, "channel") == [("douyin",)]
    world.event("login_id:wang", set={"channel": "referral"}, at=500)
    world.settle()
    assert rows(world, best, "channel") == [("referral",)]


def test_draining_again_changes_nothing(world: World) -> None:
    world.event("login_id:wang", set={"city": "上海"})
    assert world.projector.drain() == 2
    assert world.projector.drain() == 0
    assert rows(world, "count()", "city") == [(1,)]
