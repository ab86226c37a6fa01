"""Every format of a file, row by row; no file, however broken, does harm."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carloop.connectors.feeds.file_places import fits
from carloop.connectors.feeds.file_rows import Item, Reading, Start, declared, items
from carloop.connectors.files.log_lines import LinePattern
from carloop.connectors.files.xml_rows import XmlItem, record_path, xml_rows
from carloop.kit.errors import InvalidInput

ORDERS = [{"order": "1", "buyer": "王明"}, {"order": "2", "buyer": "李,\n雷"}]
FEW = settings(max_examples=150, deadline=None)


def rows(body: bytes, format_: str, start: Start | None = None, **other: Any) -> list[Item]:
    return list(items(io.BytesIO(body), "x", Reading(format_, **other), start or Start()))


def bodies(found: list[Item]) -> list[Any]:
    return [item.code or json.loads(item.body) for item in found]


def as_csv(encoding: str, delimiter: str = ",", dialect: str = "excel") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["order", "buyer"], dialect=dialect, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ORDERS)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("dialect", ["excel", "unix"])
def test_a_text_table_in_any_dress(encoding: str, delimiter: str, dialect: str) -> None:
    body = as_csv(encoding, delimiter, dialect)
    assert bodies(rows(body, "csv")) == ORDERS
    columns = declared(io.BytesIO(body), "x", Reading("csv"))
    assert [column.name for column in columns] == ["order", "buyer"]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b" \x0b"])
def test_a_table_of_nothing(body: bytes) -> None:
    try:
        assert rows(body, "csv") == []
    except InvalidInput as error:
        assert error.code == "file_empty"  # noqa: PT017


def test_workbooks_and_parquet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (["order", "buyer"], *(list(order.values()) for order in ORDERS)):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    pq.write_table(pa.Table.from_pylist(ORDERS), tmp_path / "a.parquet")
    for name in ("a.xlsx", "a.parquet"):
        body = io.BytesIO((tmp_path / name).read_bytes())
        assert bodies(list(items(body, name, Reading("auto")))) == ORDERS
    told = declared(io.BytesIO((tmp_path / "a.parquet").read_bytes()), "a.parquet", Reading("auto"))
    assert [tuple(column) for column in told] == [("order", "string"), ("buyer", "string")]


def test_json_lines_keep_what_they_hold() -> None:
    body = b'{"a":{"b":[1]}}\n\n[1]\n{oops\n{"n":12345678901234567890123}' + b"\n\xff\n"
    found = rows(body, "jsonl")
    assert [item.code for item in found] == [
        "", "not_an_object", "malformed_json", "", "invalid_encoding",
    ]  # fmt: skip
    assert found[0].body == b'{"a":{"b":[1]}}'
    assert b"12345678901234567890123" in found[3].body
    assert rows('{"名":"王"}'.encode("gbk"), "jsonl", encoding="gb18030")[0].body == (
        '{"名":"王"}'.encode()
    )


@pytest.mark.parametrize("format_", ["csv", "jsonl", "log"])
def test_a_file_that_grows_is_continued_at_any_row(format_: str) -> None:
    lines = [b'{"n":"%d"}\n' % n if format_ == "jsonl" else b"%d\n" % n for n in range(9)]
    body = (b"n\n" if format_ == "csv" else b"") + b"".join(lines)
    other: dict[str, Any] = {"growing": True, "pattern": LinePattern(r"^(?P<n>\d+)$")}
    whole = rows(body + b'{"n":"1', format_, **other)
    assert len(whole) == 9, "the line without an end waits"
    for item in whole:
        assert rows(body, format_, Start(item.row, item.end), **other) == whole[item.row :]


def test_an_open_quote_at_the_end_of_a_growing_table_waits() -> None:
    body = b'a,b\n1,2\n3,"begun\nbut not'
    assert [item.row for item in rows(body, "csv", growing=True)] == [1]
    assert rows(body + b'\n done"\n', "csv", growing=True)[1].code == ""


def test_rows_beyond_the_limit_are_set_aside_alone() -> None:
    long = b"x" * 300_000
    assert [item.code for item in rows(b"a\n1\n" + long + b"\n2\n", "csv")] == [
        "", "row_too_long", "",
    ]  # fmt: skip
    found = rows(b'{"a":1}\n{"a":"' + long + b'"}\n{"a":2}\n', "jsonl")
    assert [item.code for item in found] == ["", "row_too_long", ""]
    assert max(len(item.body) for item in found) < 256 * 1024


def test_log_lines_by_named_groups() -> None:
    pattern = LinePattern(r"^(?P<time>\S+) \[(?P<level>\w+)\] (?P<text>.*)$")
    body = "2026-06-01 [INFO] 启动\n  at Main.java:7\n2026-06-02 [WARN] \n".encode("gbk")
    found = rows(body, "log", pattern=pattern)
    assert bodies(found) == [
        {"time": "2026-06-01", "level": "INFO", "text": "启动"},
        "line_unmatched",
        {"time": "2026-06-02", "level": "WARN", "text": ""},
    ]
    assert len(rows(body, "log", pattern=pattern, unmatched=False)) == 2
    assert [item.code for item in rows(b"a\x00b\n", "log", pattern=pattern)] == ["nul"]


@pytest.mark.parametrize("text", ["(", r"(\d+)", "x", r"(?P<a>x)(?=y)", r"(?P<a>x)(?P<a>y)", ""])
def test_a_pattern_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        LinePattern(text)
    assert (caught.value.code, caught.value.path) == ("pattern_invalid", "line_pattern")


@pytest.mark.parametrize(
    "text",
    [r"^(?P<a>(?:a+)+)$", r"^(?P<a>(?:a|aa)+)$", r"(?P<a>(?:.*a){20})b", r"^(?P<x>(?:a?){9}a{9})$"],
)
def test_no_pattern_takes_for_ever(text: str) -> None:
    """Patterns that keep a backtracking engine busy for years (OWASP's ReDoS page)."""
    lines = ["a" * 50_000 + "!"] * 5
    began = time.monotonic()
    assert LinePattern(text).match(lines) == [None] * 5
    assert time.monotonic() - began < 5


def xml(body: bytes, record: str = "orders/order", encoding: str = "auto") -> list[XmlItem]:
    return list(xml_rows(io.BytesIO(body), record_path(record), encoding))


def test_records_of_an_xml_document() -> None:
    body = """<?xml version="1.0" encoding="UTF-8"?>
    <x:orders xmlns:x="urn:dms" xmlns="urn:other"><!-- two -->
      <order id="7" xml:lang="zh"><buyer tel="139">王 <b>明</b></buyer><line>1</line><line/></order>
      <other><order><a>no</a></order></other>
      <order><![CDATA[<plain>&]]></order>
    </x:orders>""".encode()
    assert [item.value for item in xml(body)] == [
        {"@id": "7", "@lang": "zh", "buyer": {"@tel": "139", "b": "明", "#text": "王"},
         "line": ["1", ""]},
        {"#text": "<plain>&"},
    ]  # fmt: skip
    assert [item.value for item in xml(body, "/orders/other/order")] == [{"a": "no"}]
    assert len(xml(body, "order")) == 3
    assert xml(body, "nothing") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gbk", "gb2312", "gb18030"])
def test_xml_in_any_encoding(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><o><r><名>王明</名></r></o>'.encode(
        encoding
    )
    assert [item.value for item in xml(body, "r")] == [{"名": "王明"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'<!DOCTYPE o [<!ENTITY a "b">]><o><r>&a;</r></o>', "xml_forbidden"),
        (b'<!DOCTYPE o SYSTEM "file:///etc/passwd"><o><r/></o>', "xml_forbidden"),
        (b"<o><r>&unknown;</r></o>", "xml_broken"),
        (b"<o><r>1</r><r>2", "xml_broken"),
        (b"", "xml_broken"),
        (b"<o>" * 100, "too_deep"),
        (b"<o><r>\xff</r></o>", "invalid_encoding"),
        (b"<o " + b"x" * 5_000_000, "row_too_long"),
        (b'<o a="' + b"x" * 5_000_000, "row_too_long"),
    ],
)
def test_xml_that_is_refused_says_where(body: bytes, code: str) -> None:
    last = xml(body, "r", "utf-8")[-1]
    assert last.code == code
    assert set(last.value) == {"line", "column"}


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (b"<a>" * 40 + b"</a>" * 40, "too_deep"),
        (b"<a/>" * 3_000, "too_many_keys"),
        (b"x" * 300_000, "row_too_long"),
        (b"<a>" + b"<b>x</b>" * 1_000 + b"x" * 300_000 + b"</a>", "row_too_long"),
    ],
)
def test_a_record_that_is_too_much_leaves_its_neighbours_alone(inner: bytes, code: str) -> None:
    body = b"<o><r>1</r><r>" + inner + b"</r><r>3</r></o>"
    assert [(item.number, item.code) for item in xml(body, "r")] == [(1, ""), (2, code), (3, "")]


