"""A rule means the same for the whole store and for one person, at the edges above all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from carloop import rules
from carloop.core.scope import Scope
from carloop.kit.clock import to_ms
from carloop.kit.errors import CarloopError
from carloop.rules.comparison import DATE_OPS, LIST_OPS, NUMBER_OPS, TEXT_OPS
from carloop.rules.compiler import Context, members_query
from carloop.rules.history import History, Occurrence
from carloop.sql import Query
from carloop.sql.scope import person
from carloop.stores.clickhouse import ClickHouseStore
from tests.support.people import People

ZONE = ZoneInfo("Asia/Shanghai")
NOWS = [
    datetime(2026, 11, 22, 8, 0, 0, 123_000, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 0, tzinfo=ZONE).astimezone(UTC),
    datetime(2024, 2, 29, 15, 59, 59, 999_000, tzinfo=UTC),
]
EVENTS = ["share", "visit", "order"]
FIELDS = {"level": "text", "城市": "text", "spend": "number", "owner": "boolean",
          "born": "date", "tags": "list", "nowhere": "text"}  # fmt: skip
PROPERTIES = ["channel", "price", "a.b", "渠道 来源", "flags", "due", "absent", "$lib"]
TEXTS = ["", "a", "ab", "b'a", 'q"`\\\n\t{p0:String}', "微信", "%", "3", "true", "007", "-0.5",
         "2026-11-22", "2026-02-30", "2026-11-22T08:00:00.123Z", "2024-02-29 15:59:59"]  # fmt: skip
NUMBERS: list[Any] = [0, 1, 3, -0.5, 3.5, 2**53 + 1, 1e300, 0.1, 123.456]
DATES = ["2026-11-22", "2024-02-29", "1990-02-28", "2026-11-15T08:00:00.123Z",
         "2026-11-22T16:00:00+08:00", "1969-12-31"]  # fmt: skip
WINDOWS: list[Any] = [
    None, {"days": 7}, {"hours": 36}, {"minutes": 1}, {"weeks": 2}, {"months": 1},
    {"from": "2026-11-01T00:00:00", "to": "2026-11-22T16:00:00.123"},
    {"from": "2024-02-29T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    {"calendar": "day"}, {"calendar": "week", "offset": -1}, {"calendar": "month", "offset": -1},
    {"calendar": "quarter"}, {"calendar": "year", "offset": 0},
]  # fmt: skip


def pick(rnd: random.Random, values: list[Any]) -> Any:
    return values[rnd.randrange(len(values))]


def comparison(rnd: random.Random, kind: str) -> dict[str, Any]:
    ops = {"text": TEXT_OPS, "number": NUMBER_OPS, "boolean": ("=", "!=", "exists"),
           "date": DATE_OPS, "list": LIST_OPS}[kind]  # fmt: skip
    op = pick(rnd, list(ops))
    pool = {"text": TEXTS, "number": NUMBERS, "boolean": [True, False], "date": DATES,
            "list": TEXTS}[kind]  # fmt: skip
    if op in ("exists", "not_exists"):
        return {"op": op}
    if op in ("in", "not_in"):
        return {"op": op, "value": [pick(rnd, pool) for _ in range(rnd.randint(1, 3))]}
    if op == "between":
        return {"op": op, "value": [pick(rnd, pool), pick(rnd, pool)]}
    if op in ("in_last", "not_in_last", "in_next", "anniversary_in_next"):
        return {"op": op, "value": {"days": pick(rnd, [1, 7, 366, 4000])}}
    return {"op": op, "value": pick(rnd, pool)}


def where(rnd: random.Random) -> dict[str, Any]:
    kind = pick(rnd, ["text", "text", "number", "boolean", "date", "list"])
    return {"property": pick(rnd, PROPERTIES), **comparison(rnd, kind)}


def rule(rnd: random.Random, depth: int = 3) -> dict[str, Any]:
    kinds = ["performed"] * 4 + ["attribute"] * 3 + ["everyone"]
    kind = pick(rnd, kinds + (["all", "any", "not"] * 4 if depth else []))
    if kind == "performed":
        event = pick(rnd, [*EVENTS, ["visit", "order"]])
        made: dict[str, Any] = {"kind": kind, "event": event}
        if rnd.random() < 0.6:
            made["count"] = {"op": pick(rnd, [">=", ">", "=", "!=", "<", "<="]),
                             "n": rnd.randint(0, 3)}  # fmt: skip
            if rnd.random() < 0.3:
                made["count"]["distinct"] = pick(rnd, PROPERTIES)
        window = pick(rnd, WINDOWS)
        if window:
            made["window"] = window
        made["where"] = [where(rnd) for _ in range(pick(rnd, [0, 0, 1, 1, 2]))]
        return made
    if kind == "attribute":
        name = pick(rnd, list(FIELDS))
        return {"kind": kind, "field": name, **comparison(rnd, FIELDS[name])}
    if kind == "everyone":
        return {"kind": kind}
    if kind == "not":
        return {"kind": kind, "rule": rule(rnd, depth - 1)}
    return {"kind": kind, "rules": [rule(rnd, depth - 1) for _ in range(rnd.randint(1, 3))]}


def edges() -> list[int]:
    """Instants beside every window's edges, for every now."""
    found: set[int] = set()
    for now in NOWS:
        for window in WINDOWS:
            made: Any = rules.parse({"kind": "performed", "event": "x", "window": window})
            bounds = made.bounds(now, ZONE)
            for edge in (bounds.since, bounds.until):
                if edge is not None:
                    found |= {edge - 2, edge - 1, edge, edge + 1}
        found |= {to_ms(now) + 40_000_000, to_ms(now) - 1}
    return sorted(found)


