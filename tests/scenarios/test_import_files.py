"""Importing real and planted files: counts against pandas, resuming, repeating, honest reports."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from carloop.app.imports import ErrorFile, ImportReport, Imports, RowError, parse_mapping
from carloop.bootstrap.packs import load_catalogue
from carloop.connectors import PROTOCOLS
from carloop.core.events import OWN_LIMITS, Envelope
from carloop.core.sources import Source, SourceKind
from carloop.kit.clock import ManualClock
from carloop.kit.errors import InvalidInput, NotFound, TooLarge
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.journal_keys import DayKeys

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SOURCE = Source(tenant=1, id=5, name="files", kind=SourceKind.FILE, historical=True)
real_data = pytest.mark.data


def real(path: str) -> Path:
    if not (DATA / path).exists():
        pytest.skip("the shared data sets are not here")
    return DATA / path


@pytest.fixture
def journal(tmp_path: Path, day_keys: DayKeys) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db", day_keys)
    yield journal
    journal.close()


@pytest.fixture
def imports(any_state: SqlState, journal: SqliteJournal, clock: ManualClock) -> Imports:
    return Imports(any_state, journal, load_catalogue("automotive"), clock)


def kept(journal: SqliteJournal) -> list[Envelope]:
    """Everything the journal holds, decoded."""
    events: list[Envelope] = []
    for batch in journal.read(0, 1 << 30):
        decoded = PROTOCOLS["own"].decode(batch.received, OWN_LIMITS)
        assert decoded.rejected == []
        events += decoded.events
    return events


def run(imports: Imports, path: Path, **options: Any) -> tuple[ImportReport, list[RowError]]:
    errors: list[RowError] = []
    mapping = options.pop("mapping", None) or imports.preview(path).mapping
    return imports.run(SOURCE, path, mapping, errors=errors.append, **options), errors


@real_data
def test_every_listed_vehicle_is_an_entity(imports: Imports, journal: SqliteJournal) -> None:
    path = real("vin_us_auction/USA_cars_datasets.csv")
    report, errors = run(imports, path)
    frame = pd.read_csv(path)
    vins = frame["vin"].str.strip().str.upper()
    full = vins[vins.str.len() == 17]
    assert report.rows == len(frame) == 1235
    assert report.rejected == len(frame) - len(full)
    assert len(errors) >= report.rejected
    events = kept(journal)
    assert {e.entities[0].key for e in events} == set(full)
    assert all(e.identifiers == [] and e.historical for e in events)
    prices = sum(json.loads(e.properties)["price"] for e in events)
    assert prices == frame["price"][full.index].sum()


@real_data
def test_leads_become_people_and_placeholders_become_nothing(
    imports: Imports, journal: SqliteJournal
) -> None:
    path = real("leads_xeducation/Leads.csv")
    mapping = imports.preview(path, event="lead_imported").mapping
    order = {"event": "lead_converted", "when": {"column": "Converted", "values": ["1"]}}
    document = json.loads(mapping.text())
    document["events"].append(order)
    report, errors = run(imports, path, mapping=parse_mapping(json.dumps(document)))
    frame = pd.read_csv(path)
    assert (report.rows, report.rejected, errors) == (len(frame), 0, [])
    events = kept(journal)
    leads = [e for e in events if e.event == "lead_imported"]
    assert len(leads) == len(frame)
    assert len(events) - len(leads) == frame["Converted"].sum()
    assert len({e.identifiers[0].value for e in leads}) == frame["Prospect ID"].nunique()
    sources = [json.loads(e.properties).get("lead_source") for e in leads]
    assert sum(s is not None for s in sources) == frame["Lead Source"].notna().sum()
    specialised = frame["Specialization"].where(frame["Specialization"] != "Select")
    found = [json.loads(e.properties).get("specialization") for e in leads]
    assert sum(s is not None for s in found) == specialised.notna().sum()
    minutes = sum(json.loads(e.properties)["total_time_spent_on_website"] for e in leads)
    assert minutes == frame["Total Time Spent on Website"].sum()


@real_data
def test_sales_carry_their_day_and_say_that_they_name_nobody(
    imports: Imports, journal: SqliteJournal
) -> None:
    path = real("dealer_car_sales/car_sales.csv")
    report, errors = run(imports, path)
    frame = pd.read_csv(path)
    assert (report.rows, report.imported, report.persons) == (len(frame), len(frame), 0)
    assert report.entities == {"dealer": len(frame)}
    assert report.faults == {"/profile_without_person": len(frame)}
    assert {e.code for e in errors} == {"profile_without_person"}
    events = kept(journal)
    assert sum(json.loads(e.properties)["price"] for e in events) == 671_525_465
    days = pd.to_datetime(frame["Date"], format="%m/%d/%Y").dt.tz_localize("Asia/Shanghai")
    assert sorted(e.occurred_at for e in events) == sorted(
        int(day.timestamp() * 1000) for day in days
    )


@real_data
def test_a_corrected_mapping_makes_the_buyers_people(
    imports: Imports, journal: SqliteJournal
) -> None:
    path = real("dealer_car_sales/car_sales.csv")
    document = json.loads(imports.preview(path).mapping.text())
    document["columns"]["Phone"] = {"as": "identifier", "type": "login_id", "namespace": "sales"}
    report, errors = run(imports, path, mapping=parse_mapping(json.dumps(document)))
    frame = pd.read_csv(path)
    assert (report.persons, errors) == (len(frame), [])
    assert len({e.identifiers[0].value for e in kept(journal)}) == frame["Phone"].nunique()


CUSTOMERS = "手机号,姓名,日期,金额(元)\n"


def customers(tmp_path: Path, rows: list[str], encoding: str = "utf-8") -> Path:
    path = tmp_path / "客户.csv"
    path.write_bytes((CUSTOMERS + "\n".join(rows) + "\n").encode(encoding))
    return path


def row(number: int, amount: str = "1,000", day: str = "2026-01-02") -> str:
    return f'1390571{2000 + 7 * number},王芳,{day},"{amount}"'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_arrives_whole_in_every_encoding(
    imports: Imports, journal: SqliteJournal, tmp_path: Path, encoding: str
) -> None:
    report, errors = run(imports, customers(tmp_path, [row(1), row(2)], encoding))
    assert (report.events, report.persons, errors) == (2, 2, [])
    (first, _) = kept(journal)
    assert [(op.field, op.value) for op in first.profile] == [("name", "王芳")]
    assert first.occurred_at == datetime(2026, 1, 1, 16, tzinfo=UTC).timestamp() * 1000


def test_bad_rows_go_to_the_error_file_and_the_rest_is_imported(
    imports: Imports, journal: SqliteJournal, tmp_path: Path
) -> None:
    rows = [row(1), "x,y", row(2, "viel"), row(3, day="soon"), "13800138000,无,2026-01-02,", row(4)]
    mapping = imports.preview(customers(tmp_path, [row(n) for n in range(20)])).mapping
    path = customers(tmp_path, rows)
    with ErrorFile(tmp_path / "errors.csv") as errors:
        report = imports.run(SOURCE, path, mapping, errors=errors)
    assert (report.rows, report.imported, report.rejected) == (6, 3, 3)
    with (tmp_path / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(e["row"], e["column"], e["severity"], e["code"]) for e in lines] == [
        ("2", "", "rejected", "column_count"),
        ("3", "金额(元)", "left_out", "not_a_number"),
        ("4", "日期", "rejected", "invalid_timestamp"),
        ("5", "手机号", "left_out", "placeholder"),
        ("5", "", "rejected", "missing_identifier"),
    ]
    assert "13800138000" not in (tmp_path / "errors.csv").read_text("utf-8")


def test_a_repeat_sends_nothing_and_a_forced_one_sends_the_same_ids(
    imports: Imports, journal: SqliteJournal, tmp_path: Path, clock: ManualClock
) -> None:
    path = customers(tmp_path, [row(1), row(2)])
    first, _ = run(imports, path)
    ids = [e.message_id for e in kept(journal)]
    again, _ = run(imports, path)
    assert (again.repeated, again.events) == (True, first.events)
    assert len(kept(journal)) == 2
    run(imports, path, again=True)
    assert [e.message_id for e in kept(journal)] == ids * 2


def test_an_interrupted_import_goes_on_where_it_stopped(
    imports: Imports, journal: SqliteJournal, tmp_path: Path
) -> None:
    path = customers(tmp_path, [row(n) for n in range(1001)])
    stopped, _ = run(imports, path, progress=lambda report, total: report.rows >= 1000)
    assert (stopped.cancelled, stopped.rows) == (True, 1000)
    finished, _ = run(imports, path)
    assert (finished.cancelled, finished.rows, finished.events) == (False, 1001, 1001)
    ids = [e.message_id for e in kept(journal)]
    assert len(ids) == len(set(ids)) == 1001


def test_rows_that_the_tracking_plan_would_refuse_are_named_before_they_are_sent(
    imports: Imports, journal: SqliteJournal, tmp_path: Path
) -> None:
    path = tmp_path / "leads.csv"
    lines = [
        "手机号,渠道,时间",
        "13905712846,抖音,2026-11-01",
        "13905712847,,2026-11-01",
        "13905712848,抖音,2036-11-01",
        "13905712849,抖音,2006-11-01",
    ]
    path.write_text("\n".join(lines))
    mapping = imports.preview(path, event="lead_submitted").mapping
    report, errors = run(imports, path, mapping=mapping)
    assert [(e.row, e.column, e.code) for e in errors] == [
        (2, "properties.channel", "missing_property"),
        (3, "occurred_at", "time_in_future"),
        (4, "occurred_at", "time_too_old"),
    ]
    assert [json.loads(e.properties) for e in kept(journal)] == [{"channel": "抖音"}]


def test_a_dry_run_keeps_nothing(imports: Imports, journal: SqliteJournal, tmp_path: Path) -> None:
    report, _ = run(imports, customers(tmp_path, [row(1)]), dry_run=True)
    assert (report.events, report.dry_run, kept(journal)) == (1, True, [])


def test_jsonl_parquet_and_excel_say_the_same_as_csv(
    imports: Imports, journal: SqliteJournal, tmp_path: Path
) -> None:
    records = [
        {"mobile": f"1390571{2846 + n}", "vin": None, "price": 1.5 * n, "at": "2026-01-02"}
        for n in range(3)
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, records)))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(list(records[0]))
    for record in records:
        sheet.append(list(record.values()))
    workbook.save(tmp_path / "a.xlsx")
    seen = []
    for suffix in ("jsonl", "parquet", "xlsx"):
        preview = imports.preview(tmp_path / f"a.{suffix}")
        assert preview.report.rejected == 0
        seen.append([(c.name, c.filled) for c in preview.columns])
        run(imports, tmp_path / f"a.{suffix}")
    assert seen[0] == seen[1] == seen[2]
    rows = [(e.identifiers, json.loads(e.properties)) for e in kept(journal)]
    assert rows[:3] == rows[3:6] == rows[6:]


def test_files_that_cannot_be_used_are_refused(imports: Imports, tmp_path: Path) -> None:
    def refused(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput) as refusal:
            imports.preview(tmp_path / name)
        return refusal.value.code

    assert refused("a.pdf", b"%PDF") == "format_unknown"
    assert refused("a.csv", b"") == "file_empty"
    assert refused("a.jsonl", b"\n\n") == "file_empty"
    assert refused("a.xlsx", b"PK not a zip") == "file_broken"
    assert refused("a.parquet", b"PAR1") == "file_broken"
    assert refused("b.csv", b",".join([b"c"] * 501)) == "too_many_columns"
    with pytest.raises(NotFound):
        imports.preview(tmp_path / "gone.csv")


def test_a_workbook_bomb_is_refused(imports: Imports, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(50_000_000))
    with pytest.raises(TooLarge):
        imports.preview(tmp_path / "bomb.xlsx")


def test_mappings_are_saved_by_name_for_one_tenant(imports: Imports, tmp_path: Path) -> None:
    mapping = imports.preview(customers(tmp_path, [row(1)])).mapping
    imports.save_mapping(1, "crm", mapping)
    imports.save_mapping(1, "crm", mapping)
    assert imports.mapping(1, "crm") == mapping
    assert [m.name for m in imports.mappings(1)] == ["crm"]
    with pytest.raises(NotFound):
        imports.mapping(2, "crm")