NAMES = st.sampled_from(["a", "b", "c"])
TREES: st.SearchStrategy[Any] = st.recursive(
    st.tuples(NAMES, st.text(alphabet="xy ", max_size=4), st.just([])),
    lambda inner: st.tuples(
        NAMES, st.text(alphabet="xy ", max_size=4), st.lists(inner, max_size=3)
    ),
    max_leaves=10,
)


def _element(tree: Any) -> ElementTree.Element:
    element = ElementTree.Element(tree[0])
    element.text = tree[1]
    element.extend(map(_element, tree[2]))
    return element


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [t for v in value for t in _texts(v)] if isinstance(value, list) else [value]


@FEW
@given(st.lists(TREES, max_size=6))
def test_every_text_of_every_record_is_there(trees: list[Any]) -> None:
    """What the standard library's writer wrote, in the order it reads it."""
    root = ElementTree.Element("root")
    for tree in trees:
        record = ElementTree.SubElement(root, "record")
        record.append(_element(tree))
    found = xml(ElementTree.tostring(root), "/root/record")
    assert [item.code for item in found] == [""] * len(trees)
    for item, record in zip(found, root, strict=True):
        wanted = sorted(t.strip() for t in record.itertext() if t.strip())
        assert sorted(text for text in _texts(item.value) if text) == wanted