def value(rnd: random.Random) -> Any:
    lists = [[], ["a"], ["a", "微信"], ["a", 1], [1, 2], [None], ["a", None], [True], [1.5], [{}]]
    beside = [edge_text(rnd)]
    return pick(rnd, [*TEXTS, *NUMBERS, *DATES, *lists, *beside, True, False, None, {"b": 1}])


def edge_text(rnd: random.Random) -> str:
    at = pick(rnd, NOWS) + timedelta(days=pick(rnd, [0, -1, 1, -7, 7]),
                                     milliseconds=pick(rnd, [-1, 0, 1]))  # fmt: skip
    return str(at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]) + "Z"


def attribute(rnd: random.Random, kind: str) -> Any:
    if kind == "date":
        text = pick(rnd, [*DATES, edge_text(rnd)])
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    pools: dict[str, list[Any]] = {"text": TEXTS, "number": NUMBERS, "boolean": [True, False]}
    return ["a", "ab", pick(rnd, TEXTS)] if kind == "list" else pick(rnd, pools[kind])


@dataclass
class Population:
    """Histories in memory and the same in the store."""

    store: ClickHouseStore
    tenant: int
    histories: dict[int, History] = field(default_factory=dict)

    def fill(self, rnd: random.Random, size: int) -> None:
        people, times = People(self.store, self.tenant), edges()
        numbers = iter(range(1, 100 * size))
        for _ in range(size):
            fragments = [next(numbers) for _ in range(pick(rnd, [1, 1, 2, 3]))]
            person_number = fragments[0]
            people.person(person_number, fragments)
            occurrences = []
            for _ in range(pick(rnd, [0, 1, 2, 3, 4, 6])):
                names = rnd.sample(PROPERTIES, rnd.randint(0, 4))
                properties = {name: value(rnd) for name in names if name != "absent"}
                event, at = pick(rnd, EVENTS), pick(rnd, times)
                people.event(event, pick(rnd, fragments), at, properties)
                occurrences.append(Occurrence(event, at, properties))
            attributes = {}
            for name in rnd.sample(list(FIELDS), rnd.randint(0, 5)):
                if name == "nowhere":
                    continue
                attributes[name] = attribute(rnd, FIELDS[name])
                loser = attribute(rnd, FIELDS[name])
                people.attribute(fragments[0], name, loser, at=5, rank=1)
                people.attribute(fragments[-1], name, attributes[name], at=5)
            self.histories[person_number] = History(occurrences, attributes, zone=ZONE)
        for at in times:
            people.event(pick(rnd, EVENTS), 0, at, {"channel": "a"})
        people.write()

    def queries(
        self, rnd: random.Random, number: int, depth: int = 3
    ) -> Iterator[tuple[Any, datetime, Query]]:
        for _ in range(number):
            parsed, now = rules.parse(rule(rnd, depth)), pick(rnd, NOWS)
            context = Context(Scope(self.tenant), now, ZONE)
            yield parsed, now, members_query(parsed, context)

    def expected(self, parsed: Any, now: datetime) -> list[int]:
        return sorted(n for n, h in self.histories.items() if parsed.matches(h, now))

    def found(self, query: Query) -> list[int]:
        numbers = self.store.query_numbers(query, Scope(self.tenant))
        return sorted(int(number) for number in numbers)


