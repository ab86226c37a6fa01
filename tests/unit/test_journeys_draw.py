"""Splits: the same way every time, in the right shares, independent of each other; and paces."""

from __future__ import annotations

import hashlib
import math

from hypothesis import given
from hypothesis import strategies as st

from carloop.engines.journeys.draw import drawn
from carloop.engines.journeys.graph import read_graph
from carloop.engines.journeys.pace import Rate, available, draw, next_at
from carloop.engines.journeys.step import Position, advance, advance_all
from tests.support.story import graph, send, wait

PEOPLE = range(1, 4001)


def test_shares_hold_over_200_salts() -> None:
    """A sample-ratio test at p > .001 (|z| < 3.29) for at least 99 % of the salts."""
    for share in (0.5, 0.1):
        spread = math.sqrt(len(PEOPLE) * share * (1 - share))
        z = [
            (sum(drawn(f"s{n}", share, PEOPLE)) - len(PEOPLE) * share) / spread for n in range(200)
        ]
        assert sum(abs(it) < 3.29 for it in z) >= 198
        assert len({round(it, 6) for it in z}) > 50


def test_splits_are_independent_of_each_other() -> None:
    """Of those in one arm, half are in the other split's first arm: |z| < 3.29 for 99 of 100."""
    z = []
    for n in range(100):
        one, two = drawn(f"a{n}", 0.5, PEOPLE), drawn(f"b{n}", 0.5, PEOPLE)
        inside = [b for a, b in zip(one, two, strict=True) if a]
        z.append((sum(inside) - len(inside) / 2) / math.sqrt(len(inside) / 4))
    assert sum(abs(it) < 3.29 for it in z) >= 99


def test_the_draw_is_the_keyed_hash_it_says() -> None:
    key = hashlib.blake2b(b"7:split", digest_size=32).digest()
    first = hashlib.blake2b((42).to_bytes(8, "big"), digest_size=8, key=key).hexdigest()
    assert drawn("7:split", 0.5, [42]) == [int(first, 16) < 2**63]


def test_a_larger_share_keeps_whoever_was_in() -> None:
    small, large = drawn("s", 0.2, PEOPLE), drawn("s", 0.6, PEOPLE)
    assert all(b for a, b in zip(small, large, strict=True) if a)


def split_graph() -> dict[str, object]:
    """Start, split, a message on each side, one wait for all, and a second round."""
    shape = graph("c", send("one", "c"), send("two", "c"), wait("w", days=1))
    shape["nodes"].append({"id": "split", "kind": "split", "percent": 25})
    shape["edges"] = [
        {"from": "start", "to": "split"},
        {"from": "split", "port": "a", "to": "one"},
        {"from": "split", "port": "b", "to": "two"},
        {"from": "one", "to": "w"},
        {"from": "two", "to": "w"},
        {"from": "w", "to": "split"},
    ]
    shape["nodes"] = [node for node in shape["nodes"] if node["id"] != "end"]
    return shape


def test_many_together_go_where_each_would_go_alone() -> None:
    fits = read_graph(split_graph())
    fits.check()
    at = Position("start", 0)
    together = {}
    for move, who in advance_all(fits, at, 5, lambda _: None, PEOPLE, "7"):
        together.update({PEOPLE[n]: move for n in who})
    assert len(together) == len(PEOPLE)
    for person in PEOPLE[:200]:
        assert advance(fits, at, 5, person=person, realm="7") == together[person]
    again = advance(fits, together[1].position, 86_400_005, person=1, realm="7")
    assert [it.node for it in again.posted] == [it.node for it in together[1].posted]
    assert [it.visit for it in again.posted] == [5]


@given(st.floats(0.01, 500), st.integers(1, 50), st.lists(st.integers(0, 3_000_000), max_size=60))
def test_no_stretch_of_time_sees_more_than_the_rate_allows(
    per_second: float, burst: int, pauses: list[int]
) -> None:
    """Counted by hand over every stretch: at most ``burst`` plus what flows in meanwhile."""
    rate = Rate(per_second, burst)
    free_at, now, left = 0, 1_000_000, []
    for pause in pauses:
        now += pause
        room = available(rate, free_at, now)
        if room:
            assert next_at(rate, free_at) <= now
            free_at = draw(rate, free_at, now, room)
            left.append((now, room))
        else:
            assert next_at(rate, free_at) > now
    for i, (start, _) in enumerate(left):
        for end, _ in left[i:]:
            sent = sum(n for at, n in left if start <= at <= end)
            assert sent <= burst + (end - start) / rate.interval + 1e-9
