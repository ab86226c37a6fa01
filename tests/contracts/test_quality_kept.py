"""What data quality keeps and asks is the same on both state stores and both event stores."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from carloop.core.ports.event_store import EventStore
from carloop.core.ports.pipeline import QuarantinedEvent
from carloop.core.ports.quality import (
    Alert,
    CodeTable,
    Finding,
    IngestFault,
    Score,
    StoredRule,
    Where,
)
from carloop.core.scope import Scope
from carloop.engines.quality import parse_rule
from carloop.engines.quality.stored import EventRule, Period, arrivals, sample
from carloop.kit.errors import Conflict, NotFound
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState

DAY = date(2026, 4, 30)
START = datetime(2026, 4, 30, tzinfo=UTC)
PERIOD = Period(
    int(START.timestamp() * 1000),
    int((START + timedelta(days=1)).timestamp() * 1000),
    "UTC",
    DAY,
)


def rule(key: str) -> StoredRule:
    return StoredRule(
        tenant=1, uuid=str(uuid5(NAMESPACE_OID, key)), key=key, definition="{}",
        created_by="t", created_at=1, updated_at=1,
    )  # fmt: skip


def test_a_removed_rule_is_gone_and_its_key_is_remembered(state: SqlState) -> None:
    with state.write() as tx:
        kept, gone = tx.quality_rules.add(rule("a")), tx.quality_rules.add(rule("b"))
        tx.quality_rules.remove(gone, 2)
    with state.read() as tx:
        assert [r.key for r in tx.quality_rules.list(1)] == ["a"]
        assert tx.quality_rules.keys(1) == {"a", "b"}
        assert tx.quality_rules.get(1, kept.uuid) == kept
        with pytest.raises(NotFound):
            tx.quality_rules.get(2, kept.uuid)
    with state.write() as tx:
        tx.quality_rules.save(kept)
        with pytest.raises(Conflict):
            tx.quality_rules.save(kept)


def test_scores_of_a_day_are_replaced_and_added_up(state: SqlState) -> None:
    def score(day: str, source: int, field: str, dimension: str, good: int) -> Score:
        return Score(day, source, "lead", field, dimension, good, 10)

    found = Finding(
        day="2026-01-02", source=1, table="lead", field="x", rule="r", kind="range",
        code="too_large", checked=10, failed=3, examples=[{"event": "e", "shown": "9"}],
    )  # fmt: skip
    with state.write() as tx:
        kept = score("2026-01-01", 0, "s", "consistency", 5)
        tx.quality.replace_day(1, "2026-01-01", [score("2026-01-01", 1, "x", "c", 9), kept], [], 1)
        tx.quality.replace_day(
            1, "2026-01-01", [score("2026-01-01", 1, "x", "c", 8)], [], 2, "consistency"
        )
        tx.quality.replace_day(1, "2026-01-02", [score("2026-01-02", 1, "x", "c", 7)], [found], 2)
    both, second = Where("2026-01-01", "2026-01-02"), Where("2026-01-02", "2026-01-02")
    with state.read() as tx:
        assert tx.quality.scores(1, both) == [
            Score("", 0, "lead", "s", "consistency", 5, 10),
            Score("", 1, "lead", "x", "c", 15, 20),
        ]
        assert tx.quality.scores(1, second) == [Score("", 1, "lead", "x", "c", 7, 10)]
        trend = tx.quality.trend(1, Where("2026-01-01", "2026-01-02", source=1))
        assert [(s.day, s.good, s.total) for s in trend] == [
            ("2026-01-01", 8, 10), ("2026-01-02", 7, 10),
        ]  # fmt: skip
        (kept_finding,) = tx.quality.findings(1, both, limit=5)
        assert kept_finding == Finding(**{**_fields(found), "id": kept_finding.id})
        assert tx.quality.findings(1, both, limit=5, before=kept_finding.id) == []
        assert tx.quality.scores(2, both) == []
    with state.write() as tx:
        assert tx.quality.expire("2026-01-02") == 2


def _fields(found: Finding) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def test_an_alert_is_opened_once_brought_up_to_date_and_closed(state: SqlState) -> None:
    alert = Alert(
        tenant=1, source=1, table="lead", dimension="c", day="2026-01-01", percent=50.0,
        threshold=98.0, opened_at=1,
    )  # fmt: skip
    with state.write() as tx:
        tx.quality.open_alert(alert)
        later = {name: getattr(alert, name) for name in alert.__dataclass_fields__}
        tx.quality.open_alert(Alert(**{**later, "day": "2026-01-02", "percent": 60.0}))
        (opened,) = tx.quality.alerts(1, opened=True, limit=5)
        assert (opened.day, opened.percent, opened.opened_at) == ("2026-01-02", 60.0, 1)
        assert tx.quality.close_alerts(1, [opened.id], 5) == 0
        assert tx.quality.close_alerts(1, [], 5) == 1
        assert tx.quality.count_alerts(1) == 0
        assert [a.closed_at for a in tx.quality.alerts(1, opened=False, limit=5)] == [5]


def test_code_tables_faults_and_refusals_are_counted(state: SqlState) -> None:
    table = CodeTable(tenant=1, name="channel", codes={"官网": "Web"}, updated_by="t", updated_at=1)
    fault = IngestFault("2026-01-01", 1, "lead", "identifiers.mobile", "placeholder", 2, 1)
    refused = [
        QuarantinedEvent(1, 1, 7, n, "missing_property", "properties.x", "lead", "2026-01-01",
                         b"", at)
        for n, at in enumerate((99, 100, 199, 200))
    ]  # fmt: skip
    with state.write() as tx:
        tx.quality.save_code_table(table)
        tx.quality.save_code_table(table)
        tx.quality.add_faults(1, [fault])
        tx.quality.add_faults(1, [fault])
        tx.quarantine.add(refused)
    with state.read() as tx:
        assert tx.quality.code_tables(1) == [table]
        assert tx.quality.faults(1, "2026-01-01", "2026-01-01") == [
            fault._replace(number=4, refused=2)
        ]
        assert tx.quality.faults(1, "2026-01-02", "2026-01-03") == []
        (group,) = tx.quality.refusals(1, 100, 200)
        assert (group.path, group.code, group.number) == ("properties.x", "missing_property", 2)
    with state.write() as tx, pytest.raises(NotFound):
        tx.quality.remove_code_table(1, "gone")


@pytest.fixture(params=["chdb", "http"])
def store(request: pytest.FixtureRequest) -> ClickHouseStore:
    opened: ClickHouseStore = request.getfixturevalue(f"{request.param}_store")
    return opened


def event(tenant: int, n: int, at: float, **values: Any) -> dict[str, Any]:
    """One event ``at`` hours after the day began."""
    seconds = START.timestamp() + at * 3600
    row = {
        "tenant": tenant, "event": "lead_submitted", "fragment": 1, "occurred_at": f"{seconds:.3f}",
        "received_at": f"{seconds + 60:.3f}", "seq": n, "source": 1,
        "event_id": str(uuid5(NAMESPACE_OID, f"q{tenant}/{n}")), "message_id": f"q{n}",
        "historical": 0, "entities": {}, "properties": {"series": "C5"},
    }  # fmt: skip
    return row | values


def put(store: EventStore, tenant: int, events: list[dict[str, Any]]) -> Scope:
    store.ensure_tenant(tenant)
    store.insert("events", "\n".join(json.dumps(row) for row in events).encode())
    return Scope(tenant)


def test_arrivals_and_samples_are_of_the_day_and_the_same_again(store: ClickHouseStore) -> None:
    tenant = 8101
    late = {"received_at": f"{START.timestamp() + 40_000:.3f}"}
    rows = [event(tenant, n, 1 + n / 1000) for n in range(400)]
    rows += [event(tenant, 400, 1, **late), event(tenant, 401, 1, historical=1, **late)]
    rows += [event(tenant, 402, -0.001), event(tenant, 403, 24)]
    scope = put(store, tenant, rows)
    (counted,) = store.query(arrivals(scope, PERIOD, {}, 3600), scope).dicts()
    # 402 of the day, one of them history; of the other 401, one came eleven hours late.
    assert (counted["number"], counted["live"], counted["in_time"]) == (402, 401, 400)
    (of_source,) = store.query(arrivals(scope, PERIOD, {1: 10}, 3600), scope).dicts()
    assert of_source["in_time"] == 0
    some = sample(scope, PERIOD, {(1, "lead_submitted"): 4}, 1000, 1000)
    taken = [row["event_id"] for row in store.query(some, scope).dicts()]
    # A quarter of 402: within five standard deviations (8.7) of 100.5.
    assert 57 < len(taken) < 144
    assert taken == [row["event_id"] for row in store.query(some, scope).dicts()]
    assert len(store.query(sample(scope, PERIOD, {}, 10, 1000), scope).dicts()) == 10


def judged(store: EventStore, scope: Scope, document: dict[str, Any]) -> list[tuple[Any, ...]]:
    one: EventRule = parse_rule(document)  # type: ignore[assignment]
    rows = store.query(one.query(scope, PERIOD), scope).dicts()
    return [
        (row["source"], row["judged"], row["faulty"], [UUID(str(e)) for e in row["examples"]])
        for row in rows
    ]


def test_repeats_and_orders_of_events_are_judged_at_their_edges(store: ClickHouseStore) -> None:
    tenant = 8102
    days_30 = -30 * 24
    rows = [
        event(tenant, 1, days_30 + 5, fragment=1),  # thirty days before the next one
        event(tenant, 2, 5, fragment=1),
        event(tenant, 3, days_30 + 6 - 0.001, fragment=2),  # a little more than thirty days
        event(tenant, 4, 6, fragment=2),
        event(tenant, 5, 7, fragment=2, properties={"series": "X7"}),
        event(tenant, 6, 7, fragment=3, event="order_placed", properties={"order_no": "A"}),
        event(tenant, 7, 7, fragment=4, event="delivered", properties={"order_no": "A"}),
        event(tenant, 8, 6.9, fragment=4, event="delivered", properties={"order_no": "A"}),
        event(tenant, 9, 6.9, fragment=4, event="delivered", properties={"order_no": "B"}),
    ]
    scope = put(store, tenant, rows)
    repeated = {"kind": "repeated_event", "event": "lead_submitted", "same": ["series"], "days": 30}
    assert judged(store, scope, repeated) == [(1, 3, 1, [UUID(rows[1]["event_id"])])]
    order = {"kind": "event_order", "event": "delivered", "not_before": "order_placed"}
    by_number = {**order, "by": "order_no"}
    assert judged(store, scope, by_number) == [(1, 2, 1, [UUID(rows[7]["event_id"])])]
    assert judged(store, scope, order) == []


def test_sources_agree_on_their_newest_word(store: ClickHouseStore) -> None:
    tenant = 8103

    def told(n: int, at: float, source: int, car: int, series: str) -> dict[str, Any]:
        values = {"source": source, "entities": {"vehicle": car}, "properties": {"series": series}}
        return event(tenant, n, at, **values)

    scope = put(
        store,
        tenant,
        [
            told(1, 1, 1, 7, "X7"), told(2, 2, 1, 7, "C5"), told(3, 1, 2, 7, "C5"),
            told(4, 1, 1, 8, "C5"), told(5, 1, 2, 8, "X7"),
            told(6, 1, 1, 9, "C5"),
        ],
    )  # fmt: skip
    rule_ = {"kind": "agreement", "entity": "vehicle", "property": "series"}
    # Car 7: the first source has corrected itself. Car 8: two words. Car 9: one source alone.
    assert judged(store, scope, rule_) == [(0, 2, 1, [])]
