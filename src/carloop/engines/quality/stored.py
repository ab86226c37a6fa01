"""Rules over stored events that one query answers, and the queries of the scorecard itself.

Every query is bounded by a period, compiled within a scope, and returned, not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Protocol

from carloop.engines.quality.checks import Dimension
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import Rights, events, person

EXAMPLES = 5
"""Faulty events that are kept as examples, of each rule, day and source."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` to before ``until`` (epoch ms): whole days of ``zone`` (an IANA name)."""

    since: int
    until: int
    zone: str
    last_day: date

    def within(self, params: Params, before_ms: int = 0) -> list[str]:
        """Conditions on ``occurred_at``; ``before_ms`` lets the period begin earlier."""
        since = params.add(self.since - before_ms, "Int64")
        until = params.add(self.until, "Int64")
        return [
            f"occurred_at >= fromUnixTimestamp64Milli({since}, 'UTC')",
            f"occurred_at < fromUnixTimestamp64Milli({until}, 'UTC')",
        ]


class EventRule(Protocol):
    """A rule that a query over stored events answers.

    The query's rows: ``local_day``, ``source`` (0: of no single one), ``judged``, ``faulty``,
    ``examples`` (ids of faulty events).
    """

    dimension: ClassVar[Dimension]
    code: ClassVar[str]

    @property
    def kind(self) -> str:
        """Names the kind in documents."""
        ...

    @property
    def table(self) -> str:
        """What it judges: an event, or ``entity:<type>``."""
        ...

    @property
    def field(self) -> str:
        """The cell it judges."""
        ...

    def query(self, rights: Rights, period: Period) -> Query:
        """One row per day and source."""
        ...


def local_day(params: Params, period: Period) -> str:
    """The day of ``occurred_at`` in the period's zone."""
    return f"toDate(occurred_at, {params.add(period.zone, 'String')})"


def arrivals(rights: Rights, period: Period, sla_seconds: dict[int, int], usual: int) -> Query:
    """Per day, source and event: how many, how many live, how many of those were in time.

    History that was imported is late by nature: it counts as an event, not for timeliness.

    Args:
        rights: whose events.
        period: which days.
        sla_seconds: the longest delay from occurrence to receipt, by source.
        usual: the delay of sources not among them.
    """
    params = Params()
    limit = params.add(usual * 1000, "Int64")
    if sla_seconds:
        sources = params.add(sorted(sla_seconds), "Array(UInt32)")
        agreed = params.add([sla_seconds[n] * 1000 for n in sorted(sla_seconds)], "Array(Int64)")
        limit = f"transform(source, {sources}, {agreed}, {limit})"
    delay = "toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(occurred_at)"
    columns = (
        f"{local_day(params, period)} AS local_day, source, event, count() AS number, "
        "countIf(historical = 0) AS live, "
        f"countIf(historical = 0 AND {delay} <= {limit}) AS in_time"
    )
    text = events(rights, params, columns, period.within(params), group="local_day, source, event")
    return Query(text, params.values)


def sample(
    rights: Rights, period: Period, one_in: Mapping[tuple[int, str], int], each: int, most: int
) -> Query:
    """Events to judge cell by cell: at most ``each`` of a source and event, ``most`` in all.

    Which ones depends on their ids alone, so that a repeat judges the same.

    Args:
        rights: whose events.
        period: which days.
        one_in: of how many events one is taken, by source and event; of others all are. Only the
            bodies of those that are taken are read.
        each: of a source and event.
        most: in all.
    """
    params = Params()
    taken = []
    if one_in:
        keys = params.add([f"{source}/{event}" for source, event in one_in], "Array(String)")
        parts = params.add(list(one_in.values()), "Array(UInt64)")
        key = "concat(toString(source), '/', event)"
        divisor = f"transform({key}, {keys}, {parts}, toUInt64(1))"
        taken.append(f"cityHash64(event_id) % {divisor} = 0")
    columns = (
        "event, source, event_id, occurred_at, received_at, entities, "
        f"{person(rights.tenant)} AS who, toJSONString(properties) AS body"
    )
    text = events(rights, params, columns, [*period.within(params), *taken])
    text = (
        f"{text} ORDER BY source, event, cityHash64(event_id) "
        f"LIMIT {params.add(each, 'UInt32')} BY source, event LIMIT {params.add(most, 'UInt32')}"
    )
    return Query(text, params.values)
