from __future__ import annotations

import json
from uuid import NAMESPACE_OID, uuid5

import pytest

from carloop.app.operation.retention import Expired, Retention
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.jobs import Job, JobState
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Scope
from carloop.kit.clock import ManualClock, to_ms
from carloop.kit.errors import InvalidInput
from carloop.sql import Query
from carloop.stores.state.store import SqlState

DAY = 86_400_000


def insert(store: EventStore, tenant: int, times: list[int]) -> None:
    rows = [
        {
            "tenant": tenant,
            "event": "lead_submitted",
            "fragment": n,
            "occurred_at": f"{at / 1000:.3f}",
            "received_at": f"{at / 1000:.3f}",
            "seq": n + 1,
            "source": 1,
            "event_id": str(uuid5(NAMESPACE_OID, f"{tenant}/{n}")),
            "message_id": str(n),
            "historical": 0,
            "properties": {},
        }
        for n, at in enumerate(times)
    ]
    store.insert("events", "\n".join(map(json.dumps, rows)).encode())


def kept(store: EventStore, tenant: int) -> list[int]:
    query = Query(
        "SELECT fragment FROM events WHERE tenant = {t:UInt32} ORDER BY fragment", {"t": tenant}
    )
    return [int(n) for n in store.query_numbers(query, Scope(tenant))]


def test_events_beyond_the_days_of_their_tenant_go(
    any_state: SqlState, event_store: EventStore, tenant: int, clock: ManualClock
) -> None:
    midnight = to_ms(clock.now()) // DAY * DAY
    edge = midnight - 30 * DAY
    other = tenant + 500_000
    insert(event_store, tenant, [edge - 40 * DAY, edge - 1, edge, edge + 1])
    insert(event_store, other, [edge - 40 * DAY])
    with any_state.write() as tx:
        tx.tenants.save(Tenant(tenant, "a", settings={"event_days": 30}))
        tx.tenants.save(Tenant(other, "b"))
    retention = Retention(any_state, event_store, clock)
    assert retention.run() == Expired(events=2, jobs=0)
    assert kept(event_store, tenant) == [2, 3]
    assert kept(event_store, other) == [0]
    assert retention.run() == Expired(events=0, jobs=0)


@pytest.mark.parametrize("days", [0, -1, "30", 1.5, True])
def test_a_setting_that_is_no_number_of_days_removes_nothing(
    any_state: SqlState, event_store: EventStore, tenant: int, clock: ManualClock, days: object
) -> None:
    with any_state.write() as tx:
        tx.tenants.save(Tenant(tenant, "a", settings={"event_days": days}))
    with pytest.raises(InvalidInput):
        Retention(any_state, event_store, clock).run()


def test_finished_jobs_go_after_90_days(
    state: SqlState, event_store: EventStore, clock: ManualClock
) -> None:
    edge = to_ms(clock.now()) - 90 * DAY
    with state.write() as tx:
        for id_, ended in (("old", edge - 1), ("edge", edge), ("open", None)):
            done = JobState.QUEUED if ended is None else JobState.DONE
            tx.jobs.add(Job(id_, 1, "x", "u", 0, done, finished_at=ended))
    assert Retention(state, event_store, clock).run().jobs == 1
    with state.read() as tx:
        assert {job.id for job in tx.jobs.page(1, limit=9)} == {"edge", "open"}
