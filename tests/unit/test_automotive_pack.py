"""The automotive pack: identifiers against outside truth, the event plan against the catalogue."""

import csv
import json
import re
from pathlib import Path

import pytest

from carloop.core.identifiers import InvalidIdentifier
from carloop.core.registry import Catalogue
from carloop.packs.automotive import PACK
from carloop.packs.automotive.identifiers import normalise_plate, normalise_uscc
from carloop.packs.automotive.vin import check_digit, make_vin, normalise_vin

DATA = Path(__file__).parents[2].parent / "shared" / "data"

# The dealer processes of catalogue row M05-14, each with the event that records it.
PROCESSES = {
    "来店洽谈": "store_visited",
    "来电洽谈": "call_received",
    "试乘试驾": "test_drive_completed",
    "客户跟进": "lead_contacted",
    "购车协议": "contract_signed",
    "交车出库": "vehicle_delivered",
    "购车回访": "purchase_surveyed",
    "保养预约": "service_booked",
    "维修接待": "service_checked_in",
    "派工": "work_dispatched",
    "竣工结算": "service_completed",
    "三包索赔": "warranty_claimed",
    "旧件处理": "old_part_returned",
    "外出救援": "rescue_dispatched",
    "召回": "recall_completed",
    "投诉": "complaint_filed",
    "客户关怀": "customer_cared",
    "维修回访": "service_surveyed",
    "入会申请": "member_joined",
    "会员查询": "member_served",
    "积分兑换": "points_redeemed",
    "俱乐部活动": "club_activity_joined",
    "二手车置换": "trade_in_appraised",
    "车辆采购": "vehicle_purchased",
    "发运": "vehicle_shipped",
    "验收": "vehicle_accepted",
    "库存": "vehicle_stocked",
    "备件订单": "part_ordered",
    "备件库存": "part_stocked",
    "备件销售": "part_sold",
    "建店": "dealer_established",
    "授权": "dealer_authorised",
    "金融支持": "finance_supported",
}


def test_the_plan_covers_every_dealer_process() -> None:
    events = {e.name: e for e in PACK.event_types}
    for process, name in PROCESSES.items():
        assert process in events[name].title["zh"], f"{process} is not what {name} says"


def test_the_catalogue_accepts_the_pack_and_runs_without_it() -> None:
    assert "vehicle" in Catalogue.of([PACK]).entity_types
    assert set(Catalogue.of([PACK]).scope_dimensions) == {"dealer", "advisor"}
    assert not Catalogue.of().entity_types


def test_relations_name_declared_types() -> None:
    entities = {e.name for e in PACK.entity_types} | {"person"}
    relations = {r.name for r in PACK.relation_types}
    assert all({r.subject, r.object} <= entities for r in PACK.relation_types)
    assert all({*e.relations, *e.ends} <= relations for e in PACK.event_types)
    assert all(p.entity in entities for e in PACK.event_types for p in e.properties if p.entity)


@pytest.mark.data
def test_real_vins_pass() -> None:
    path = DATA / "vin_us_auction" / "USA_cars_datasets.csv"
    if not path.exists():
        pytest.skip("shared real data is absent")
    with path.open(encoding="utf-8") as lines:
        vins = [row["vin"].strip() for row in csv.DictReader(lines)]
    full = [v for v in vins if len(v) == 17]
    assert len(full) > 1200
    assert all(normalise_vin(v) == v.upper() for v in full)


def test_vin_examples_from_the_standards() -> None:
    assert check_digit("11111111111111111") == "1"
    assert normalise_vin("1M8GDM9AXKP042788") == "1M8GDM9AXKP042788"
    assert normalise_vin("WVWZZZ1JZXW000001") == "WVWZZZ1JZXW000001"  # EU: no check digit
    for wrong, code in (
        ("1M8GDM9A1KP042788", "checksum"),
        ("1M8GDM9AXKPO42788", "format"),
        ("KP042788", "format"),
        ("11111111111111111", "placeholder"),
    ):
        with pytest.raises(InvalidIdentifier) as caught:
            normalise_vin(wrong)
        assert caught.value.code == code
    assert normalise_vin(make_vin("LCY", "AC5A1", 2026, "B", 42)).endswith("000042")


def test_plates_and_organisation_codes() -> None:
    assert normalise_plate("京A·F0236") == "京AF0236"
    assert normalise_plate("沪AD12345") == "沪AD12345"
    assert normalise_plate("京A12345挂"[:-2] + "挂") == "京A1234挂"
    for wrong in ("A12345", "京I12345", "沪AO2345", "京A1234567"):
        with pytest.raises(InvalidIdentifier):
            normalise_plate(wrong)
    assert normalise_uscc("91110000600037341L") == "91110000600037341L"
    with pytest.raises(InvalidIdentifier):
        normalise_uscc("911100006000373418")


def test_every_title_has_both_languages() -> None:
    titles = [
        t.title
        for kinds in (
            PACK.identifier_types,
            PACK.fields,
            PACK.entity_types,
            PACK.relation_types,
            PACK.event_types,
            PACK.segments,
            PACK.funnels,
            tuple(p for e in PACK.event_types for p in e.properties),
        )
        for t in kinds
    ]
    assert all(t.get("zh") and t.get("en") for t in titles)
    assert all(re.search("[a-zA-Z]", t["en"]) for t in titles)
    json.dumps([s.rule for s in PACK.segments], ensure_ascii=False)