def agree(population: Population, rnd: random.Random, number: int) -> int:
    told_apart = 0
    for parsed, now, query in population.queries(rnd, number):
        expected = population.expected(parsed, now)
        found = population.found(query)
        assert found == expected, (rules.dump(parsed), now, set(found) ^ set(expected))
        told_apart += 0 < len(expected) < len(population.histories)
    return told_apart


def test_both_meanings_agree_beside_every_edge(event_store: ClickHouseStore, tenant: int) -> None:
    rnd = random.Random(20261122)
    population = Population(event_store, tenant)
    population.fill(rnd, 100)
    assert agree(population, rnd, 60) > 30


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(5))
def test_both_meanings_agree_at_length(
    event_store: ClickHouseStore, tenant: int, seed: int
) -> None:
    rnd = random.Random(seed)
    population = Population(event_store, tenant)
    population.fill(rnd, 200)
    agree(population, rnd, 60)


MUTATIONS = [
    ("occurred_at >= ", "occurred_at > "),
    ("occurred_at < ", "occurred_at <= "),
    ("bitmapAnd(", "bitmapOr("),
    ("bitmapAndnot(", "bitmapAnd("),
    ("bitmapOr(", "bitmapXor("),
    (" >= {", " > {"),
    (" <= {", " < {"),
    (" > {", " >= {"),
    (" < {", " <= {"),
    ("startsWith(", "endsWith("),
    ("position(", "startsWith("),
    ("NOT ifNull", "ifNull"),
    ("NOT (", "("),
    ("argMax(", "argMin("),
    ("-toInt32(rank)", "toInt32(rank)"),
    ("uniqExactIf(tuple(", "countIf(tuple("),
    ("n_b1 >= {", "least(n_b1, 1) >= {"),
    ("'^-?(0|", "'^(0|"),
    ("toString(dynamicElement", "lower(dynamicElement"),
    (" IS NOT NULL", " IS NULL"),
    ("fragment != 0", "1"),
    ("PERSON", "fragment"),
]

FOCUSED: list[dict[str, Any]] = [
    {"kind": "attribute", "field": "level", "op": "starts_with", "value": "a"},
    *(
        {"kind": "performed", "event": EVENTS, "where": [{"property": name, **asked}]}
        for name in PROPERTIES
        for asked in ({"op": "<", "value": 0}, {"op": "contains", "value": "a"})
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m[0])
def test_a_wrong_compiler_is_noticed(
    mutated: tuple[Population, list[tuple[Query, list[int]]]], mutation: tuple[str, str]
) -> None:
    population, cases = mutated
    old, new = mutation
    old = person(population.tenant) if old == "PERSON" else old
    touched = [(q, e) for q, e in cases if old in q.text]
    assert touched, "no rule is compiled to this text"
    assert any(
        result_of(population, Query(q.text.replace(old, new), q.params)) != e for q, e in touched
    )


def result_of(population: Population, query: Query) -> list[int] | str:
    try:
        return population.found(query)
    except CarloopError as error:
        return error.code


@pytest.fixture(scope="module")
def mutated(event_store: ClickHouseStore) -> tuple[Population, list[tuple[Query, list[int]]]]:
    rnd = random.Random(7)
    population = Population(event_store, 4_000_000)
    population.fill(rnd, 150)
    made = [*population.queries(rnd, 80), *population.queries(rnd, 200, depth=0)]
    for document in FOCUSED:
        parsed = rules.parse(document)
        query = members_query(parsed, Context(Scope(population.tenant), NOWS[0], ZONE))
        made.append((parsed, NOWS[0], query))
    return population, [(q, population.expected(r, now)) for r, now, q in made]


def test_every_kind_is_generated() -> None:
    rnd = random.Random(1)
    seen = {type(part) for _ in range(200) for part in rules.walk(rules.parse(rule(rnd)))}
    assert seen == set(rules.KINDS) - {rules.InSegment}
    union = get_args(get_args(rules.Rule)[0])
    assert set(union) == set(rules.KINDS)
