"""Dated relations from facts, whatever order the facts arrive in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Fact(NamedTuple):
    """At ``at`` (milliseconds) ``subject`` began, or ``ends``, its relation to the object.

    Field order is the order of application: time, message, ends before begins, subject.
    """

    at: int
    message_id: str
    begins: bool
    subject: int
    source: int = 0


class Interval(NamedTuple):
    """``subject`` held the relation in ``[since, until)``; ``until`` is ``None`` while it does."""

    subject: int
    since: int
    until: int | None
    message_id: str
    source: int


def intervals(facts: Iterable[Fact], *, exclusive: bool) -> list[Interval]:
    """The intervals that the facts on **one object** add up to.

    Args:
        facts: all of them, in any order, repeats allowed.
        exclusive: a new subject closes the one before it (an owner of a vehicle).
    """
    done: list[Interval] = []
    held: dict[int, Interval] = {}
    for fact in sorted(set(facts)):
        if not fact.begins:
            _close(held, done, fact.subject, fact.at)
            continue
        if fact.subject in held:
            continue
        if exclusive:
            for other in list(held):
                _close(held, done, other, fact.at)
        held[fact.subject] = Interval(fact.subject, fact.at, None, fact.message_id, fact.source)
    return sorted([*done, *held.values()], key=lambda i: (i.since, i.subject))


def _close(held: dict[int, Interval], done: list[Interval], subject: int, at: int) -> None:
    interval = held.pop(subject, None)
    if interval is not None and at > interval.since:
        done.append(interval._replace(until=at))


def spans(parts: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Overlapping or touching ``[since, until)`` parts as one; an open end is ``None``.

    A person is several fragments, and each may hold the same relation for a while.

    >>> spans([(5, 9), (1, 5), (20, None), (30, 31)])
    [(1, 9), (20, None)]
    """
    joined: list[tuple[int, int | None]] = []
    for since, until in sorted(parts, key=lambda part: part[0]):
        if joined and (joined[-1][1] is None or since <= joined[-1][1]):
            first, last = joined[-1]
            joined[-1] = (first, None if last is None or until is None else max(last, until))
        else:
            joined.append((since, until))
    return joined
