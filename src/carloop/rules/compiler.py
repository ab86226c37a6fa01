"""Compiles a rule into one ClickHouse query: a bitmap per leaf, combined by bitmap algebra.

Leaves over the same events (or the same field) share one scan, equal leaves share one bitmap, and
the whole population is read only where the rule as a whole is a complement. Every scan goes through
:mod:`carloop.sql.scope`; every value and property name is a bound parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carloop.kit.errors import InvalidInput
from carloop.rules.comparison import Comparison, Days, Scalar
from carloop.rules.people import People
from carloop.rules.reading import attribute_operand, property_operand
from carloop.rules.scans import AttributeScan, EventLeaf, EventScan
from carloop.sql.query import Params, Query
from carloop.sql.scope import Rights, fragments, person
from carloop.sql.select import both, nested, select

if TYPE_CHECKING:
    from carloop.rules import Rule
    from carloop.rules.kinds.performed import Performed

Blind = Callable[[str, Scalar], str]
"""(identifying field, value) → the blind index under which the event store knows the value."""


def no_vault(name: str, value: Scalar) -> str:
    """Where no vault can be asked, identifying fields cannot be compared.

    Raises:
        InvalidInput: ``unknown_field``.
    """
    raise InvalidInput("no such field here", code="unknown_field", field=name)


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule means as of an instant, for one caller.

    Attributes:
        segments: the rules that ``in_segment`` may name, by segment id.
        identifying: fields whose values live in the vault: the event store holds their blind
            index, so that equality and presence are all that can be asked.
    """

    rights: Rights
    now: datetime
    zone: ZoneInfo
    segments: Mapping[str, Rule] = field(default_factory=dict)
    identifying: frozenset[str] = frozenset()
    blind: Blind = no_vault


class Compiler:
    """Collects the scans that one rule (or several, sharing them) needs."""

    def __init__(self, context: Context, params: Params) -> None:
        self.context = context
        self.params = params
        self._events: dict[tuple[str, ...], EventScan] = {}
        self._attributes: dict[str, AttributeScan] = {}
        self._leaves: dict[object, People] = {}
        self._columns = 0
        self._universe = False
        self._inside: list[str] = []

    def performed(self, rule: Performed) -> People:
        """Persons with a number of events between the rule's bounds (at least 1)."""
        known = self._leaves.get(rule)
        if known is None:
            context, params = self.context, self.params
            window = rule.bounds(context.now, context.zone)
            conditions = [
                where.comparison.sql(
                    property_operand(where.property, params), params, context.now, context.zone
                )
                for where in rule.where
            ]
            distinct = rule.count.distinct
            leaf = EventLeaf(
                self._column(),
                window,
                self._within(window.since, window.until, conditions),
                rule.count.least,
                rule.count.most,
                property_operand(distinct, params) if distinct else None,
                params,
            )
            self._events.setdefault(rule.events, EventScan(rule.events)).leaves.append(leaf)
            known = self._leaves[rule] = People(leaf.column)
        return known

    def attribute(self, name: str, comparison: Comparison) -> People:
        """Persons whose field satisfies the base of ``comparison``."""
        key = (name, comparison.base, comparison.value)
        known = self._leaves.get((key, type(comparison.value)))
        if known is None:
            if name in self.context.identifying:
                comparison = self._blind(name, comparison)
            column, context = self._column(), self.context
            condition = comparison.base_sql(
                attribute_operand(), self.params, context.now, context.zone
            )
            scan = self._attributes.setdefault(name, AttributeScan(name))
            scan.leaves.append((column, condition))
            known = People(column)
            self._leaves[(key, type(comparison.value))] = known
        return known

    def member(self, segment: str) -> People:
        """Persons in a segment: its rule, compiled in place.

        Raises:
            InvalidInput: ``unknown_segment``, or ``segment_cycle`` where it names itself.
        """
        rule = self.context.segments.get(segment)
        if rule is None:
            raise InvalidInput("no such segment", code="unknown_segment", segment=segment)
        with self._entering(segment):
            return rule.people(self)

    def bitmap(self, rule: Rule) -> str:
        """A query of one row and one column ``members``, the bitmap of the rule's persons."""
        people = rule.people(self)
        self._universe = self._universe or people.complement
        return select(f"{people.sql('everyone')} AS members", self._source())

    def _blind(self, name: str, comparison: Comparison) -> Comparison:
        value = comparison.value
        if comparison.base == "exists":
            return comparison
        if comparison.base not in ("=", "in") or isinstance(value, Days) or value is None:
            raise InvalidInput(
                "this field does not allow this operator",
                code="operator_not_allowed",
                field=name,
                op=comparison.op,
            )
        blind = self.context.blind
        if isinstance(value, tuple):
            return Comparison("in", tuple(blind(name, v) for v in value))
        return Comparison("=", blind(name, value))

    def _within(self, since: int | None, until: int, conditions: list[str]) -> str:
        lower = "" if since is None else f"occurred_at >= {self._instant(since)}"
        return both([lower, f"occurred_at < {self._instant(until)}", *conditions])

    def _instant(self, ms: int) -> str:
        return f"fromUnixTimestamp64Milli({self.params.add(ms, 'Int64')}, 'UTC')"

    def _column(self) -> str:
        self._columns += 1
        return f"b{self._columns}"

    def _source(self) -> str:
        rights, params = self.context.rights, self.params
        scans = [
            *(scan.sql(rights, params) for scan in self._events.values()),
            *(scan.sql(rights, params) for scan in self._attributes.values()),
        ]
        if self._universe:
            number = person(rights.tenant)
            scans.append(
                fragments(
                    rights, params, f"groupBitmapState({number}) AS everyone", ["fragment != 0"]
                )
            )
        tables = [f"{nested(scan)} AS s{n}" for n, scan in enumerate(scans)]
        return " CROSS JOIN ".join(tables) or "system.one"

    @contextmanager
    def _entering(self, segment: str) -> Iterator[None]:
        if segment in self._inside:
            raise InvalidInput("a segment names itself", code="segment_cycle", segment=segment)
        self._inside.append(segment)
        try:
            yield
        finally:
            self._inside.pop()


def bitmap_of(rule: Rule, context: Context, params: Params) -> str:
    """A query of one row, column ``members``: the bitmap of the persons the rule means."""
    return Compiler(context, params).bitmap(rule)


def persons_of(rule: Rule, context: Context, params: Params) -> str:
    """A query of the persons the rule means, column ``person``."""
    bitmap = bitmap_of(rule, context, params)
    return select("arrayJoin(bitmapToArray(members)) AS person", nested(bitmap))


def count_query(rule: Rule, context: Context) -> Query:
    """How many persons the rule means: one row, column ``count``."""
    params = Params()
    bitmap = bitmap_of(rule, context, params)
    text = select("bitmapCardinality(members) AS count", nested(bitmap))
    return Query(text, params.values)


def members_query(rule: Rule, context: Context) -> Query:
    """The persons the rule means, in no order: one ``UInt32`` column ``person``."""
    params = Params()
    return Query(persons_of(rule, context, params), params.values)
