"""Real leads, sales and vehicles, from the file to what is counted: pandas gives the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from carloop.app.analytics import read_params
from carloop.app.imports import Imports, parse_mapping
from carloop.app.pipeline import Pipeline
from carloop.app.projector import Projector
from carloop.app.segments.audiences import Audiences
from carloop.bootstrap.packs import load_catalogue
from carloop.connectors import PROTOCOLS
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Scope
from carloop.core.sources import Source, SourceKind
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import Bar
from carloop.kit.clock import ManualClock
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.dedup import DiskSeenIds
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CONVERTED = {"event": "lead_converted", "when": {"column": "Converted", "values": ["1"]}}
GOOGLE = {
    "kind": "performed",
    "event": "lead_imported",
    "where": [
        {"property": "lead_source", "op": "in", "value": ["Google", "google"]},
        {"property": "total_time_spent_on_website", "op": ">=", "value": 600},
    ],
}
Load = Callable[..., pd.DataFrame]
NOT_CONVERTED = {
    "kind": "all",
    "rules": [GOOGLE, {"kind": "not", "rule": {"kind": "performed", "event": "lead_converted"}}],
}
FUNNEL = {
    "steps": [{"event": "lead_imported"}, {"event": "lead_converted"}],
    "window": {"days": 7},
    "breakdown": {"property": "lead_origin"},
}


@pytest.fixture
def load(
    tmp_path: Path,
    any_state: SqlState,
    event_store: ClickHouseStore,
    cipher: VaultCipher,
    day_keys: DayKeys,
    tenant: int,
    clock: ManualClock,
) -> Load:
    """Takes a file through import, journal, pipeline and projection."""
    state, store = any_state, event_store

    def loaded(name: str, event: str, **mapping: Any) -> pd.DataFrame:
        path = DATA / name
        if not path.exists():
            pytest.skip("the shared data sets are not here")
        catalogue = load_catalogue("automotive")
        store.ensure_tenant(tenant)
        with state.write() as tx:
            tx.tenants.save(Tenant(tenant, "t"))
        journal = SqliteJournal(tmp_path / "journal.db", day_keys)
        imports = Imports(state, journal, catalogue, clock)
        source = Source(tenant=tenant, id=5, name="files", kind=SourceKind.FILE, historical=True)
        document: dict[str, Any] = json.loads(imports.preview(path, event=event).mapping.text())
        document["events"] += mapping.get("events", [])
        document["columns"] |= mapping.get("columns", {})
        report = imports.run(source, path, parse_mapping(json.dumps(document)), errors=print)
        assert report.rejected == 0
        pipeline = Pipeline(
            journal=journal,
            state=state,
            event_store=store,
            seen=DiskSeenIds(tmp_path / "dedup"),
            catalogue=catalogue,
            cipher=cipher,
            keys=day_keys,
            protocols=PROTOCOLS,
        )
        while pipeline.run_once().batches:
            pass
        projector = Projector(state, store, catalogue, cipher)
        projector.drain()
        projector.settle()
        journal.close()
        clock.advance(timedelta(minutes=1))
        return pd.read_csv(path)

    return loaded


@pytest.mark.data
def test_a_segment_and_a_funnel_over_real_leads_equal_pandas(
    load: Load,
    any_state: SqlState,
    event_store: ClickHouseStore,
    cipher: VaultCipher,
    tenant: int,
    clock: ManualClock,
) -> None:
    frame = load("leads_xeducation/Leads.csv", "lead_imported", events=[CONVERTED])
    catalogue = load_catalogue("automotive")
    google = frame["Lead Source"].isin(["Google", "google"])
    chosen = frame[google & (frame["Total Time Spent on Website"] >= 600)]
    scope = Scope(tenant)
    audiences = Audiences(any_state, event_store, catalogue, cipher, clock)
    assert audiences.count(audiences.parse(GOOGLE), scope) == chosen["Prospect ID"].nunique()
    lost = chosen[chosen["Converted"] == 0]
    rule = audiences.parse(NOT_CONVERTED)
    assert audiences.count(rule, scope) == len(lost) == len(audiences.persons(rule, scope))

    model, params, context = Funnel(), read_params(FUNNEL), audiences.context(scope)
    queries = model.to_queries(params, context)
    rows = {name: event_store.query(query, scope).dicts() for name, query in queries.items()}
    result = model.shape(params, rows)
    assert [step.count for step in result.steps] == [len(frame), frame["Converted"].sum()]
    by_origin = frame.groupby("Lead Origin")["Converted"].agg(["count", "sum"])
    assert {p.value: [s.count for s in p.steps] for p in result.breakdown} == {
        origin: list(counts) for origin, counts in by_origin.iterrows()
    }
    bar = Bar(2, dropped=True, split=True, value="API")
    people = event_store.query_numbers(model.persons(params, context, bar), scope)
    assert len(people) == by_origin.loc["API", "count"] - by_origin.loc["API", "sum"]


@pytest.mark.data
def test_listed_vins_become_vehicles(
    load: Load, any_state: SqlState, event_store: ClickHouseStore, tenant: int
) -> None:
    frame = load("vin_us_auction/USA_cars_datasets.csv", "vehicle_listed")
    with any_state.read() as tx:
        vehicles = tx.entities.search(tenant, "vehicle", "", 0, 10_000)
    assert len(vehicles) == frame["vin"].str.strip().str.upper().nunique()
    assert told(event_store, tenant, "count()") == len(frame)
    assert told(event_store, tenant, "countIf(fragment > 0)") == 0


@pytest.mark.data
def test_buyers_and_their_sales_are_counted_as_pandas_counts_them(
    load: Load,
    any_state: SqlState,
    event_store: ClickHouseStore,
    cipher: VaultCipher,
    tenant: int,
    clock: ManualClock,
) -> None:
    phone = {"as": "identifier", "type": "login_id", "namespace": "sales"}
    frame = load("dealer_car_sales/car_sales.csv", "sale_imported", columns={"Phone": phone})
    scope, catalogue = Scope(tenant), load_catalogue("automotive")
    audiences = Audiences(any_state, event_store, catalogue, cipher, clock)
    for count in (1, 2):
        bought = {"kind": "performed", "event": "sale_imported", "count": {"op": ">=", "n": count}}
        sales = frame.groupby("Phone")["Car_id"].count()
        assert audiences.count(audiences.parse(bought), scope) == (sales >= count).sum()
    with any_state.read() as tx:
        dealers = tx.entities.search(tenant, "dealer", "", 0, 10_000)
    assert len(dealers) == frame["Dealer_No "].nunique()


def told(store: ClickHouseStore, tenant: int, figure: str) -> int:
    params = Params()
    text = events(Scope(tenant), params, figure)
    return int(store.query(Query(text, params.values), Scope(tenant)).rows[0][0])
