"""Dated relations: the same intervals from any order of facts."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from carloop.engines.identity.relations import Fact, Interval, intervals

facts = st.lists(
    st.builds(
        lambda at, who, begins: Fact(at, f"m{at}{who}", begins, who),
        st.integers(0, 9),
        st.integers(1, 3),
        st.booleans(),
    ),
    max_size=15,
)


@given(facts, st.booleans(), st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(log: list[Fact], exclusive: bool, random: Random) -> None:
    shuffled = random.sample(log, len(log)) + random.choices(log, k=2) if log else []
    assert intervals(shuffled, exclusive=exclusive) == intervals(log, exclusive=exclusive)


@given(facts)
def test_an_exclusive_relation_has_one_holder_at_an_instant(log: list[Fact]) -> None:
    found = intervals(log, exclusive=True)
    for at in range(10):
        assert len([i for i in found if i.since <= at and (i.until is None or at < i.until)]) <= 1


def test_a_new_owner_closes_the_old_one() -> None:
    found = intervals([Fact(20, "b", True, 2), Fact(10, "a", True, 1)], exclusive=True)
    assert found == [Interval(1, 10, 20, "a", 0), Interval(2, 20, None, "b", 0)]


def test_drivers_may_share_and_leave() -> None:
    log = [Fact(1, "a", True, 1), Fact(2, "b", True, 2), Fact(5, "c", False, 1)]
    found = intervals(log, exclusive=False)
    assert [(i.subject, i.since, i.until) for i in found] == [(1, 1, 5), (2, 2, None)]


def test_an_owner_confirmed_again_keeps_the_first_date() -> None:
    found = intervals([Fact(1, "a", True, 1), Fact(7, "b", True, 1)], exclusive=True)
    assert [(i.since, i.until) for i in found] == [(1, None)]
