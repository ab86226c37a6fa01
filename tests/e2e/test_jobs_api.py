from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from carloop.app.jobs import JobContext, JobKind, JobRunner
from carloop.core.ports.event_store import EventStore
from carloop.kit.clock import ManualClock
from carloop.stores.state.store import SqlState
from tests.support.api import build


def done(_context: JobContext) -> dict[str, int]:
    return {"rows": 3}


@pytest.fixture
def runner(any_state: SqlState, clock: ManualClock) -> JobRunner:
    return JobRunner(any_state, clock, [JobKind("export", done)])


@pytest.fixture
def client(
    any_state: SqlState,
    event_store: EventStore,
    clock: ManualClock,
    tenant: int,
    runner: JobRunner,
) -> Iterator[TestClient]:
    with build(any_state, event_store, clock, tenant, jobs=runner).local() as client:
        yield client


def test_jobs_are_listed_newest_first_and_paged(
    client: TestClient, runner: JobRunner, tenant: int, clock: ManualClock
) -> None:
    ids = [runner.submit(tenant, "export", {"n": n}, "u1").id for n in range(3)]
    runner.run_once()
    runner.submit(tenant + 1, "export", {}, "u1")
    seen = []
    cursor = None
    while True:
        page = client.get(
            "/api/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    states = {client.get(f"/api/jobs/{id_}").json()["state"] for id_ in ids}
    assert states == {"done", "queued"}


def test_a_queued_job_is_cancelled(client: TestClient, runner: JobRunner, tenant: int) -> None:
    id_ = runner.submit(tenant, "export", {}, "u1").id
    answer = client.post(f"/api/jobs/{id_}/cancel").json()
    assert (answer["state"], answer["cancel_requested"]) == ("cancelled", True)


def test_a_job_of_another_tenant_is_not_there(
    client: TestClient, runner: JobRunner, tenant: int
) -> None:
    id_ = runner.submit(tenant + 1, "export", {}, "u1").id
    assert client.get(f"/api/jobs/{id_}").json()["code"] == "job_unknown"
    assert client.post(f"/api/jobs/{id_}/cancel").status_code == 404
