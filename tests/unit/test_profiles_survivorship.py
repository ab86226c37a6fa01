"""Which value survives: any order of the writes gives the same profile."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from carloop.app.persons.profiles import beats, pack, unpack
from carloop.engines.identity.survivorship import (
    FieldState,
    Stamp,
    Value,
    Winner,
    Write,
    fold,
    winner,
)

writes = st.lists(
    st.builds(
        lambda op, value, at, rank: (op, value, at, rank),
        st.sampled_from(["set", "set_once", "increment", "append", "unset", "delete"]),
        st.integers(0, 5),
        st.integers(0, 6),
        st.integers(0, 2),
    ),
    max_size=12,
)


def write(op: str, value: Value, at: int, rank: int = 0, message: str = "") -> Write:
    return Write(op, value, Stamp(at, message or f"{op}-{at}"), rank)


def value_of(*log: Write) -> Value | None:
    found = winner(fold(FieldState(), log))
    return found.value if found else None


@given(writes, st.randoms(use_true_random=False))
def test_any_order_in_any_batches_gives_the_same_state(
    drawn: list[tuple[str, int, int, int]], random: Random
) -> None:
    log = [
        write(op, [str(v)] if op == "append" else v, at, rank, f"m{n}")
        for n, (op, v, at, rank) in enumerate(drawn)
    ]
    state = FieldState()
    for one in random.sample(log, len(log)):
        state = unpack(pack(fold(state, [one])))
    assert state == fold(FieldState(), log)


def test_the_last_set_wins_and_the_first_set_once() -> None:
    assert value_of(write("set", "b", 2), write("set", "a", 1)) == "b"
    assert value_of(write("set_once", "b", 2), write("set_once", "a", 1)) == "a"
    assert value_of(write("set", "s", 1), write("set_once", "o", 2)) == "s"


def test_of_one_instant_the_larger_message_id_wins() -> None:
    assert value_of(write("set", "b", 1, 0, "m2"), write("set", "a", 1, 0, "m1")) == "b"


def test_a_better_source_wins_over_a_later_one() -> None:
    assert value_of(write("set", "dms", 1, 0), write("set", "web", 9, 1)) == "dms"


def test_increments_add_to_what_was_set_before_them() -> None:
    assert value_of(write("increment", 2, 1), write("increment", 3, 2)) == 5
    assert value_of(write("increment", 2, 1), write("set", 10, 2), write("increment", 1, 3)) == 11


def test_lists_grow_without_repeats() -> None:
    log = [write("append", ["a", "b"], 1), write("append", ["b", "c"], 2)]
    assert value_of(*log) == ["a", "b", "c"]
    assert value_of(write("set", ["x"], 1), write("append", ["a"], 2)) == ["x", "a"]


def test_unset_and_delete_take_away_what_was_before() -> None:
    assert value_of(write("set", "a", 1), write("unset", 0, 2)) is None
    assert value_of(write("unset", 0, 2), write("set", "late", 1)) is None
    assert value_of(write("delete", 0, 2), write("set", "new", 3)) == "new"


def test_many_increments_keep_their_sum() -> None:
    assert value_of(*[write("increment", 1, n) for n in range(500)]) == 500


def test_among_fragments_the_rules_are_the_same() -> None:
    def of(*log: Write) -> Winner:
        found = winner(fold(FieldState(), log))
        assert found is not None
        return found

    early, late = of(write("set_once", "a", 1)), of(write("set_once", "b", 2))
    assert beats(early, late)
    assert beats(of(write("set", "s", 1)), early)
    assert beats(of(write("set", "s", 2)), of(write("set", "t", 1)))
