"""Who goes which way at a split: a keyed hash of the person, never chance."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_RANGE = 1 << 64


def drawn(salt: str, share: float, people: Sequence[int]) -> list[bool]:
    """For each person, whether it is within ``share`` (0 to 1) under ``salt``.

    The same person and salt always give the same answer; a larger share keeps whoever was in a
    smaller one; different salts are independent of each other.

    >>> drawn("a", 0.0, [1, 2]), drawn("a", 1.0, [1, 2])
    ([False, False], [True, True])
    """
    base = blake2b(digest_size=8, key=blake2b(salt.encode(), digest_size=32).digest())
    bound = round(share * _RANGE)
    within = []
    for person in people:
        draw = base.copy()
        draw.update(person.to_bytes(8, "big"))
        within.append(int.from_bytes(draw.digest(), "big") < bound)
    return within
