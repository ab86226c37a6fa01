"""The event store behaves the same in process (chDB) and over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carloop.core.ports.event_store import EventStore
from carloop.core.scope import Scope
from carloop.kit.errors import CarloopError, Conflict, InvalidInput, Permanent, Unavailable
from carloop.sql import Query
from carloop.sql import scope as scoped
from carloop.sql.query import Params
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.clickhouse.http import HttpStore
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture(params=["chdb", "http"], scope="module")
def store(request: pytest.FixtureRequest) -> EventStore:
    opened: ClickHouseStore = request.getfixturevalue(f"{request.param}_store")
    return opened


def event(tenant: int, seq: int, **values: Any) -> dict[str, Any]:
    row = {
        "tenant": tenant,
        "event": "lead_submitted",
        "fragment": seq % 5,
        "occurred_at": "1777507200.123",
        "received_at": "1777507201.5",
        "seq": seq,
        "source": 1,
        "event_id": str(uuid5(NAMESPACE_OID, f"{tenant}/{seq}")),
        "message_id": f"m{seq}",
        "historical": 0,
        "entities": {"dealer": 3},
        "properties": {"series": "C5", "price": 12.5},
    }
    return row | values


def insert(store: EventStore, rows: Sequence[dict[str, Any]], table: str = "events") -> None:
    store.insert(table, "\n".join(map(json.dumps, rows)).encode())


def count(store: EventStore, tenant: int) -> int:
    query = Query("SELECT count() FROM events WHERE tenant = {t:UInt32}", {"t": tenant})
    return int(store.query(query, Scope(tenant)).rows[0][0])


def test_rows_come_back_as_they_were_inserted(store: EventStore, tenant: int) -> None:
    insert(store, [event(tenant, 1, message_id="a'\"\\\n\t\u0000王")])
    text = """SELECT occurred_at, day, message_id, entities, properties, seq FROM events
              WHERE tenant = {t:UInt32}"""
    answer = store.query(Query(text, {"t": tenant}), Scope(tenant))
    at = datetime(2026, 4, 30, 0, 0, 0, 123_000, tzinfo=UTC)
    assert answer.dicts() == [
        {
            "occurred_at": at,
            "day": at.date(),
            "message_id": "a'\"\\\n\t\u0000王",
            "entities": {"dealer": 3},
            "properties": {"series": "C5", "price": 12.5},
            "seq": 1,
        }
    ]


def test_numbers_come_back_as_an_array(store: EventStore, tenant: int) -> None:
    insert(store, [event(tenant, seq, fragment=4_294_967_295 - seq) for seq in range(3)])
    query = Query(
        "SELECT fragment FROM events WHERE tenant = {t:UInt32} ORDER BY fragment", {"t": tenant}
    )
    numbers = store.query_numbers(query, Scope(tenant))
    assert numbers.tolist() == [4_294_967_293, 4_294_967_294, 4_294_967_295]
    nobody = Query("SELECT fragment FROM events WHERE tenant = 0")
    assert store.query_numbers(nobody, Scope(tenant)).tolist() == []


def test_an_empty_insert_does_nothing(store: EventStore, tenant: int) -> None:
    store.insert("events", b"")
    assert count(store, tenant) == 0


def test_a_row_that_cannot_be_read_refuses_the_whole_insert(store: EventStore, tenant: int) -> None:
    rows = [event(tenant, 1), event(tenant, 2, fragment="x")]
    with pytest.raises(CarloopError):
        insert(store, rows)
    assert count(store, tenant) == 0


def test_rows_beyond_the_cursor_are_deleted_also_from_the_roll_up(
    store: EventStore, tenant: int
) -> None:
    insert(store, [event(tenant, 10**15 + seq) for seq in range(10)])
    assert store.delete_after("events", 10**15 + 5) == 4
    assert store.delete_after("events", 10**15 + 5) == 0
    assert count(store, tenant) == 6
    rolled = """SELECT toDate(occurred_at, 'UTC') AS d, count(),
                       bitmapCardinality(groupBitmapState(fragment))
                FROM events WHERE tenant = {t:UInt32} GROUP BY d"""
    plan = store.query(Query("EXPLAIN " + rolled, {"t": tenant}), Scope(tenant))
    assert any("daily" in line for (line,) in plan.rows), "answered from the roll-up"
    assert [
        tuple(r)[1:] for r in store.query(Query(rolled, {"t": tenant}), Scope(tenant)).rows
    ] == [(6, 5)]
    store.command(Query("ALTER TABLE events DELETE WHERE tenant = {t:UInt32}", {"t": tenant}))
    assert count(store, tenant) == 0


def test_a_merge_is_seen_after_the_dictionary_is_reloaded(store: EventStore, tenant: int) -> None:
    store.ensure_tenant(tenant)
    store.ensure_tenant(tenant)
    insert(store, [event(tenant, seq) for seq in range(5)])
    insert(store, [{"tenant": tenant, "fragment": 4, "person": 2, "version": 1}], "fragments")
    store.reload_persons(tenant)
    text = f"""SELECT DISTINCT dictGetOrDefault('person_of_{tenant}', 'person',
               toUInt64(fragment), fragment) AS p FROM events WHERE tenant = {tenant} ORDER BY p"""
    assert store.query_numbers(Query(text), Scope(tenant)).tolist() == [0, 1, 2, 3]
    undone = [{"tenant": tenant, "fragment": 4, "person": 4, "version": 2}]
    insert(store, undone, "fragments")
    store.reload_persons(tenant)
    assert store.query_numbers(Query(text), Scope(tenant)).tolist() == [0, 1, 2, 3, 4]


def test_a_scope_without_its_predicate_still_sees_its_tenant_only(
    store: EventStore, tenant: int
) -> None:
    insert(store, [event(tenant, 1), event(tenant + 900_000, 1)])
    for table in ("events", "(SELECT * FROM events)"):
        seen = store.query(Query(f"SELECT DISTINCT tenant FROM {table}"), Scope(tenant)).rows
        assert [tuple(row) for row in seen] == [(tenant,)]


@pytest.mark.parametrize(
    "dims",
    [
        {},
        {"dealer": frozenset({7})},
        {"dealer": frozenset({7, 8}), "region": frozenset({1})},
        {"dealer": frozenset({9})},
        {"region": frozenset()},
    ],
    ids=str,
)
def test_a_read_without_its_predicate_shows_what_the_scope_allows(
    store: EventStore, tenant: int, dims: dict[str, frozenset[int]]
) -> None:
    """The second lock against the first: two persons of dealers 7 and 8, one of nobody."""
    place = {"tenant": tenant, "version": 1}
    persons = {1: 1, 2: 1, 3: 3, 4: 4}
    insert(store, [place | {"fragment": f, "person": p} for f, p in persons.items()], "fragments")
    seen_by = [(2, "dealer", 7), (3, "dealer", 8), (3, "region", 1), (1, "region", 2)]
    granted = [
        place | {"fragment": f, "dimension": dimension, "entity": number}
        for f, dimension, number in seen_by
    ]
    insert(store, granted, "grants")
    kept = {"field": "level", "text": "gold", "rank": 0, "message_id": "m"}
    at = {"occurred_at": "2026-01-01 00:00:00"}
    insert(store, [place | kept | at | {"fragment": f} for f in persons], "attributes")
    named: list[dict[str, int]] = [{}, {"dealer": 7}, {"dealer": 8}, {"dealer": 8, "region": 1}]
    happened = [(fragment, entities) for fragment in (0, *persons) for entities in named]
    insert(
        store,
        [event(tenant, n, fragment=f, entities=e) for n, (f, e) in enumerate(happened, 1)],
    )
    store.ensure_tenant(tenant)
    store.reload_persons(tenant)
    scope = Scope(tenant, dims)
    for read, table, column in (
        (scoped.events, "events", "seq"),
        (scoped.attributes, "attributes FINAL", "fragment"),
        (scoped.fragments, "fragments FINAL", "fragment"),
    ):
        params = Params()
        first = store.query(Query(read(scope, params, column), params.values), scope).rows
        second = store.query(Query(f"SELECT {column} FROM {table}"), scope).rows
        assert sorted(map(tuple, second)) == sorted(map(tuple, first))
    grants = store.query(Query("SELECT dimension, entity FROM grants FINAL"), scope).rows
    wanted = [(d, n) for _, d, n in seen_by if d not in dims or n in dims[d]]
    assert sorted(map(tuple, grants)) == sorted(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; DROP TABLE events",
        "SELECT 1;",
        "SELECT 1 -- '\n; DROP TABLE events --'",
        "SELECT 1 # '\n; DROP TABLE events --'",
        "SELECT $$;$$; DROP TABLE events",
        "SELECT 1 /* /* */ ; DROP TABLE events -- */",
        "SELECT 1 // '\n; DROP TABLE events --'",
        "SELECT \u2018'\u2019 ; DROP TABLE events --'",
        "DROP TABLE events",
        "ALTER TABLE events DELETE WHERE 1",
        "INSERT INTO events (tenant) VALUES (1)",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM nowhere",
        "SELEC 1",
    ],
)
def test_the_read_path_refuses_more_than_one_read(
    store: EventStore, tenant: int, text: str
) -> None:
    insert(store, [event(tenant, 1)])
    with pytest.raises(InvalidInput) as caught:
        store.query(Query(text), Scope(tenant))
    assert caught.value.code == "query_refused"
    assert count(store, tenant) == 1


def test_a_semicolon_in_a_literal_or_comment_is_no_second_statement(store: EventStore) -> None:
    text = "SELECT ';' || {v:String} /* ; */ -- it's ;"
    assert store.query(Query(text, {"v": ";"}), Scope(1)).rows[0][0] == ";;"


def test_a_query_that_takes_too_long_is_stopped(store: EventStore) -> None:
    started = datetime.now(UTC)
    with pytest.raises(Unavailable) as caught:
        store.query(
            Query("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"),
            Scope(1),
            timeout_seconds=0.5,
        )
    assert caught.value.code == "query_timeout"
    assert datetime.now(UTC) - started < timedelta(seconds=5)


def test_a_query_that_needs_too_much_memory_is_stopped(store: EventStore) -> None:
    with pytest.raises(Unavailable) as caught:
        store.query(
            Query("SELECT length(groupArray(rand64())) FROM numbers(1000000000000)"), Scope(1)
        )
    assert caught.value.code == "query_memory"


def test_errors_never_tell_the_values_of_a_query(store: EventStore) -> None:
    with pytest.raises(CarloopError) as caught:
        store.query(Query("SELECT toUInt8({v:String})", {"v": "13912345678 王芳"}), Scope(1))
    said = f"{caught.value} {caught.value.details}"
    assert "139" not in said
    assert "王" not in said


def test_a_long_list_of_values_is_bound(store: EventStore) -> None:
    numbers = list(range(200_000))
    answer = store.query(Query("SELECT arraySum({a:Array(UInt32)})", {"a": numbers}), Scope(1))
    assert answer.rows[0][0] == sum(numbers)


def test_many_threads_read_while_one_writes(store: EventStore, tenant: int) -> None:
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(5):
                assert count(store, tenant) % 10 == 0
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for batch in range(5):
        insert(store, [event(tenant, batch * 10 + n) for n in range(10)])
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(store, tenant) == 50


def test_it_answers(store: EventStore) -> None:
    store.ping()
    assert store.migrate() == []


TRICKY = st.text(st.sampled_from("a'\"\\`\n\r\t\0\b\f;{}王😀%$-/* \u2028"), max_size=12)
ROUND_TRIP = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(text=TRICKY | st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
@ROUND_TRIP
def test_a_bound_string_comes_back_unchanged(store: EventStore, text: str) -> None:
    answer = store.query(Query("SELECT {v:String}, length({v:String})", {"v": text}), Scope(1))
    assert tuple(answer.rows[0]) == (text, len(text.encode()))


@given(texts=st.lists(TRICKY, max_size=5))
@ROUND_TRIP
def test_a_bound_array_of_strings_comes_back_unchanged(store: EventStore, texts: list[str]) -> None:
    answer = store.query(Query("SELECT {v:Array(String)}", {"v": texts}), Scope(1))
    assert list(answer.rows[0][0]) == texts


@given(
    number=st.integers(0, 2**32 - 1),
    real=st.floats(allow_nan=False, allow_infinity=False),
    at=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
)
@ROUND_TRIP
def test_bound_numbers_and_times_come_back_unchanged(
    store: EventStore, number: int, real: float, at: datetime
) -> None:
    instant = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    answer = store.query(
        Query(
            "SELECT {n:UInt32}, {f:Float64}, {t:DateTime64(3, 'UTC')}, {a:Array(UInt32)}",
            {"n": number, "f": real, "t": instant, "a": [number, 0]},
        ),
        Scope(1),
    )
    assert tuple(answer.rows[0][:3]) == (number, real, instant)
    assert list(answer.rows[0][3]) == [number, 0]


def test_a_store_of_a_newer_version_is_left_alone(store: EventStore) -> None:
    insert(store, [{"name": "9999_of_the_future"}], "schema_migrations")
    try:
        with pytest.raises(Conflict) as caught:
            store.migrate()
        assert caught.value.code == "event_store_newer"
        assert "9999_of_the_future" in caught.value.message
    finally:
        store.delete("schema_migrations", "name = {name:String}", {"name": "9999_of_the_future"})
    assert store.migrate() == []


def test_rows_are_deleted_by_bound_values(store: EventStore, tenant: int) -> None:
    insert(store, [event(tenant, n, message_id=f"it's {n}") for n in (1, 2, 3)])
    where = "tenant = {t:UInt32} AND message_id = {m:String}"
    store.delete("events", where, {"t": tenant, "m": "it's 2"})
    assert count(store, tenant) == 2


def test_an_insert_whose_sender_died_is_stopped_before_its_rows_are_deleted(
    http_store: ClickHouseStore, tenant: int
) -> None:
    """The server goes on with it: two million rows, one after the other, take it far longer."""
    assert isinstance(http_store, HttpStore)
    slow = (
        "INSERT INTO events (tenant, event, fragment, occurred_at, seq) "
        f"SELECT {tenant}, 'slow', 1, now64(3), number + 1000 + sleepEachRow(0.001) "
        "FROM numbers(2000000) SETTINGS max_block_size = 100, max_threads = 1, "
        "min_insert_block_size_rows = 100, min_insert_block_size_bytes = 0, "
        "function_sleep_max_microseconds_per_block = 0"
    )
    writer = http_store.connect({})
    failed: list[Exception] = []

    def insert_slowly() -> None:
        try:
            writer.command(slow)
        except Exception as error:
            failed.append(error)

    dead = threading.Thread(target=insert_slowly)
    dead.start()
    until(lambda: count(http_store, tenant), "it never began", every=0.05)
    http_store.delete_after("events", 1000)
    dead.join(PATIENCE_SECONDS)
    assert failed, "it was not stopped"
    assert count(http_store, tenant) <= 1
    writer.close()


def test_on_a_cluster_rows_are_deleted_on_every_node(http_store: ClickHouseStore) -> None:
    assert isinstance(http_store, HttpStore)
    clustered = HttpStore(f"http://127.0.0.1:{http_store.port}/default?cluster=nowhere")
    with pytest.raises(Permanent) as caught:
        clustered.delete("events", "tenant = 4000000000")
    assert caught.value.details["engine_error"] == "QUERY_IS_PROHIBITED", "as ON CLUSTER is here"
    clustered.close()
