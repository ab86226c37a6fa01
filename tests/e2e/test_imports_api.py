"""Imports over HTTP: preview, job, errors, saved mappings, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from carloop.app.imports import Imports
from carloop.app.imports.job import ImportJobs
from carloop.app.jobs import JobRunner
from carloop.bootstrap.packs import load_catalogue
from carloop.core.ports.event_store import EventStore
from carloop.kit.clock import ManualClock
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.journal_keys import DayKeys
from tests.support.api import build

CSV = "手机号,姓名,日期\n13905712846,王芳,2026-01-02\n13800138000,李,2026-01-02\n".encode("gbk")


@pytest.fixture
def runner(any_state: SqlState, clock: ManualClock) -> JobRunner:
    return JobRunner(any_state, clock)


@pytest.fixture
def client(
    any_state: SqlState,
    event_store: EventStore,
    clock: ManualClock,
    tenant: int,
    runner: JobRunner,
    tmp_path: Path,
    day_keys: DayKeys,
) -> Iterator[TestClient]:
    journal = SqliteJournal(tmp_path / "journal.db", day_keys)
    imports = Imports(any_state, journal, load_catalogue("automotive"), clock)
    jobs = ImportJobs(imports, runner, any_state, clock, tmp_path / "uploads")
    services = {"jobs": runner, "imports": jobs}
    with build(any_state, event_store, clock, tenant, **services).local() as client:
        yield client
    journal.close()


def post(client: TestClient, path: str, name: str = "客户.csv", **form: str) -> Any:
    return client.post(path, data=form, files={"file": (name, CSV)})


def test_a_preview_suggests_a_mapping_and_keeps_nothing(client: TestClient, tmp_path: Path) -> None:
    answer = post(client, "/api/imports/preview").json()
    assert answer["encoding"] == "gb18030"
    assert answer["mapping"]["columns"]["手机号"]["as"] == "identifier"
    assert answer["report"]["rejected"] == 1
    assert answer["columns"][1] == {"name": "姓名", "filled": 2, "examples": ["王芳", "李"]}
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_import_is_a_job_whose_errors_can_be_fetched(
    client: TestClient, runner: JobRunner, tmp_path: Path
) -> None:
    answer = post(client, "/api/imports", source="crm", event="lead_imported")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert runner.run_once()
    result = client.get(f"/api/jobs/{job['id']}").json()["result"]
    assert (result["rows"], result["imported"], result["rejected"]) == (2, 1, 1)
    errors = client.get(f"/api/imports/{job['id']}/errors")
    assert errors.status_code == 200
    assert errors.headers["content-type"].startswith("text/csv")
    assert "placeholder" in errors.text
    assert "13800138000" not in errors.text
    assert [path.suffix for path in (tmp_path / "uploads").iterdir()] == [".csv"]
    (source,) = client.get("/api/sources").json()["items"]
    assert (source["name"], source["historical"]) == ("crm", True)


def test_a_cancelled_import_stops_before_it_begins(client: TestClient, runner: JobRunner) -> None:
    job = post(client, "/api/imports", source="crm").json()
    assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert not runner.run_once()


def test_a_mapping_is_saved_and_used_by_name(client: TestClient, runner: JobRunner) -> None:
    mapping = post(client, "/api/imports/preview", event="lead_imported").json()["mapping"]
    assert client.put("/api/imports/mappings/crm", json=mapping).status_code == 204
    (saved,) = client.get("/api/imports/mappings").json()["items"]
    assert (saved["name"], saved["mapping"]) == ("crm", mapping)
    assert post(client, "/api/imports", source="crm", mapping_name="crm").status_code == 202


@pytest.mark.parametrize(
    ("form", "name", "status", "code"),
    [
        ({"source": "crm"}, "a.pdf", 422, "format_unknown"),
        ({"source": "crm", "mapping": "{"}, "a.csv", 422, "mapping_invalid"),
        ({"source": "crm", "mapping_name": "gone"}, "a.csv", 404, "mapping_unknown"),
        ({"source": "crm", "mapping": "{}", "mapping_name": "x"}, "a.csv", 422, "invalid_input"),
        ({"source": "crm", "zone": "Mars"}, "a.csv", 422, "zone_unknown"),
        ({}, "a.csv", 422, None),
        ({"source": "c\x00m"}, "a.csv", 422, None),
        ({"source": "crm"}, "../../etc/passwd.csv", 202, None),
    ],
)
def test_what_cannot_be_imported_is_refused_in_words(
    client: TestClient, tmp_path: Path, form: dict[str, str], name: str, status: int, code: str
) -> None:
    answer = post(client, "/api/imports", name, **form)
    assert answer.status_code == status, answer.text
    if code:
        assert json.loads(answer.text)["code"] == code
    kept = list((tmp_path / "uploads").glob("*")) if (tmp_path / "uploads").exists() else []
    assert len(kept) == (1 if status == 202 else 0)


def test_the_errors_of_another_job_are_unknown(client: TestClient) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    assert client.get(f"/api/imports/{missing}/errors").status_code == 404
