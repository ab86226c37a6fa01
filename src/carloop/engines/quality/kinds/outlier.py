"""``outlier``: a number far from where the others of its column lie."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Late, Row
from carloop.engines.quality.values import number_in

LEAST_VALUES = 30
"""Fewer numbers than this tell nothing of where a column lies."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """Fault: ``outlier``.

    ``limit``: of the absolute modified z-score; see :func:`fences`.
    """

    field: str
    limit: float = 3.5
    kind: Literal["outlier"] = "outlier"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= 1000:
            raise ValueError("limit between 1 and 1000")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Collects numbers; judges at the end."""
        return _Far(self)


class _Far(CellCheck):
    def __init__(self, rule: Outlier) -> None:
        super().__init__(rule.field)
        self._limit = rule.limit
        self._values = array("d")
        self._numbers = array("q")
        self._number = 0

    def look(self, number: int, row: Row) -> str | None:
        self._number = number
        return super().look(number, row)

    def judge(self, value: Any, row: Row) -> str | None:
        found = number_in(value)
        if found is None:
            return None
        self._values.append(found)
        self._numbers.append(self._number)
        return GOOD

    def late(self) -> Iterable[Late]:
        between = fences(self._values, self._limit)
        if between is None:
            return
        for number, value in zip(self._numbers, self._values, strict=True):
            if not between[0] <= value <= between[1]:
                yield Late(number, "outlier", value)


def fences(values: Sequence[float], limit: float = 3.5) -> tuple[float, float] | None:
    """The bounds beyond which a number is an outlier; None where nothing can be said.

    The modified z-score 0.6745 (x − median) ÷ MAD beyond ±``limit``, MAD being the median of the
    absolute deviations from the median. Where more than half of the numbers are equal (MAD 0),
    Tukey's outer fences: three interquartile ranges beyond the quartiles.

    Source: Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers; Tukey (1977),
    Exploratory Data Analysis.

    >>> [round(bound, 3) for bound in fences([float(n) for n in range(31)])]
    [-26.512, 56.512]
    >>> fences([1.0] * 31) is None
    True
    """
    if len(values) < LEAST_VALUES:
        return None
    numbers = np.asarray(values, dtype=np.float64)
    middle = float(np.median(numbers))
    mad = float(np.median(np.abs(numbers - middle)))
    if mad > 0:
        reach = limit * mad / 0.6745
        return middle - reach, middle + reach
    low, high = (float(quartile) for quartile in np.quantile(numbers, (0.25, 0.75)))
    return (low - 3 * (high - low), high + 3 * (high - low)) if high > low else None
