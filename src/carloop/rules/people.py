"""Sets of persons as SQL: bitmaps and complements, so that everyone is counted at most once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EMPTY = "bitmapBuild(emptyArrayUInt32())"


@dataclass(frozen=True, slots=True)
class People:
    """The persons of a bitmap expression, or all the others.

    ``bitmap`` None is the empty set. Complements stay symbolic: ``all`` of "did X" and "did not
    do Y" becomes ``bitmapAndnot`` and never needs the whole population.
    """

    bitmap: str | None
    complement: bool = False

    def inverted(self) -> People:
        """Everybody else."""
        return People(self.bitmap, not self.complement)

    def sql(self, everyone: str) -> str:
        """The bitmap itself; ``everyone`` is the bitmap a complement is taken of."""
        if not self.complement:
            return self.bitmap or EMPTY
        return f"bitmapAndnot({everyone}, {self.bitmap})" if self.bitmap else everyone


NOBODY = People(None)
EVERYONE = People(None, complement=True)


def every(sets: Iterable[People]) -> People:
    """Persons who are in all the sets.

    >>> every([People("a"), People("b", complement=True)])
    People(bitmap='bitmapAndnot(a, b)', complement=False)
    """
    sets = [s for s in sets if s != EVERYONE]
    inside = [s.bitmap for s in sets if not s.complement]
    outside = _fold("bitmapOr", [s.bitmap for s in sets if s.complement and s.bitmap])
    if not inside:
        return People(outside, complement=True)
    if None in inside:
        return NOBODY
    both = _fold("bitmapAnd", [b for b in inside if b])
    return People(f"bitmapAndnot({both}, {outside})" if outside else both)


def some(sets: Iterable[People]) -> People:
    """Persons who are in at least one of the sets.

    >>> some([People("a"), People("b")])
    People(bitmap='bitmapOr(a, b)', complement=False)
    """
    return every([s.inverted() for s in sets]).inverted()


def _fold(function: str, bitmaps: list[str]) -> str | None:
    if not bitmaps:
        return None
    folded = bitmaps[0]
    for bitmap in bitmaps[1:]:
        folded = f"{function}({folded}, {bitmap})"
    return folded
