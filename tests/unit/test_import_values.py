"""Cells, headers and mappings: what a stranger's file means."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from carloop.app.imports.mapping import DEFAULT_NULLS, Mapping, parse_mapping
from carloop.app.imports.report import safe_cell
from carloop.app.imports.rows import RowMapper
from carloop.app.imports.suggest import suggest
from carloop.app.imports.values import (
    BadValue,
    as_number,
    as_time,
    as_type,
    guess_time_format,
    guess_type,
    is_null,
)
from carloop.bootstrap.packs import load_catalogue
from carloop.connectors.files import Row
from carloop.core.fields import FieldType
from carloop.kit.errors import InvalidInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
CATALOGUE = load_catalogue("automotive")
NULLS = frozenset(DEFAULT_NULLS)


@pytest.mark.parametrize("text", ["", " ", "Select", "#NULL!", "无", "NULL", "-", "n/a", "\\N"])
def test_placeholders_are_nothing(text: str) -> None:
    assert is_null(text, NULLS)


@pytest.mark.parametrize("value", ["0", 0, False, "否", "no", "无锡"])
def test_values_that_only_look_empty_are_something(value: object) -> None:
    assert not is_null(value, NULLS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("1/2/2022", "%m/%d/%Y"),
        ("2022-01-02", "iso"),
        ("2022/1/2 03:04", "%Y/%m/%d %H:%M"),
        ("2022年1月2日", "%Y年%m月%d日"),
        ("20220102", "%Y%m%d"),
        ("1641067200", "s"),
        ("1641067200000", "ms"),
    ],
)
def test_time_formats_are_found_by_trying(text: str, format_: str) -> None:
    assert guess_time_format([text] * 3, SHANGHAI) == format_
    at = as_time(text, format_, SHANGHAI).astimezone(SHANGHAI)
    assert (at.year, at.month, at.day) == (2022, 1, 2)


def test_a_day_above_twelve_decides_between_month_first_and_day_first() -> None:
    assert guess_time_format(["1/2/2022", "1/13/2022"], UTC) == "%m/%d/%Y"
    assert guess_time_format(["1/2/2022", "13/1/2022"], UTC) == "%d/%m/%Y"
    assert guess_time_format(["soon", "later"], UTC) is None


@pytest.mark.parametrize("format_", ["%Y%Y", "%", "%Q", "iso", "s", "ms", "%d"])
def test_a_format_that_cannot_work_makes_bad_values_and_no_exception(format_: str) -> None:
    with pytest.raises(BadValue):
        as_time("２０２６-99-99", format_, SHANGHAI)


def test_a_time_without_offset_is_in_the_zone_of_the_mapping() -> None:
    at = as_time("2022-01-02 08:00:00", "iso", SHANGHAI)
    assert at.astimezone(UTC) == datetime(2022, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["abc", "1.2.3", "", "１2x", "nan", "1e999", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        as_number(text)


def test_leading_zeros_keep_a_column_text() -> None:
    assert guess_type(["007", "12"]) is FieldType.STRING
    assert guess_type(["1,299.50", 7, "12%"]) is FieldType.NUMBER
    assert as_type("否", FieldType.BOOLEAN, "", UTC) is False
    assert as_type("a，b、c", FieldType.LIST, "", UTC) == ["a", "b", "c"]


def test_headers_in_both_languages_are_understood() -> None:
    headers = ["手机号", "姓名", "车架号", "下单时间", "经销商代码", "性别", "E-mail", "金额(元)"]
    row = [
        "13905712846",
        "王芳",
        "LSVAA4182E2184847",
        "2026/11/22 08:00",
        "D001",
        "女",
        "",
        "1,299",
    ]
    mapping = suggest(headers, [row], CATALOGUE, event="order_placed")
    found = {header: column.role for header, column in mapping.columns.items()}
    assert found == {
        "手机号": "identifier",
        "姓名": "profile",
        "车架号": "entity",
        "下单时间": "time",
        "经销商代码": "entity",
        "性别": "profile",
        "E-mail": "identifier",
        "金额(元)": "property",
    }
    assert mapping.events[0].event == "order_placed"


def test_a_phone_column_of_other_numbers_is_not_taken_for_mobiles() -> None:
    (column,) = suggest(["Phone"], [["8264678"], ["6848189"]], CATALOGUE).columns.values()
    assert column.model_dump(by_alias=True, exclude={"format"}) == {
        "as": "property",
        "name": "phone_text",
        "type": "string",
    }


def mapper(mapping: Mapping, headers: list[str]) -> RowMapper:
    return RowMapper(mapping, headers, CATALOGUE, digest="d", default_ms=7)


def test_one_row_may_yield_several_events_each_under_its_condition() -> None:
    mapping = parse_mapping(
        """{"columns": {"id": {"as": "identifier", "type": "login_id"},
                        "name": {"as": "profile", "field": "name"},
                        "at": {"as": "time", "format": "iso"},
                        "sold": {"as": "time", "format": "iso"}},
            "events": [{"event": "lead_submitted"},
                       {"event": "order_placed", "time_column": "sold",
                        "when": {"column": "won", "values": ["1"]}}],
            "constants": {"campaign": "spring"}, "zone": "UTC"}"""
    )
    rows = mapper(mapping, ["id", "name", "at", "won", "sold"])
    lead, order = rows.apply(Row(1, ["u1", "王芳", "2026-01-01", "1", "2026-01-05"])).events
    assert [lead["event"], order["event"]] == ["lead_submitted", "order_placed"]
    assert order["occurred_at"] - lead["occurred_at"] == 4 * 86_400_000
    assert lead["profile"] == {"set": {"name": "王芳"}}
    assert "profile" not in order
    assert lead["properties"] == {"campaign": "spring"}
    assert lead["message_id"] != order["message_id"]
    assert [e["event"] for e in rows.apply(Row(2, ["u1", "", "2026-01-01", "0", ""])).events] == [
        "lead_submitted"
    ]


def test_a_condition_that_fails_does_not_ask_for_its_time() -> None:
    mapping = parse_mapping(
        """{"columns": {"id": {"as": "identifier", "type": "login_id"},
                        "sold": {"as": "time"}},
            "events": [{"event": "o", "time_column": "sold",
                        "when": {"column": "won", "values": ["1"]}}]}"""
    )
    result = mapper(mapping, ["id", "sold", "won"]).apply(Row(1, ["u1", "", "0"]))
    assert (result.events, result.rejected) == ([], False)


def test_a_row_that_names_nobody_is_rejected_and_one_that_names_a_vehicle_is_not() -> None:
    mapping = parse_mapping(
        """{"columns": {"m": {"as": "identifier", "type": "mobile"},
                        "vin": {"as": "entity", "type": "vehicle"},
                        "name": {"as": "profile", "field": "name"}}}"""
    )
    rows = mapper(mapping, ["m", "vin", "name"])
    nobody = rows.apply(Row(1, ["138****1234", "", "x"]))
    assert nobody.rejected
    assert [(f.column, f.code) for f in nobody.faults] == [
        ("m", "masked"),
        ("", "missing_identifier"),
    ]
    vehicle = rows.apply(Row(2, ["无", " jtezu11f88k007763", "x"]))
    assert vehicle.entities == [("vehicle", "JTEZU11F88K007763")]
    assert [f.code for f in vehicle.faults] == ["profile_without_person"]
    assert (vehicle.person, len(vehicle.events)) == (False, 1)


def test_a_declared_key_numbers_the_row_in_any_file() -> None:
    mapping = parse_mapping(
        '{"columns": {"id": {"as": "identifier", "type": "login_id"}}, "key": ["no"]}'
    )
    ids = {
        RowMapper(mapping, ["id", "no"], CATALOGUE, digest=digest, default_ms=0)
        .apply(Row(number, ["u1", "A7"]))
        .events[0]["message_id"]
        for digest, number in (("x", 1), ("y", 9))
    }
    assert len(ids) == 1
    missing = mapper(mapping, ["id", "no"]).apply(Row(1, ["u1", ""]))
    assert [f.code for f in missing.faults] == ["missing_key"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"columns": {"a": {"as": "nonsense"}}}',
        '{"columns": {}, "zone": "Mars/North"}',
        '{"columns": {}, "more": 1}',
        '{"columns": {}, "events": []}',
    ],
)
def test_a_broken_mapping_says_so(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_mapping(text)
    assert refusal.value.code == "mapping_invalid"


@pytest.mark.parametrize(
    "columns",
    [
        '{"gone": {"as": "ignore"}}',
        '{"a": {"as": "identifier", "type": "nonsense"}}',
        '{"a": {"as": "entity", "type": "spaceship"}}',
    ],
)
def test_a_mapping_that_does_not_fit_the_file_says_so(columns: str) -> None:
    with pytest.raises(InvalidInput):
        mapper(parse_mapping(f'{{"columns": {columns}}}'), ["a"])


def test_a_mapping_survives_being_saved() -> None:
    mapping = suggest(["手机号", "日期"], [["13905712846", "2026-01-01"]], CATALOGUE)
    assert parse_mapping(mapping.text()) == mapping


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", ' "=1', "\t=1", "\r=1"])
def test_cells_that_a_spreadsheet_would_run_are_quoted(text: str) -> None:
    assert safe_cell(text)[0] == "'"
