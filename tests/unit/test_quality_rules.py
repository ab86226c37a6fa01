"""Rules of data quality one by one: values by hand, check digits by python-stdnum, pandas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from carloop.app.quality.builtin import builtin_rules, expand
from carloop.app.quality.files import FileQuality, parse_rules
from carloop.app.quality.suggest import suggest_rules
from carloop.bootstrap.packs import load_catalogue
from carloop.core.pack import EventType, Property
from carloop.engines.quality import (
    EVENT_KINDS,
    ROW_KINDS,
    Context,
    Dimension,
    Evaluation,
    document,
    evaluate,
    parse_rule,
)
from carloop.engines.quality.kinds.outlier import fences
from carloop.engines.quality.values import shown
from carloop.kit.errors import InvalidInput
from carloop.packs.automotive.vin import check_digit

CATALOGUE = load_catalogue("automotive")


def judged(
    rules: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], **context: Any
) -> Evaluation:
    """Rules on rows that are numbered from 1."""
    found = Context(CATALOGUE.identifiers, ZoneInfo("Asia/Shanghai"), **context)
    return evaluate([parse_rule(rule) for rule in rules], enumerate(rows, 1), found)  # type: ignore[misc]


def faults(rule: dict[str, Any], values: Sequence[Any], **context: Any) -> list[str]:
    """The code of each value; empty where it is good or not judged."""
    rows = [{"x": value} for value in values]
    codes = [""] * len(values)
    for outcome in judged([{"field": "x", **rule}], rows, **context).outcomes:
        for example in outcome.examples:
            codes[example.number - 1] = example.code
    return codes


def test_required_cells_are_not_filled_by_placeholders() -> None:
    values = ["a", "", None, "Select", "#NULL!", "N/A", "-", "无", "未知", "99999", 0, "0"]
    expected = ["", *["missing"] * 2, *["placeholder"] * 7, "", ""]
    assert faults({"kind": "required"}, values) == expected


def test_placeholders_of_ones_own_are_found_too() -> None:
    rule = {"kind": "placeholder", "also": ["To Be Told"]}
    assert faults(rule, ["to be told", "x", "", "请选择"]) == ["placeholder", "", "", "placeholder"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("13912345679", ""),
        ("+86 139-1234-5679", ""),
        ("00000000000", "placeholder"),
        ("13800138000", "placeholder"),
        ("11111111111", "placeholder"),
        ("13888888888", "placeholder"),
        ("13912345678", "placeholder"),
        ("12345678901", "placeholder"),
        ("139****1234", "masked"),
        ("1391234567", "format"),
        ("010-51626616", ""),
        ("0311-67503883", ""),
        ("02164321098", ""),
        ("+86 21 6432 1098", ""),
        ("400-820-8820", ""),
        ("58990279", "area_code_missing"),
        ("01-62713050", "format"),
        ("00551-68136069", "format"),
        ("0571-8765", "format"),
    ],
)
def test_fake_and_broken_phones_are_told_apart(number: str, code: str) -> None:
    assert faults({"kind": "phone"}, [number]) == [code]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["110105", "310104"]),
    st.dates(min_value=date(1930, 1, 1), max_value=date(2020, 1, 1)),
    st.integers(0, 999),
    st.integers(1, 10),
)
def test_id_cards_are_judged_as_stdnum_judges(
    region: str, born: date, serial: int, off: int
) -> None:
    first = f"{region}{born:%Y%m%d}{serial:03d}"
    right = str(ric.calc_check_digit(first + "0"))
    wrong = "0123456789X"[("0123456789X".index(right) + off) % 11]
    rule = {"kind": "identifier", "type": "id_card"}
    assert faults(rule, [first + right, first + wrong]) == ["", "checksum"]
    assert ric.is_valid(first + right)
    assert not ric.is_valid(first + wrong)


def test_a_vin_with_a_wrong_check_digit_is_found() -> None:
    # 49 CFR 565, table: 1M8GDM9AXKP042788 is the published example; X is its check digit.
    rule = {"kind": "identifier", "type": "vin"}
    values = ["1M8GDM9AXKP042788", "1M8GDM9A1KP042788", "LSVAA49J232047371", "1M8GDM9AXKPO42788"]
    assert check_digit(values[2]) != values[2][8]
    assert faults(rule, values) == ["", "checksum", "checksum", "format"]


def test_ranges_hold_their_bounds() -> None:
    rule = {"kind": "range", "least": 0, "most": 100}
    values = [0, 100, "100.0", -0.01, 100.01, "1,000", "many", ""]
    expected = ["", "", "", "too_small", "too_large", "too_large", "not_a_number", ""]
    assert faults(rule, values) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=80))
def test_outliers_lie_where_pandas_says(values: list[float]) -> None:
    series = pd.Series(values)
    mad = (series - series.median()).abs().median()
    bounds = fences(values)
    if mad > 0:
        # Iglewicz & Hoaglin: |0.6745 (x - median) / MAD| > 3.5.
        score = (0.6745 * (series - series.median()) / mad).abs()
        assert bounds is not None
        clear = score[(score - 3.5).abs() > 1e-6]
        outside = [not bounds[0] <= series[place] <= bounds[1] for place in clear.index]
        assert outside == (clear > 3.5).tolist()
    else:
        quartiles = series.quantile([0.25, 0.75]).tolist()
        width = quartiles[1] - quartiles[0]
        wanted = (quartiles[0] - 3 * width, quartiles[1] + 3 * width) if width > 0 else None
        assert bounds == (pytest.approx(wanted) if wanted else None)


def test_unknown_codes_are_counted_and_common_ones_shown() -> None:
    values = ["官网"] * 3 + ["WeChat"] * 6 + ["王芳"]
    rows = [{"channel": value} for value in values]
    rule = {"kind": "codes", "field": "channel", "table": "channel"}
    (outcome,) = judged([rule], rows, codes={"channel": frozenset({"官网"})}).outcomes
    assert (outcome.checked, outcome.failed) == (10, 7)
    assert outcome.unknown("unknown_code") == [{"value": "WeChat", "count": "6"}]
    assert "王芳" not in str(outcome.examples)
    (skipped,) = judged([rule], rows).outcomes
    assert (skipped.opened, skipped.checked) == (False, 0)


def test_keys_of_nothing_are_found() -> None:
    rule = {"kind": "foreign_key", "reference": "dealers"}
    dealers: dict[str, dict[str, Any]] = {"D1": {}, "7": {}}
    found = faults(rule, ["D1", "D2", 7, 7.0, ""], references={"dealers": dealers})
    assert found == ["", "unknown_key", "", "", ""]


def test_dates_have_a_form_and_bounds() -> None:
    rule = {"kind": "date", "format": "%d-%m-%Y", "since": "2020-01-01", "until": "2026-12-31"}
    values = ["31-12-2025", "31-02-2025", "2025-12-31", "31-12-2019", "01-01-2027"]
    assert faults(rule, values) == ["", "invalid_date", "invalid_date", "too_early", "too_late"]


def test_what_comes_first_comes_first() -> None:
    rule = {"kind": "chronology", "field": "delivered", "not_before": "ordered"}
    rows = [
        {"ordered": "2026-01-01", "delivered": "2026-01-01"},
        {"ordered": "2026-01-02", "delivered": "2026-01-01"},
        {"ordered": "", "delivered": "2026-01-01"},
    ]
    (outcome,) = judged([rule], rows).outcomes
    assert (outcome.checked, [e.number for e in outcome.examples]) == (2, [2])
    lenient = {**rule, "tolerance_seconds": 86_400}
    assert judged([lenient], rows).outcomes[0].failed == 0


def test_the_same_again_within_days_is_a_duplicate_whatever_the_order() -> None:
    days = [0, 100, 130, 131, 161.5]
    start = pd.Timestamp("2026-01-01", tz=UTC)
    rows: list[dict[str, Any]] = [
        {"who": "a", "series": "C5", "at": (start + timedelta(days=day)).isoformat()}
        for day in days
    ]
    rows.append({"who": "a", "series": "X7", "at": rows[0]["at"]})
    rule = {"kind": "duplicate", "fields": ["who", "series"], "time": "at", "days": 30}
    for order in (rows, rows[::-1]):
        (outcome,) = judged([rule], order).outcomes
        # 130 follows 100 by exactly thirty days, 131 follows 130; 161.5 comes 30.5 days later.
        found = sorted(order[e.number - 1]["at"] for e in outcome.examples)
        assert found == [rows[2]["at"], rows[3]["at"]]


def test_a_cell_that_breaks_two_rules_is_one_bad_cell() -> None:
    rows: list[dict[str, Any]] = [{"a": n, "b": "y"} for n in range(38)]
    rows += [{"a": 10**6, "b": "y"}, {"a": "Select", "b": ""}]
    rules: list[dict[str, Any]] = [
        {"kind": "range", "field": "a", "most": 100},
        {"kind": "outlier", "field": "a"},
        {"kind": "placeholder", "field": "a"},
        {"kind": "required", "field": "b"},
    ]
    evaluation = judged(rules, rows)
    correct = evaluation.scores["a", Dimension.CORRECTNESS]
    assert [o.failed for o in evaluation.outcomes] == [1, 1, 1, 1]
    assert (correct.good, correct.total) == (38, 40)
    assert evaluation.overall(Dimension.COMPLETENESS).percent == pytest.approx(100 * 39 / 40)


def test_examples_show_shapes_not_people() -> None:
    assert shown("13912345678") == "99999999999"
    assert shown("王小明") == "文文文"
    assert shown("LSVAA4182E2123456") == "AAAAA9999A9999999"
    assert shown("沪A·12345") == "文A·99999"


def examples() -> Iterator[dict[str, Any]]:
    """A document of every kind, with what it must have."""
    given_: dict[str, Any] = {
        "field": "x",
        "type": "vin",
        "table": "t",
        "reference": "t",
        "not_before": "y",
        "fields": ("x",),
        "time": "t",
        "event": "e",
        "entity": "vehicle",
        "property": "series",
    }
    needs = {"codes": ("field", "table"), "chronology": ("field", "not_before")}
    for kind in (*ROW_KINDS, *EVENT_KINDS):
        name = str(kind.__dataclass_fields__["kind"].default)
        names = needs.get(name) or [
            f for f, of in kind.__dataclass_fields__.items() if f in given_ and f != "table"
            and repr(of.default).startswith("<dataclasses._MISSING")
        ]  # fmt: skip
        yield {"kind": name, **{f: given_[f] for f in names}}


@pytest.mark.parametrize("wanted", list(examples()), ids=lambda d: str(d["kind"]))
def test_every_kind_is_a_document_and_back(wanted: dict[str, Any]) -> None:
    rule = parse_rule(wanted)
    assert rule.kind == wanted["kind"]
    assert parse_rule(document(rule)) == rule
    with pytest.raises(InvalidInput) as refused:
        parse_rule({**wanted, "surprise": 1})
    assert refused.value.code == "quality_rule_invalid"


def test_rules_of_the_plan_are_those_of_its_properties() -> None:
    built_in = {r.key: parse_rule(r.rule) for r in builtin_rules(CATALOGUE.packs)}
    assert len(built_in) == len(builtin_rules(CATALOGUE.packs)) <= 200
    kind = CATALOGUE.event_types["order_placed"]
    required = [r.field for r in expand(built_in["plan:required"], kind)]  # type: ignore[arg-type, union-attr]
    assert set(required) == {p.name for p in kind.properties if p.required}
    coded = EventType("e", {}, properties=(Property("grade", {}, codes=("A", "B")),))
    (codes,) = expand(built_in["plan:codes"], coded)  # type: ignore[arg-type]
    assert document(codes)["allowed"] == ["A", "B"]


def test_rules_of_a_file_are_suggested_from_its_columns() -> None:
    rows = [
        (f"139123456{n:02}", f"2026-01-{n % 28 + 1:02}", str(20_000 + 37 * n % 999), "A", f"L{n}")
        for n in range(40)
    ]
    headers = ("手机号", "日期", "价格", "等级", "lead_no")
    rules = suggest_rules(headers, rows, CATALOGUE, ZoneInfo("Asia/Shanghai"))
    kinds = {(rule.kind, rule.columns) for rule in rules}
    assert {("required", (h,)) for h in headers} <= kinds
    assert kinds - {("required", (h,)) for h in headers} == {
        ("identifier", ("手机号",)),
        ("date", ("日期",)),
        ("range", ("价格",)),
        ("outlier", ("价格",)),
        ("unique", ("lead_no",)),
    }


def test_rules_on_columns_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    rules = parse_rules('[{"kind": "required", "field": "c"}]')
    with pytest.raises(InvalidInput) as refused:
        FileQuality(CATALOGUE).profile(path, rules=rules)
    assert refused.value.code == "column_unknown"
    for bad in ("{", "{}", "[1]", '[{"kind": "event_order", "event": "a", "not_before": "b"}]'):
        with pytest.raises(InvalidInput) as refused:
            parse_rules(bad)
        assert refused.value.code == "quality_rule_invalid"