@FEW
@given(st.binary(max_size=300) | st.text(alphabet="<>/&;![]-ro a='\"?xml\n", max_size=120))
def test_no_xml_surprises(body: bytes | str) -> None:
    raw = body.encode() if isinstance(body, str) else body
    for item in rows(raw, "xml", record=("r",), encoding="utf-8"):
        json.loads(item.body)


@FEW
@given(
    st.binary(max_size=300) | st.text(alphabet='a1,"\n\r;\t\x00é', max_size=100).map(str.encode),
    st.sampled_from(["csv", "jsonl", "log"]),
    st.booleans(),
)
def test_no_lines_surprise(body: bytes, format_: str, growing: bool) -> None:
    pattern = LinePattern(r"^(?P<a>\w*)(?P<rest>.*)$")
    try:
        found = rows(body, format_, pattern=pattern, growing=growing)
    except InvalidInput as error:
        assert error.code  # noqa: PT017
        return
    assert [item.row for item in found] == list(range(1, len(found) + 1))
    ends = [item.end for item in found]
    assert ends == sorted(ends)
    for item in found:
        if not item.code:
            assert isinstance(json.loads(item.body), dict)


@FEW
@given(st.text(alphabet="ab/*?.", max_size=30), st.text(alphabet="ab/*?.", max_size=12))
def test_no_pattern_of_names_surprises(name: str, pattern: str) -> None:
    fits(name, pattern)


def test_a_pattern_of_names_is_quick() -> None:
    began = time.monotonic()
    assert not fits("/".join(["a" * 200] * 12), "**/" + "*a" * 60 + "b/**/*")
    assert time.monotonic() - began < 1
