"""Comparing one value with what a rule asks: every operator once in Python and once in SQL.

A value without the reading an operator needs counts as missing. A missing value satisfies only
``not_exists``, ``!=``, ``not_in`` and ``not_contains``; those are the plain negations of
``exists``, ``=``, ``in`` and ``contains`` and are compiled as such.
"""

from __future__ import annotations

import math
import operator
import re
from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from carloop.kit.clock import from_ms, to_ms
from carloop.rules.reading import Operand, Reading, date_in
from carloop.sql.query import Params

Op = Literal[
    "=", "!=", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with",
    "exists", "not_exists", "<", "<=", ">", ">=", "between", "before", "after",
    "in_last", "not_in_last", "in_next", "anniversary_in_next",
]  # fmt: skip
OPS: tuple[str, ...] = get_args(Op)
IDENTIFYING_OPS = ("=", "!=", "in", "not_in", "exists", "not_exists")
TEXT_OPS = (*IDENTIFYING_OPS, "contains", "not_contains", "starts_with", "ends_with")
NUMBER_OPS = ("=", "!=", "in", "not_in", "<", "<=", ">", ">=", "between", "exists", "not_exists")
BOOLEAN_OPS = ("=", "!=", "exists", "not_exists")
LIST_OPS = ("contains", "not_contains", "exists", "not_exists")
DATE_OPS = (
    "before", "after", "between", "in_last", "not_in_last", "in_next", "anniversary_in_next",
    "exists", "not_exists",
)  # fmt: skip
NEGATED: dict[str, str] = {
    "!=": "=",
    "not_in": "in",
    "not_contains": "contains",
    "not_exists": "exists",
}
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SPAN_OPS = ("in_last", "not_in_last", "in_next", "anniversary_in_next")
_DAY_MS = 86_400_000
_EARLIEST, _LATEST = -(2**53), 2**53
_PLAIN_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Days:
    """A length in days, 1 to 36 600 (anniversaries: at most 366)."""

    days: int

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 36_600:
            raise ValueError("days between 1 and 36600")


