"""The funnel against an independent count in plain Python, on tables made of ties and repeats."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from carloop.core.scope import Scope
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import Bar, Params, Result
from carloop.kit.clock import to_ms
from carloop.rules.compiler import Context
from carloop.rules.history import UTC_ZONE
from carloop.stores.clickhouse import ClickHouseStore
from tests.conftest import NOW
from tests.support.people import People

TABLES, PERSONS = 100, 12
PARAMS = TypeAdapter(Params)
START = NOW - timedelta(days=1)


@dataclass
class Event:
    name: str
    at: int
    seq: int
    channel: str | None


@dataclass
class Table:
    """One random table: its events by canonical person, and the funnel asked of it."""

    params: Params
    document: dict[str, Any]
    persons: dict[int, list[Event]] = field(default_factory=dict)


def document(rnd: random.Random, prefix: str) -> dict[str, Any]:
    names = [f"{prefix}{n}" for n in "abc"]
    steps: list[dict[str, Any]] = []
    for _ in range(rnd.randint(1, 5)):
        step: dict[str, Any] = {"event": rnd.choice(names)}
        if rnd.random() < 0.3:
            step["where"] = [{"property": "channel", "op": rnd.choice(["=", "!="]), "value": "x"}]
        steps.append(step)
    made: dict[str, Any] = {"steps": steps, "window": {"seconds": rnd.choice([1, 2, 3])}}
    if rnd.random() < 0.5:
        made["from"] = (START + timedelta(seconds=1)).isoformat()
        made["to"] = (START + timedelta(seconds=rnd.choice([3, 5]))).isoformat()
    made["breakdown"] = {"property": "channel"}
    return made


def fill(people: People, rnd: random.Random) -> list[Table]:
    tables, numbers = [], iter(range(1, 10**6))
    for index in range(TABLES):
        prefix = f"t{index}_"
        made = document(rnd, prefix)
        table = Table(PARAMS.validate_python(made), made)
        for _ in range(PERSONS):
            fragments = [next(numbers) for _ in range(rnd.choice([1, 1, 2, 3]))]
            for _ in range(rnd.randint(0, 3) * 4096 if rnd.random() < 0.02 else 0):
                next(numbers)
            people.person(fragments[0], fragments)
            events = table.persons.setdefault(fragments[0], [])
            for _ in range(rnd.randint(0, 9)):
                name = prefix + rnd.choice("abc")
                at = to_ms(START) + 500 * rnd.randint(0, 12) + rnd.choice([0, 0, 0, -1, 1])
                channel = rnd.choice(["x", "y", None])
                properties = {} if channel is None else {"channel": channel}
                people.event(name, rnd.choice(fragments), at, properties)
                events.append(Event(name, at, people.seq, channel))
            events.sort(key=lambda e: (e.at, e.seq))
        tables.append(table)
    people.write()
    return tables


def fits(params: Params, k: int, event: Event) -> bool:
    step = params.steps[k]
    same = all((event.channel == "x") == (where.op == "=") for where in step.where)
    return event.name == step.event and same


def attempts(params: Params, events: list[Event]) -> list[tuple[int, list[int]]]:
    """Per entry, the earliest event of every step it reaches: ``(entry, [positions])``."""
    found = []
    since = to_ms(params.since) if params.since else 0
    until = to_ms(params.until) if params.until else 2**62
    for entry, event in enumerate(events):
        if not fits(params, 0, event) or not since <= event.at < until:
            continue
        positions = [entry]
        for k in range(1, len(params.steps)):
            following = (
                n
                for n in range(positions[-1] + 1, len(events))
                if fits(params, k, events[n]) and events[n].at <= event.at + params.window.ms
            )
            position = next(following, None)
            if position is None:
                break
            positions.append(position)
        found.append((entry, positions))
    return found


def expected(table: Table) -> tuple[dict[int, int], list[int | None], dict[int, str | None]]:
    """Level per person, median per step, channel of the first entry per person."""
    reached: dict[int, int] = {}
    channels: dict[int, str | None] = {}
    times: list[list[int]] = [[] for _ in table.params.steps]
    for person, events in table.persons.items():
        tried = attempts(table.params, events)
        if not tried:
            continue
        reached[person] = max(len(positions) for _, positions in tried)
        channels[person] = events[tried[0][0]].channel
        for k in range(1, reached[person]):
            first = min(p[k] for _, p in tried if len(p) > k)
            entry = max(e for e, p in tried if len(p) > k and p[k] == first)
            times[k].append(events[first].at - events[entry].at)
    medians = [sorted(t)[len(t) // 2] if t else None for t in times]
    return reached, medians, channels


def ask(store: ClickHouseStore, context: Context, params: Params) -> Result:
    funnel = Funnel()
    queries = funnel.to_queries(params, context)
    scope = Scope(context.rights.tenant)
    rows = {name: store.query(query, scope).dicts() for name, query in queries.items()}
    return funnel.shape(params, rows)


def people_of(store: ClickHouseStore, context: Context, params: Params, bar: Bar) -> list[int]:
    query = Funnel().persons(params, context, bar)
    return sorted(map(int, store.query_numbers(query, Scope(context.rights.tenant))))


def test_counts_people_and_medians_equal_the_oracle(
    event_store: ClickHouseStore, tenant: int
) -> None:
    rnd = random.Random(8)
    tables = fill(People(event_store, tenant), rnd)
    context = Context(Scope(tenant), NOW, UTC_ZONE)
    converted = 0
    for table in tables:
        params, steps = table.params, len(table.params.steps)
        reached, medians, channels = expected(table)
        result = ask(event_store, context, params)
        counts = [sum(level >= k for level in reached.values()) for k in range(1, steps + 1)]
        assert [s.count for s in result.steps] == counts, table.document
        assert [s.median_ms for s in result.steps] == medians, table.document
        converted += steps > 1 and counts[-1] > 0
        parts = {part.value: [s.count for s in part.steps] for part in result.breakdown}
        for value in {*channels.values()}:
            inside = {p: level for p, level in reached.items() if channels[p] == value}
            assert parts[value] == [
                sum(level >= k for level in inside.values()) for k in range(1, steps + 1)
            ]
        step = rnd.randint(1, steps)
        bar = Bar(step, split=True, value="x")
        inside = {p: level for p, level in reached.items() if channels[p] == "x"}
        assert people_of(event_store, context, params, bar) == sorted(
            p for p, level in inside.items() if level >= step
        )
        if step > 1:
            dropped = people_of(event_store, context, params, Bar(step, dropped=True))
            assert dropped == sorted(p for p, level in reached.items() if level == step - 1)
    assert converted > 20


@pytest.mark.parametrize(
    ("gap_ms", "count"), [(7 * 86_400_000 - 1, 1), (7 * 86_400_000, 1), (7 * 86_400_000 + 1, 0)]
)
def test_both_edges_of_the_window_are_in(
    event_store: ClickHouseStore, tenant: int, gap_ms: int, count: int
) -> None:
    people = People(event_store, tenant)
    people.person(1)
    start = to_ms(NOW) - 20 * 86_400_000
    people.event("lead", 1, start)
    people.event("order", 1, start + gap_ms)
    people.write()
    params = PARAMS.validate_python({"steps": [{"event": "lead"}, {"event": "order"}]})
    context = Context(Scope(tenant), NOW, UTC_ZONE)
    assert [s.count for s in ask(event_store, context, params).steps] == [1, count]


def test_one_event_serves_one_step(event_store: ClickHouseStore, tenant: int) -> None:
    people = People(event_store, tenant)
    people.person(1)
    people.event("visit", 1, datetime(2026, 11, 1, tzinfo=NOW.tzinfo))
    people.write()
    params = PARAMS.validate_python({"steps": [{"event": "visit"}, {"event": "visit"}]})
    context = Context(Scope(tenant), NOW, UTC_ZONE)
    assert [s.count for s in ask(event_store, context, params).steps] == [1, 0]


def test_other_gathers_what_is_beyond_the_first_ten(
    event_store: ClickHouseStore, tenant: int
) -> None:
    people = People(event_store, tenant)
    for number in range(1, 31):
        people.person(number)
        people.event("visit", number, NOW, {"city": f"c{max(0, number - 18):02}"})
    people.write()
    params = PARAMS.validate_python(
        {"steps": [{"event": "visit"}], "breakdown": {"property": "city"}}
    )
    context = Context(Scope(tenant), NOW, UTC_ZONE)
    parts = ask(event_store, context, params).breakdown
    assert [(p.value, p.other, p.steps[0].count) for p in parts[:2]] == [
        ("c00", False, 18),
        ("c01", False, 1),
    ]
    assert (len(parts), parts[-1].other, parts[-1].steps[0].count) == (11, True, 3)
    others = tuple(part.value for part in parts[:-1])
    bar = Bar(1, split=True, others=others)
    assert people_of(event_store, context, params, bar) == [28, 29, 30]
