"""The exact ordered funnel: who did the steps in order, within a window from their entry.

An attempt is an entry (an event of the first step) and, for each further step, a later event; one
event serves one step, and events of the same millisecond are ordered by their sequence. A step is
reached within ``[t0, t0 + window]``, both edges in. Every entry is tried, not just the first.

Method: persons are packed into buckets of 4 096, each one sorted array of numbers ``person | time |
sequence | steps``; the latest entry that got this far is carried along the array per step, so that
one pass answers exactly at the cost of ``windowFunnel``, which is wrong on ties and overlaps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from carloop.engines.analytics.params import Rows
from carloop.engines.analytics.sequence import Sequence, levels, medians, reached
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput
from carloop.rules import RuleDocument
from carloop.rules.compiler import Context, persons_of
from carloop.rules.kinds.performed import Where
from carloop.rules.reading import check_property, property_operand
from carloop.rules.scans import winners
from carloop.sql import Query
from carloop.sql.query import Params as Values
from carloop.sql.scope import events, person
from carloop.sql.select import both, either, nested, select, with_tables

MAX_SPAN_MS = 2**36 - 2
"""About 795 days: what entry range and window may span together (36 bits of time)."""
DEFAULT_DAYS = 365
TOP_VALUES = 10
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: an event whose properties satisfy every condition."""

    event: str
    where: tuple[Where, ...] = ()

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.event) <= 200 or len(self.where) > 20:
            raise ValueError("an event of 1 to 200 characters and at most 20 conditions")


@dataclass(frozen=True, slots=True)
class Length:
    """An elapsed time; exactly one unit. A month is 30 days."""

    seconds: int | None = None
    minutes: int | None = None
    hours: int | None = None
    days: int | None = None
    weeks: int | None = None
    months: int | None = None

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        given = [n for n in self._units().values() if n is not None]
        if len(given) != 1 or not 1 <= given[0] <= 100_000_000:
            raise ValueError("exactly one unit, at least 1")

    @property
    def ms(self) -> int:
        """In milliseconds."""
        lengths = {**_SECONDS, "months": 30 * 86_400}
        return 1000 * sum(lengths[unit] * (n or 0) for unit, n in self._units().items())

    def _units(self) -> dict[str, int | None]:
        return {unit: getattr(self, unit) for unit in (*_SECONDS, "months")}


@dataclass(frozen=True, slots=True)
class Breakdown:
    """By a property of a person's first entry, or by a profile field; exactly one."""

    property: str | None = None
    field: str | None = None

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if (self.property is None) == (self.field is None):
            raise ValueError("a property or a field")
        if self.property is not None:
            check_property(self.property)


@dataclass(frozen=True, slots=True)
class Params:
    """What a funnel is asked with.

    Attributes:
        since: entries from here on; a year before ``until`` where absent. JSON ``from``.
        until: entries before this; now where absent. JSON ``to``.
        filter: only persons this rule means.
    """

    steps: tuple[Step, ...]
    window: Length = Length(days=7)
    since: Annotated[datetime | None, Field(alias="from")] = None
    until: Annotated[datetime | None, Field(alias="to")] = None
    breakdown: Breakdown | None = None
    filter: RuleDocument | None = None
    entity: Literal["person"] = "person"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= 12:
            raise ValueError("1 to 12 steps")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the chart: persons who reached ``step`` (from 1).

    Attributes:
        dropped: instead those who reached the step before, but not this one.
        split: limit to one part of the breakdown.
        value: the part's value; None: persons without one.
        others: not these values: what the chart shows as "other".
    """

    step: int
    dropped: bool = False
    split: bool = False
    value: str | None = None
    others: tuple[str | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: persons who reached it, of those who entered, and of the step before.

    ``median_ms``: the middle time from entry to the first time the step is reached.
    """

    event: str
    count: int
    conversion: float | None
    from_previous: float | None
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One value of the breakdown; ``other`` gathers those beyond the first ten."""

    value: str | None
    other: bool
    steps: tuple[StepResult, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The funnel, and its parts where it was broken down."""

    steps: tuple[StepResult, ...]
    breakdown: tuple[Part, ...]


