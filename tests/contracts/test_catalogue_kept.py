"""What the catalogue keeps: for one scope, for a while, and not beyond newer events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from carloop.app.catalogue import BUSY_SECONDS, KEPT_SECONDS, CatalogueReader
from carloop.core.scope import Scope
from carloop.sql import Query
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.world import CATALOGUE, World


class Counting:
    """The real event store, and how often it was asked."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store
        self.asked = 0

    def query(self, query: Query, scope: Scope, **more: Any) -> Any:
        self.asked += 1
        return self._store.query(query, scope, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def world(state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher, tenant: int) -> World:
    return World(state, event_store, cipher, tenant)


@pytest.fixture
def store(world: World) -> Counting:
    return Counting(world.store)


@pytest.fixture
def reader(world: World, store: Counting) -> CatalogueReader:
    return CatalogueReader(store, CATALOGUE, world.clock)


def counts(reader: CatalogueReader, scope: Scope) -> dict[str, int]:
    return {it.name: it.count for it in reader.events(scope).events if it.count}


def test_an_answer_is_kept_for_a_while_and_says_how_old_it_is(
    world: World, reader: CatalogueReader, store: Counting
) -> None:
    scope = world.caller().scope
    world.event("login_id:a", name="visit")
    assert counts(reader, scope) == {"visit": 1}
    first, asked = reader.events(scope).as_of, store.asked
    assert first == world.clock.now()
    world.clock.advance(timedelta(seconds=KEPT_SECONDS - 1))
    assert reader.events(scope).as_of == first
    assert store.asked == asked
    world.clock.advance(timedelta(seconds=1))
    assert reader.events(scope).as_of == world.clock.now()
    assert store.asked > asked


def test_new_events_are_seen_within_seconds(world: World, reader: CatalogueReader) -> None:
    scope = world.caller().scope
    world.event("login_id:a", name="visit")
    assert counts(reader, scope) == {"visit": 1}
    world.event("login_id:a", name="purchase")
    reader.notice()
    world.clock.advance(timedelta(seconds=BUSY_SECONDS))
    assert counts(reader, scope) == {"visit": 1, "purchase": 1}


def test_nobody_is_shown_what_was_kept_for_another_scope(
    world: World, reader: CatalogueReader
) -> None:
    one, other = world.entity("shop", "S1"), world.entity("shop", "S2")
    world.event("login_id:a", name="visit", shop=one)
    world.event("login_id:b", name="purchase", shop=other)
    world.settle()
    whole = world.caller().scope
    assert counts(reader, whole) == {"visit": 1, "purchase": 1}
    assert counts(reader, world.caller(shop=one).scope) == {"visit": 1}
    assert counts(reader, world.caller(shop=other).scope) == {"purchase": 1}
    assert counts(reader, Scope(world.tenant + 1_000_000)) == {}
    assert counts(reader, whole) == {"visit": 1, "purchase": 1}


def test_after_an_erasure_nothing_is_kept(
    world: World, reader: CatalogueReader, store: Counting
) -> None:
    scope = world.caller().scope
    reader.events(scope)
    asked = store.asked
    reader.forget()
    reader.events(scope)
    assert store.asked > asked
