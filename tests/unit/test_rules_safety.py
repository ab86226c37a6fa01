"""Rules as text: nothing a person types reaches the SQL; limits; words; the JSON form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from carloop import rules
from carloop.core.person_fields import CORE_FIELDS
from carloop.core.scope import Scope
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import Params
from carloop.kit.errors import InvalidInput
from carloop.rules.compiler import Context, count_query
from carloop.rules.reading import check_property
from carloop.rules.words import PlainNames
from carloop.sql.query import Params as Values
from carloop.sql.scope import events

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PARAMS = TypeAdapter(Params)
CONTEXT = Context(Scope(1, {"dealer": frozenset({3})}), NOW, ZoneInfo("Asia/Shanghai"))
CORPUS = [
    "' OR 1=1 --", "'; DROP TABLE events; --", "`x` OR 1", "{p0:String}", "\\', 1) --", "*/ x /*",
    "a\x00b", "%' UNION ALL SELECT 1", "$$x$$", "\u2018 OR 1", "file('/etc/passwd')",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(CORPUS), st.text(st.characters(exclude_categories=["Cs"])))


def shape(text: str, name: str, other: str) -> dict[str, Any]:
    return {
        "kind": "all",
        "rules": [
            {"kind": "attribute", "field": name, "op": "contains", "value": text},
            {"kind": "performed", "event": other, "count": {"op": ">=", "n": 2, "distinct": "x"},
             "where": [{"property": "p", "op": "in", "value": [text, other]},
                       {"property": "q", "op": "starts_with", "value": text}]},
        ],
    }  # fmt: skip


@given(TEXT, TEXT.filter(lambda t: 1 <= len(t) <= 100), TEXT.filter(lambda t: 1 <= len(t) <= 100))
def test_compiled_text_depends_on_the_shape_alone(text: str, name: str, other: str) -> None:
    query = count_query(rules.parse(shape(text[:900], name, other)), CONTEXT)
    plain = count_query(rules.parse(shape("a", "b", "c")), CONTEXT)
    assert query.text == plain.text
    assert query.params.keys() == plain.params.keys()


@given(TEXT)
def test_a_property_name_is_bound_or_refused(name: str) -> None:
    rule = {"kind": "performed", "event": "e", "where": [{"property": name, "op": "exists"}]}
    try:
        check_property(name)
    except ValueError:
        with pytest.raises(InvalidInput):
            rules.parse(rule)
        return
    plain = {"kind": "performed", "event": "e", "where": [{"property": "p", "op": "exists"}]}
    texts = {count_query(rules.parse(r), CONTEXT).text for r in (rule, plain)}
    assert len(texts) == 1
    assert not set(name) & set("`'\"\\[]\0\n")


@pytest.mark.parametrize("name", ["", ".", "a..b", "a.", "^a", "a.:`Int64`", "a`b", "x[]", "a\nb"])
def test_names_that_are_no_paths_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="property name"):
        check_property(name)


def test_funnel_text_depends_on_the_shape_alone() -> None:
    def text(event: str, value: str, name: str) -> str:
        document = {
            "steps": [{"event": event, "where": [{"property": name, "op": "=", "value": value}]}]
            * 2,
            "breakdown": {"property": name},
            "filter": shape(value, event, event),
        }
        params: Params = PARAMS.validate_python(document)
        return "".join(q.text for q in Funnel().to_queries(params, CONTEXT).values())

    assert {text(bad, bad, "渠道 x") for bad in CORPUS} == {text("a", "b", "c")}


def test_every_read_holds_tenant_and_rights() -> None:
    values = Values()
    text = events(Scope(7, {"dealer": frozenset({3}), "region": frozenset()}), values)
    assert text.count("FROM grants FINAL") == 2
    assert sorted(map(str, values.values.values())) == sorted(
        ["dealer", "dealer", "region", "region", "7", "7", "7", "[3]", "[]", "[0, 3]", "[0]"]
    )


BAD: list[Any] = [
    None, 5, [], {}, {"kind": "all"}, {"kind": "all", "rules": []}, {"kind": "nothing"},
    {"kind": "everyone", "more": 1}, {"kind": "attribute", "field": "", "op": "exists"},
    {"kind": "attribute", "field": "a", "op": "<", "value": "x"},
    {"kind": "attribute", "field": "a", "op": "=", "value": float("nan")},
    {"kind": "attribute", "field": "a", "op": "=", "value": 10**400},
    {"kind": "attribute", "field": "a", "op": "=", "value": "\ud800"},
    {"kind": "attribute", "field": "a", "op": "in", "value": []},
    {"kind": "attribute", "field": "a", "op": "in_last", "value": {"days": 0}},
    {"kind": "performed", "event": "e", "window": {"days": 1, "hours": 2}},
    {"kind": "performed", "event": "e", "window": {"days": 10**9}},
    {"kind": "performed", "event": "e", "window": {"from": "2026-02-01", "to": "2026-01-01"}},
    {"kind": "performed", "event": []},
    {"kind": "all", "rules": [{"kind": "everyone"}] * 300},
]  # fmt: skip


@pytest.mark.parametrize("document", BAD, ids=lambda d: str(d)[:60])
def test_bad_rules_say_so(document: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        rules.parse(document)
    assert error.value.code == "invalid_rule"


def test_depth_is_limited_however_deep_it_goes() -> None:
    document: dict[str, Any] = {"kind": "everyone"}
    for _ in range(9):
        document = {"kind": "not", "rule": document}
    rules.parse(document)
    for _ in range(100_000):
        document = {"kind": "not", "rule": document}
    with pytest.raises(InvalidInput, match="deep"):
        rules.parse(document)


def test_a_rule_survives_its_json_form() -> None:
    rule = rules.parse(shape("a", "b", "c"))
    assert rules.parse(rules.dump(rule)) == rule


def test_identifying_fields_allow_equality_and_presence_only() -> None:
    fields = {f.name: f for f in CORE_FIELDS}
    allowed = {"kind": "attribute", "field": "mobile", "op": "=", "value": "1"}
    rules.check(rules.parse(allowed), fields)
    refused = rules.parse(allowed | {"op": "contains"})
    with pytest.raises(InvalidInput) as error:
        rules.check(refused, fields)
    assert error.value.code == "operator_not_allowed"


def test_sentences() -> None:
    rule = rules.parse(
        {"kind": "all", "rules": [
            {"kind": "performed", "event": "分享", "count": {"op": ">=", "n": 3},
             "window": {"days": 90}},
            {"kind": "not", "rule": {"kind": "performed", "event": "order"}},
            {"kind": "attribute", "field": "level", "op": "in", "value": ["A", "B"]},
        ]}
    )  # fmt: skip
    assert rule.sentence("zh", PlainNames()) == (
        "最近 90 天内「分享」至少 3 次 且 不满足（做过「order」） 且 level属于 A、B"
    )
    assert rule.sentence("en", PlainNames()) == (
        'did "分享" at least 3 times in the last 90 days and not (did "order") '
        "and level is one of A, B"
    )


def test_a_sentence_puts_only_what_is_joined_within_it_in_parentheses() -> None:
    a, b, c = ({"kind": "in_segment", "segment": name} for name in "abc")
    either = {"kind": "any", "rules": [a, b]}
    wrapped = {"kind": "all", "rules": [{"kind": "any", "rules": [either]}, c]}
    rule = rules.parse({"kind": "all", "rules": [wrapped]})
    assert rule.sentence("en", PlainNames()) == (
        '(is in segment "a" or is in segment "b") and is in segment "c"'
    )
    assert (
        rule.sentence("zh", PlainNames()) == "（属于人群「a」 或 属于人群「b」） 且 属于人群「c」"
    )


@pytest.mark.parametrize(
    ("window", "since", "until"),
    [
        ({"days": 7}, "2026-11-15T08:00:00.001+00:00", "2026-11-22T08:00:00.001+00:00"),
        ({"months": 9}, "2026-02-22T08:00:00.001+00:00", "2026-11-22T08:00:00.001+00:00"),
        ({"calendar": "month", "offset": -1}, "2026-10-01T00:00+08:00", "2026-11-01T00:00+08:00"),
        ({"calendar": "week"}, "2026-11-16T00:00+08:00", "2026-11-23T00:00+08:00"),
        ({"calendar": "quarter"}, "2026-10-01T00:00+08:00", "2027-01-01T00:00+08:00"),
        ({"from": "2026-01-01T00:00:00", "to": "2026-02-01T00:00:00Z"}, None, None),
    ],
)
def test_windows(window: dict[str, Any], since: str | None, until: str | None) -> None:
    document = {"kind": "performed", "event": "e", "window": window}
    if since is None or until is None:
        with pytest.raises(InvalidInput):
            rules.parse(document)
        return
    rule = rules.parse(document)
    assert isinstance(rule, rules.Performed)
    bounds = rule.bounds(NOW, CONTEXT.zone)
    expected = [round(datetime.fromisoformat(t).timestamp() * 1000) for t in (since, until)]
    assert [bounds.since, bounds.until] == expected
