"""Graphs: what is read, what is refused, and that steps are pure."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carloop.core.consent import (
    ANY_CHANNEL,
    MARKETING,
    SERVICE,
    ConsentEntry,
    ConsentState,
    allows,
    current,
)
from carloop.engines.journeys.effects import NodeState, Park
from carloop.engines.journeys.graph import node_schemas, read_graph, write_graph
from carloop.engines.journeys.guards import (
    Allow,
    Cap,
    Defer,
    Expire,
    Facts,
    Policy,
    QuietHours,
    Suppress,
    judge,
    quiet_until,
)
from carloop.engines.journeys.nodes import NODES, EntrySegment, Node, Wait
from carloop.engines.journeys.step import Position, advance
from carloop.engines.journeys.templates import Text, render, render_for, variables
from carloop.kit.clock import from_ms, to_ms
from carloop.kit.errors import InvalidInput
from tests.support.story import graph, send, wait

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def test_the_tuple_and_the_union_name_the_same_nodes() -> None:
    assert get_args(get_args(Node)[0]) == NODES
    assert [it["kind"] for it in node_schemas()] == [
        "entry_segment",
        "wait",
        "send",
        "condition",
        "split",
        "exit",
    ]


def test_a_graph_survives_its_json_form() -> None:
    text = write_graph(read_graph(graph("c", send("a", "c"), wait("w", days=1))))
    assert write_graph(read_graph(text)) == text


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda g: g.update(entry="nowhere"), "entry"),
        (lambda g: g["nodes"].append(dict(g["nodes"][0], id="again")), "nodes"),
        (lambda g: g["nodes"].append({"id": "lonely", "kind": "exit"}), "nodes"),
        (lambda g: g["nodes"].append({"id": "w", "kind": "wait", "days": 1}), "nodes.3"),
        (lambda g: g["edges"].__setitem__(1, {"from": "hello", "to": "hello"}), "nodes"),
    ],
)
def test_what_cannot_run_is_refused_with_its_place(spoil: Any, path: str) -> None:
    shape = graph("c")
    spoil(shape)
    with pytest.raises(InvalidInput) as refused:
        read_graph(shape).check()
    assert (refused.value.code, refused.value.path) == ("graph_invalid", path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda g: g["nodes"].append(g["nodes"][0]),
        lambda g: g["edges"].append(g["edges"][0]),
        lambda g: g["edges"].append({"from": "end", "to": "start"}),
        lambda g: g["edges"].append({"from": "start", "to": "gone", "port": "no"}),
        lambda g: g["nodes"][0].update(kind="teleport"),
        lambda g: g["nodes"][0].update(id="A B"),
        lambda g: g["nodes"][1].update(ttl_hours=0),
        lambda g: g.update(nodes=[g["nodes"][0]] * 201),
        lambda g: g.update(period={"from": "2026-01-01T00:00:00"}),
    ],
)
def test_what_cannot_be_read_is_refused(spoil: Any) -> None:
    shape = graph("c")
    spoil(shape)
    with pytest.raises(InvalidInput) as refused:
        read_graph(shape)
    assert refused.value.code == "graph_invalid"


def test_a_loop_needs_a_wait() -> None:
    shape = graph("c", send("a", "c"), wait("w", days=1))
    shape["edges"][-1] = {"from": "w", "to": "a"}
    shape["nodes"] = [n for n in shape["nodes"] if n["id"] != "end"]
    read_graph(shape).check()
    shape["nodes"][2]["days"] = 0
    with pytest.raises(InvalidInput):
        read_graph(shape).check()


def test_each_round_of_a_loop_has_its_own_visit() -> None:
    shape = graph("c", send("a", "c"), wait("w", days=1))
    shape["edges"][-1] = {"from": "w", "to": "a"}
    shape["nodes"] = [n for n in shape["nodes"] if n["id"] != "end"]
    looped, at, visits = read_graph(shape), Position("start", 0), []
    for day in range(3):
        move = advance(looped, at, day * 86_400_000)
        visits += [it.visit for it in move.posted]
        at = move.position
    assert visits == [1, 3, 5]


@given(st.integers(0, 2**41), st.integers(0, 100), st.integers(-2, 2))
def test_a_wait_holds_to_the_millisecond(arrived: int, hours: int, beside: int) -> None:
    node = Wait(id="w", hours=hours)
    due = arrived + hours * 3_600_000
    effect = node.step(NodeState(arrived), due + beside)
    assert isinstance(effect, Park) is (beside < 0)


def test_a_daily_entry_follows_the_tenants_calendar() -> None:
    node = EntrySegment(id="s", segment="x", reentry="daily")
    before = to_ms(datetime(2026, 11, 22, 15, 59, 59, 999000, tzinfo=UTC))
    assert node.entry_key(before, SHANGHAI) == "d:2026-11-22"
    assert node.entry_key(before + 1, SHANGHAI) == "d:2026-11-23"


GOOD = Facts(MARKETING, 1000, True, True, True, True, False)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Allow()),
        ({"known": False}, Suppress("person_unknown")),
        ({"consented": False}, Suppress("no_consent")),
        ({"address_found": False}, Suppress("no_address")),
        ({"address_found": False, "address_needed": False}, Allow()),
        ({"suppressed": True}, Suppress("suppressed")),
        ({"expires_at": 500}, Expire()),
        ({"expires_at": 501}, Allow()),
        ({"recent": 2}, Suppress("frequency_cap")),
        ({"recent": 2, "purpose": SERVICE}, Allow()),
        ({"consented": False, "purpose": SERVICE}, Suppress("no_consent")),
    ],
)
def test_guards(changed: dict[str, Any], verdict: object) -> None:
    from dataclasses import replace

    policy = Policy(cap=Cap(2, 7))
    assert judge(replace(GOOD, **changed), policy, SHANGHAI, 500) == verdict


@pytest.mark.parametrize("hours", [QuietHours(time(21), time(9)), QuietHours(time(9), time(21))])
@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
@given(now=st.integers(1_767_225_600_000, 1_798_761_600_000))
def test_quiet_hours_end_where_the_clock_says(hours: QuietHours, zone: ZoneInfo, now: int) -> None:
    clock = from_ms(now).astimezone(zone).time()
    night = hours.from_ > hours.to
    quiet = (clock >= hours.from_ or clock < hours.to) if night else hours.from_ <= clock < hours.to
    until = quiet_until(hours, zone, now)
    assert (until is not None) is quiet
    if until is not None:
        assert now < until <= now + 25 * 3_600_000
        assert from_ms(until).astimezone(zone).time() == hours.to
        assert quiet_until(hours, zone, until) is None


def test_quiet_hours_defer() -> None:
    policy = Policy(quiet_hours=QuietHours(time(0), time(9)))
    at = to_ms(datetime(2026, 11, 22, 0, 30, tzinfo=SHANGHAI))
    facts = Facts(MARKETING, at + 1, True, True, True, True, False)
    nine = to_ms(datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI))
    assert judge(facts, policy, SHANGHAI, at) == Defer(nine)


def test_values_never_become_markup_or_variables() -> None:
    template = {"zh": Text("{{name}}", "{{name}}", "<p>{{name}}</p>")}
    sneaky = "<script>{{mobile}}</script>"
    shown = render_for(template, {"name": sneaky, "mobile": "13800138000"})
    assert shown.text == sneaky
    assert shown.html == "<p>&lt;script&gt;{{mobile}}&lt;/script&gt;</p>"


@given(st.text(max_size=50), st.dictionaries(st.sampled_from(["name", "city"]), st.text()))
def test_rendering_never_fails(text: str, values: dict[str, str]) -> None:
    assert isinstance(render(text + "{{name|x}}" + text, values, html=True), str)


def test_languages_and_defaults() -> None:
    template = {"zh": Text("{{name|车主}}您好"), "en": Text("Dear {{ name | driver }}")}
    assert render_for(template, {}).text == "车主您好"
    assert render_for(template, {"language": "en-GB"}).text == "Dear driver"
    assert variables(template) == {"name"}
    for broken in ("{{", "{{Name}}", "{{a.b}}", "{{name|{{x}}}}", "}}"):
        with pytest.raises(InvalidInput):
            variables({"zh": Text(broken)})


def entry(state: str, at: int, channel: str = ANY_CHANNEL, id: int = 0) -> ConsentEntry:
    return ConsentEntry(1, MARKETING, channel, ConsentState(state), "", "", "", at, id)


@pytest.mark.parametrize(
    ("entries", "allowed"),
    [
        ([], False),
        ([entry("granted", 1)], True),
        ([entry("granted", 1), entry("withdrawn", 2)], False),
        ([entry("withdrawn", 2), entry("granted", 1)], False),
        ([entry("granted", 1), entry("withdrawn", 2, "sms")], True),
        ([entry("granted", 1), entry("withdrawn", 2, "email")], False),
        ([entry("withdrawn", 1, "email"), entry("granted", 2)], True),
        ([entry("granted", 1, id=1), entry("withdrawn", 1, id=2)], False),
    ],
)
def test_the_latest_word_on_this_channel_or_all_decides(
    entries: list[ConsentEntry], allowed: bool
) -> None:
    assert allows(current(entries), MARKETING, "email", default=False) is allowed


def test_defaults_where_nothing_was_said() -> None:
    assert allows({}, SERVICE, "email", default=False)
    assert not allows({}, "research", "email", default=False)
    assert allows({}, MARKETING, "email", default=True)