class Funnel:
    """The ordered funnel as an analysis model."""

    name = "funnel"

    def to_queries(self, params: Params, context: Context) -> Mapping[str, Query]:
        """``total`` and ``medians``: one row each; ``parts``: one per value, largest first.

        Raises:
            InvalidInput: ``funnel_range``, ``funnel_span``.
        """
        queries = {"total": self._query(params, context, reached)}
        if len(params.steps) > 1:
            queries["medians"] = self._query(params, context, medians)
        if params.breakdown:
            queries["parts"] = self._parts(params, context)
        return queries

    def persons(self, params: Params, context: Context, bar: Bar) -> Query:
        """The persons of one bar: a ``UInt32`` column ``person``, in no order.

        Raises:
            InvalidInput: ``funnel_step``, ``funnel_range``, ``funnel_span``.
        """
        least = 2 if bar.dropped else 1
        if not least <= bar.step <= len(params.steps):
            raise InvalidInput("no such step", code="funnel_step")
        values = Values()
        tables = self._tables(params, context, values)
        level = values.add(bar.step - 1 if bar.dropped else bar.step, "UInt8")
        where = [f"level = {level}" if bar.dropped else f"level >= {level}"]
        source = "levels"
        if bar.split and params.breakdown:
            source = "levels LEFT JOIN parts USING (person)"
            tables["parts"] = self._values_of_persons(params, context, values)
            where.append(_part(bar, values))
        return Query(with_tables(tables, select("person", source, where=where)), values.values)

    def shape(self, params: Params, rows: Mapping[str, Rows]) -> Result:
        """The result from the rows of :meth:`to_queries`."""
        total = {**rows["total"][0], **(rows["medians"][0] if "medians" in rows else {})}
        parts = [dict(row) for row in rows.get("parts", ())]
        shown = [Part(row["value"], False, _steps(params, row)) for row in parts[:TOP_VALUES]]
        if len(parts) > TOP_VALUES:
            names = [f"n{k}" for k in range(1, len(params.steps) + 1)]
            rest = {name: sum(row[name] for row in parts[TOP_VALUES:]) for name in names}
            shown.append(Part(None, True, _steps(params, rest)))
        return Result(_steps(params, total), tuple(shown))

    def _query(self, params: Params, context: Context, asked: Callable[[Sequence], str]) -> Query:
        values = Values()
        tables, sequence = self._arrays(params, context, values)
        return Query(with_tables(tables, asked(sequence)), values.values)

    def _parts(self, params: Params, context: Context) -> Query:
        values = Values()
        tables = self._tables(params, context, values)
        tables["parts"] = self._values_of_persons(params, context, values)
        counts = ", ".join(
            f"countIf(level >= {k}) AS n{k}" for k in range(1, len(params.steps) + 1)
        )
        source = "levels LEFT JOIN parts USING (person)"
        text = select(f"part.1 AS value, {counts}", source, group="value", order="n1 DESC, value")
        return Query(with_tables(tables, text), values.values)

    def _tables(self, params: Params, context: Context, values: Values) -> dict[str, str]:
        tables, sequence = self._arrays(params, context, values)
        tables["levels"] = levels(sequence)
        return tables

    def _arrays(
        self, params: Params, context: Context, values: Values
    ) -> tuple[dict[str, str], Sequence]:
        since, until = _entries(params, context)
        base, last = since - 1, until + params.window.ms
        steps = [_condition(step, context, values) for step in params.steps]
        steps[0] = both([steps[0], f"occurred_at < {_instant(until, values)}"])
        where = [*self._people(params, context, values), either(steps)]
        where += [f"occurred_at >= {_instant(since, values)}"]
        where += [f"occurred_at < {_instant(last, values)}"]
        names = values.add(sorted({step.event for step in params.steps}), "Array(String)")
        where.append(f"event IN {names}")
        bits = [f"bitShiftLeft(toUInt16({step}), {k})" for k, step in enumerate(steps)]
        mask = bits[0]
        for bit in bits[1:]:
            mask = f"bitOr({mask}, {bit})"
        at = f"toUInt64(toUnixTimestamp64Milli(occurred_at) - {values.add(base, 'Int64')})"
        number = person(context.rights.tenant)
        columns = f"{number} AS person, {at} AS t, seq, {mask} AS m"
        source = events(context.rights, values, columns, where)
        sequence = Sequence(len(steps), values.add(params.window.ms, "UInt64"))
        return {"source": source, **sequence.tables("source")}, sequence

    def _people(self, params: Params, context: Context, values: Values) -> list[str]:
        conditions = ["fragment != 0"]
        if params.filter is not None:
            members = persons_of(params.filter, context, values)
            conditions.append(f"{person(context.rights.tenant)} IN {nested(members)}")
        return conditions

    def _values_of_persons(self, params: Params, context: Context, values: Values) -> str:
        assert params.breakdown is not None
        if params.breakdown.field is not None:
            text = "tuple(coalesce(text, toString(number), toString(toDate32(date))))"
            rows = winners(context.rights, values, params.breakdown.field)
            return select(f"person, {text} AS part", nested(rows))
        since, until = _entries(params, context)
        operand = property_operand(str(params.breakdown.property), values)
        value = f"tuple(coalesce({operand.text}, toString({operand.number})))"
        return events(
            context.rights,
            values,
            f"{person(context.rights.tenant)} AS person, "
            f"argMin({value}, tuple(occurred_at, seq)) AS part",
            [
                "fragment != 0",
                _condition(params.steps[0], context, values),
                f"occurred_at >= {_instant(since, values)}",
                f"occurred_at < {_instant(until, values)}",
            ],
            group="person",
        )


