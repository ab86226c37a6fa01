"""The faults of real data sets, counted by pandas, are all found by rules of data quality."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from carloop.app.quality.files import FileQuality, parse_rules, read_reference
from carloop.bootstrap.packs import load_catalogue

DATA = Path(__file__).resolve().parents[2].parent / "shared/data"
DEALER, EV = DATA / "dealer_leads_testdrive_toy", DATA / "ev_buyers_huashu2021/shuju.csv"
STORES = DATA / "stores_starbucks/directory.csv"
DAYS = "%d-%m-%Y"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DEALER.is_dir(), reason="the shared data sets are absent"),
]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def profile(path: Path, rules: Any, references: Any = None) -> dict[str, Any]:
    return FileQuality(load_catalogue("automotive")).profile(
        path, rules=rules, references=references
    )


@cache
def suggested(path: Path) -> dict[str, Any]:
    return profile(path, None)


def found(
    path: Path, *rules: dict[str, Any], **references: Any
) -> dict[tuple[str, str], dict[str, Any]]:
    """Findings by column and code; by suggested rules where none are given."""
    report = profile(path, parse_rules(json.dumps(rules)), references) if rules else suggested(path)
    assert report["skipped"] == []
    assert report["complete"]
    return {(f["column"], f["code"]): f for f in report["findings"]}


def test_test_drives_before_the_first_contact() -> None:
    leads, drives = read(DEALER / "Leads.csv"), read(DEALER / "Test_drive.csv")
    joined = drives.merge(leads, left_on="lead_id", right_on="HOI")
    drove = pd.to_datetime(joined.test_drive_date, format=DAYS)
    early = int((drove < pd.to_datetime(joined.first_contact_date, format=DAYS)).sum())
    assert early / len(drives) == pytest.approx(0.4875)  # as the data's own notes say
    rule = {
        "kind": "chronology",
        "field": "test_drive_date",
        "not_before": "first_contact_date",
        "reference": "leads",
        "key": "lead_id",
        "format": DAYS,
    }
    known = {"kind": "foreign_key", "field": "lead_id", "reference": "leads"}
    findings = found(
        DEALER / "Test_drive.csv", rule, known, leads=read_reference(DEALER / "Leads.csv", "HOI")
    )
    assert findings["test_drive_date", "out_of_order"]["failed"] == early == 585
    assert list(findings) == [("test_drive_date", "out_of_order")]


def test_leads_of_customers_that_are_written_otherwise_and_repeated_leads() -> None:
    leads, customers = read(DEALER / "Leads.csv"), read(DEALER / "customers.csv")
    strangers = int((~leads.customer_id.isin(customers.customer_id)).sum())
    at = pd.to_datetime(leads.first_contact_date, format=DAYS)
    ordered = leads.assign(at=at).sort_values(["customer_id", "at"])
    gap = ordered.groupby("customer_id")["at"].diff()
    again = int((gap <= pd.Timedelta(days=30)).sum())
    findings = found(
        DEALER / "Leads.csv",
        {"kind": "foreign_key", "field": "customer_id", "reference": "customers"},
        {"kind": "duplicate", "fields": ["customer_id"], "time": "first_contact_date",
         "days": 30, "format": DAYS},
        {"kind": "foreign_key", "field": "dealership_id", "reference": "dealers"},
        customers=read_reference(DEALER / "customers.csv", "customer_id"),
        dealers=read_reference(DEALER / "Dealership.csv", "dealership_id"),
    )  # fmt: skip
    assert findings["customer_id", "unknown_key"]["failed"] == strangers == 1800
    assert findings["customer_id", "duplicate"]["failed"] == again > 0
    assert ("dealership_id", "unknown_key") not in findings
    empty = found(DEALER / "customers.csv")
    assert empty["region", "missing"]["failed"] == int((customers.region == "").sum()) == 20


def test_ratings_above_one_hundred_and_null_as_text() -> None:
    table = read(EV)
    ratings = [f"a{n}" for n in range(1, 9)]
    above = {c: int((pd.to_numeric(table[c]) > 100).sum()) for c in ratings}
    assert above == {"a1": 1, **dict.fromkeys(ratings[1:], 0)}
    ranges = [{"kind": "range", "field": c, "least": 0, "most": 100} for c in (*ratings, "B17")]
    findings = found(EV, *ranges)
    assert findings["a1", "too_large"]["examples"] == [{"row": 1, "shown": "753.04"}]
    share = int((pd.to_numeric(table.B17) > 100).sum())
    assert findings["B17", "too_large"]["failed"] == share == 1
    assert len(findings) == 2
    by_itself = found(EV)
    nulls = {c: int((table[c].str.strip() == "#NULL!").sum()) for c in table}
    placeholders = {c: f["failed"] for (c, code), f in by_itself.items() if code == "placeholder"}
    assert placeholders == {c: n for c, n in nulls.items() if n} == {"B7": 351}
    assert {"row": 1, "shown": "753.04"} in by_itself["a1", "outlier"]["examples"]


def test_outliers_are_those_of_the_published_formula() -> None:
    table, findings = read(EV), found(EV)
    for column in [f"a{n}" for n in range(1, 9)]:
        values = pd.to_numeric(table[column])
        mad = (values - values.median()).abs().median()
        far = int(((0.6745 * (values - values.median()) / mad).abs() > 3.5).sum())
        assert findings[column, "outlier"]["failed"] == far > 0


def test_stores_with_missing_area_codes_repeated_places_and_one_number_twice(
    tmp_path: Path,
) -> None:
    stores = read(STORES)
    by_itself = found(STORES)
    twice = int(stores["Store Number"].duplicated().sum())
    assert by_itself["Store Number", "repeated"]["failed"] == twice == 1
    for column in ("Street Address", "City", "Postcode", "Phone Number"):
        empty = int((stores[column].str.strip() == "").sum())
        assert by_itself[column, "missing"]["failed"] == empty > 0
    place = ["Longitude", "Latitude"]
    repeated = found(STORES, {"kind": "unique", "fields": place})
    again = int(stores.duplicated(place).sum())
    assert repeated["Longitude + Latitude", "repeated"]["failed"] == again == 5872
    here = stores[stores.Country == "CN"]
    path = tmp_path / "china.csv"
    here.to_csv(path, index=False)
    findings = found(path, {"kind": "phone", "field": "Phone Number"})
    digits = here["Phone Number"].str.replace(r"\D", "", regex=True)
    local = int((digits.str.len().isin([7, 8]) & ~digits.str.startswith("0")).sum())
    bare = findings["Phone Number", "area_code_missing"]
    assert (bare["checked"], bare["failed"]) == (1337, local)
    assert bare["examples"][0]["shown"] == "99999999"


def test_select_is_no_answer() -> None:
    path = next((DATA / "leads_xeducation").glob("*.csv"))
    leads = read(path)
    findings = found(path)
    for column in leads:
        selects = int((leads[column].str.strip().str.casefold() == "select").sum())
        if selects:
            assert findings[column, "placeholder"]["failed"] >= selects
