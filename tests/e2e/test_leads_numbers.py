"""Real leads, from the file to a segment and a funnel: pandas gives the same numbers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from carloop.app.analytics import read_params
from carloop.app.audiences import Audiences
from carloop.app.imports import Imports, parse_mapping
from carloop.app.pipeline import Pipeline
from carloop.app.projector import Projector
from carloop.bootstrap.packs import load_catalogue
from carloop.connectors import PROTOCOLS
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Scope
from carloop.core.sources import Source, SourceKind
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import Bar
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.dedup import DiskSeenIds
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys

LEADS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "leads_xeducation"
GOOGLE = {
    "kind": "performed",
    "event": "lead_imported",
    "where": [
        {"property": "lead_source", "op": "in", "value": ["Google", "google"]},
        {"property": "total_time_spent_on_website", "op": ">=", "value": 600},
    ],
}
NOT_CONVERTED = {
    "kind": "all",
    "rules": [GOOGLE, {"kind": "not", "rule": {"kind": "performed", "event": "lead_converted"}}],
}
FUNNEL = {
    "steps": [{"event": "lead_imported"}, {"event": "lead_converted"}],
    "window": {"days": 7},
    "breakdown": {"property": "lead_origin"},
}


@pytest.mark.data
def test_a_segment_and_a_funnel_over_real_leads_equal_pandas(
    tmp_path: Path,
    sqlite_state: SqlState,
    event_store: ClickHouseStore,
    cipher: VaultCipher,
    day_keys: DayKeys,
    tenant: int,
    clock: ManualClock,
) -> None:
    path = LEADS / "Leads.csv"
    if not path.exists():
        pytest.skip("the shared data sets are not here")
    catalogue = load_catalogue("automotive")
    load(path, tmp_path, sqlite_state, event_store, cipher, day_keys, tenant, clock)
    clock.advance(timedelta(minutes=1))

    frame = pd.read_csv(path)
    google = frame["Lead Source"].isin(["Google", "google"])
    chosen = frame[google & (frame["Total Time Spent on Website"] >= 600)]
    scope = Scope(tenant)
    audiences = Audiences(sqlite_state, event_store, catalogue, cipher, clock)
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


def load(
    path: Path,
    directory: Path,
    state: SqlState,
    store: ClickHouseStore,
    cipher: VaultCipher,
    keys: DayKeys,
    tenant: int,
    clock: ManualClock,
) -> None:
    """The file through import, journal, pipeline and projection."""
    catalogue = load_catalogue("automotive")
    store.ensure_tenant(tenant)
    with state.write() as tx:
        tx.tenants.save(Tenant(tenant, "t"))
    journal = SqliteJournal(directory / "journal.db", keys)
    imports = Imports(state, journal, catalogue, clock)
    source = Source(tenant=tenant, id=5, name="files", kind=SourceKind.FILE, historical=True)
    document: dict[str, Any] = json.loads(
        imports.preview(path, event="lead_imported").mapping.text()
    )
    converted = {"event": "lead_converted", "when": {"column": "Converted", "values": ["1"]}}
    document["events"].append(converted)
    report = imports.run(source, path, parse_mapping(json.dumps(document)), errors=print)
    assert report.rejected == 0
    pipeline = Pipeline(
        journal=journal,
        state=state,
        event_store=store,
        seen=DiskSeenIds(directory / "dedup"),
        catalogue=catalogue,
        cipher=cipher,
        keys=keys,
        protocols=PROTOCOLS,
    )
    while pipeline.run_once().batches:
        pass
    projector = Projector(state, store, catalogue, cipher)
    projector.drain()
    projector.settle()
    journal.close()