Scalar = bool | int | float | str
"""JSON scalars. In an equality ``true`` equals the text ``true`` and the number 1."""
Value = Scalar | tuple[Scalar, ...] | Days | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator and what it compares with.

    Raises:
        ValueError: the operator does not take such a value.
    """

    op: Op
    value: Value = None

    def __post_init__(self) -> None:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        for value in values:
            _check_scalar(value)
        _check_shape(self.op, self.value)

    @property
    def base(self) -> str:
        """The positive operator this one is, or negates."""
        return NEGATED.get(self.op, self.op)

    @property
    def negated(self) -> bool:
        """True where the operator is the plain negation of its base."""
        return self.op in NEGATED

    def holds(self, actual: Reading, now: datetime, zone: ZoneInfo) -> bool:
        """The meaning for one value."""
        return self._base_holds(actual, now, zone) != self.negated

    def base_sql(self, operand: Operand, params: Params, now: datetime, zone: ZoneInfo) -> str:
        """SQL of the base operator, never NULL; a negated one is its complement."""
        return f"ifNull({self._base_sql(operand, params, now, zone)}, 0)"

    def sql(self, operand: Operand, params: Params, now: datetime, zone: ZoneInfo) -> str:
        """SQL of the operator itself, never NULL."""
        text = self.base_sql(operand, params, now, zone)
        return f"NOT {text}" if self.negated else text

    def _base_holds(self, actual: Reading, now: datetime, zone: ZoneInfo) -> bool:
        if self.base == "exists":
            return actual.present
        if self.base in ("=", "in"):
            values = self.value if isinstance(self.value, tuple) else (self.value,)
            return any(_equal(actual, value) for value in values)
        if self.base in ("contains", "starts_with", "ends_with"):
            return self._text_holds(actual)
        if self.base in _ORDER or self._numeric_between:
            return actual.number is not None and self._number_holds(actual.number)
        if actual.date is None:
            return False
        if self.base == "anniversary_in_next":
            at = from_ms(actual.date)
            return at.month * 100 + at.day in self._anniversaries(now, zone)
        since, until = self._instants(now)
        inside = since <= actual.date < until
        return inside != (self.base == "not_in_last")

    def _base_sql(self, operand: Operand, params: Params, now: datetime, zone: ZoneInfo) -> str:
        if self.base == "exists":
            return f"({operand.present})"
        if self.base in ("=", "in"):
            return self._equal_sql(operand, params)
        if self.base in ("contains", "starts_with", "ends_with"):
            return self._text_sql(operand, params)
        if self._numeric_between:
            low, high = (params.add(float(v), "Float64") for v in self._pair())
            return f"({operand.number} >= {low} AND {operand.number} <= {high})"
        if self.base in _ORDER:
            assert isinstance(self.value, int | float)
            return f"({operand.number} {self.base} {params.add(float(self.value), 'Float64')})"
        if self.base == "anniversary_in_next":
            days = params.add(sorted(self._anniversaries(now, zone)), "Array(UInt16)")
            day = f"fromUnixTimestamp64Milli({operand.date}, 'UTC')"
            return f"has({days}, toMonth({day}) * 100 + toDayOfMonth({day}))"
        since, until = (params.add(edge, "Int64") for edge in self._instants(now))
        inside = f"({operand.date} >= {since} AND {operand.date} < {until})"
        return f"NOT {inside}" if self.base == "not_in_last" else inside

    def _text_holds(self, actual: Reading) -> bool:
        assert isinstance(self.value, str)
        text = actual.text
        if self.base == "contains":
            return (text is not None and self.value in text) or self.value in actual.items
        if text is None:
            return False
        return (text.startswith if self.base == "starts_with" else text.endswith)(self.value)

    def _text_sql(self, operand: Operand, params: Params) -> str:
        value = params.add(self.value, "String")
        if self.base == "starts_with":
            return f"startsWith({operand.text}, {value})"
        if self.base == "ends_with":
            return f"endsWith({operand.text}, {value})"
        found = f"ifNull(position({operand.text}, {value}) > 0, 0)"
        return f"({found} OR has({operand.items}, {value}))"

    def _equal_sql(self, operand: Operand, params: Params) -> str:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        texts = [v for v in values if isinstance(v, str)]
        numbers = [float(v) for v in values if isinstance(v, int | float)]
        spelled = ["true" if v else "false" for v in values if isinstance(v, bool)]
        parts = []
        if texts or spelled:
            bound = params.add([*texts, *spelled], "Array(String)")
            parts.append(f"ifNull(has({bound}, {operand.text}), 0)")
        if numbers:
            bound = params.add(numbers, "Array(Float64)")
            parts.append(f"ifNull(has({bound}, {operand.number}), 0)")
        return "(" + " OR ".join(parts) + ")"

    @property
    def _numeric_between(self) -> bool:
        return self.base == "between" and not isinstance(self._pair()[0], str)

    def _pair(self) -> tuple[Scalar, Scalar]:
        assert isinstance(self.value, tuple)
        low, high = self.value
        return low, high

    def _number_holds(self, actual: float) -> bool:
        if self.base == "between":
            low, high = self._pair()
            return float(low) <= actual <= float(high)
        assert isinstance(self.value, int | float)
        return _ORDER[self.base](actual, float(self.value))

    def _instants(self, now: datetime) -> tuple[int, int]:
        """``[since, until)`` in ms of the date operators; a plain date is its whole UTC day."""
        if isinstance(self.value, Days):
            length = self.value.days * _DAY_MS
            edge = to_ms(now) + 1
            return (edge, edge + length) if self.base == "in_next" else (edge - length, edge)
        if self.base == "between":
            low, high = (str(v) for v in self._pair())
            return _first(low), _last(high) + 1
        value = str(self.value)
        return (_EARLIEST, _first(value)) if self.base == "before" else (_last(value) + 1, _LATEST)

    def _anniversaries(self, now: datetime, zone: ZoneInfo) -> set[int]:
        """``month * 100 + day`` of today and the days after it; 29 February falls on the 28th."""
        assert isinstance(self.value, Days)
        today = now.astimezone(zone).date()
        days = [today + timedelta(days=n) for n in range(min(self.value.days, 366))]
        codes = {day.month * 100 + day.day for day in days}
        if any(d.month == 2 and d.day == 28 and not isleap(d.year) for d in days):
            codes.add(229)
        return codes


def _equal(actual: Reading, value: Value) -> bool:
    if isinstance(value, str):
        return actual.text == value
    if isinstance(value, bool) and actual.text == ("true" if value else "false"):
        return True
    return isinstance(value, int | float) and actual.number == float(value)


def _first(text: str) -> int:
    at = date_in(text)
    assert at is not None
    return at


def _last(text: str) -> int:
    return _first(text) + (_DAY_MS - 1 if _PLAIN_DATE.match(text) else 0)


def _check_scalar(value: Scalar | Days | None) -> None:
    if isinstance(value, str):
        if len(value) > 1000:
            raise ValueError("a value has at most 1000 characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("a value must be valid Unicode") from None
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number must be finite")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("a number must fit 64 bits")


def _check_shape(op: str, value: Value) -> None:
    many = value if isinstance(value, tuple) else ()
    if op in ("exists", "not_exists"):
        fits = value is None
    elif op in _SPAN_OPS:
        fits = isinstance(value, Days)
    elif op in ("=", "!="):
        fits = isinstance(value, bool | int | float | str)
    elif op in ("in", "not_in"):
        fits = 1 <= len(many) <= 1000
    elif op == "between":
        fits = len(many) == 2 and (_all_dates(many) or _all_numbers(many))
    elif op in ("before", "after"):
        fits = _all_dates((value,))
    elif op in _ORDER:
        fits = _all_numbers((value,))
    else:
        fits = isinstance(value, str)
    if not fits:
        raise ValueError(f"the value does not fit the operator {op}")


def _all_dates(values: tuple[Value, ...]) -> bool:
    return all(isinstance(v, str) and date_in(v) is not None for v in values)


def _all_numbers(values: tuple[Value, ...]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