def _entries(params: Params, context: Context) -> tuple[int, int]:
    until = to_ms(_at(params.until, context)) if params.until else to_ms(context.now) + 1
    day = timedelta(days=DEFAULT_DAYS) // timedelta(milliseconds=1)
    since = to_ms(_at(params.since, context)) if params.since else until - day
    if since >= until:
        raise InvalidInput("from must be before to", code="funnel_range", path="from")
    if until - since + params.window.ms > MAX_SPAN_MS:
        raise InvalidInput(
            "range and window span at most 795 days", code="funnel_span", path="window"
        )
    return since, until


def _at(at: datetime, context: Context) -> datetime:
    return at.replace(tzinfo=context.zone) if at.tzinfo is None else at


def _condition(step: Step, context: Context, values: Values) -> str:
    conditions = [
        where.comparison.sql(
            property_operand(where.property, values), values, context.now, context.zone
        )
        for where in step.where
    ]
    return both([f"event = {values.add(step.event, 'String')}", *conditions])


def _instant(ms: int, values: Values) -> str:
    return f"fromUnixTimestamp64Milli({values.add(ms, 'Int64')}, 'UTC')"


def _part(bar: Bar, values: Values) -> str:
    if bar.others is not None:
        known = values.add([value for value in bar.others if value is not None], "Array(String)")
        missing = "1" if None in bar.others else "0"
        return f"if(part.1 IS NULL, NOT {missing}, NOT has({known}, part.1))"
    if bar.value is None:
        return "part.1 IS NULL"
    return f"ifNull(part.1 = {values.add(bar.value, 'String')}, 0)"


def _steps(params: Params, row: Mapping[str, Any]) -> tuple[StepResult, ...]:
    counts = [int(row[f"n{k}"]) for k in range(1, len(params.steps) + 1)]
    return tuple(
        StepResult(
            step.event,
            counts[k],
            _ratio(counts[k], counts[0]),
            _ratio(counts[k], counts[k - 1]) if k else None,
            int(row[f"m{k + 1}"]) if k and counts[k] and f"m{k + 1}" in row else None,
        )
        for k, step in enumerate(params.steps)
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
