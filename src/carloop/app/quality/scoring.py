"""The scorecard of stored events: computed day by day, kept, compared with what is expected."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from carloop.app.quality.builtin import expand
from carloop.app.quality.desk import Thresholds, code_tables, thresholds_of
from carloop.core.pack import EventType
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.quality import (
    EVERY_SOURCE,
    EVERY_TABLE,
    Alert,
    Finding,
    Refusal,
    Score,
    StoredRule,
    Where,
)
from carloop.core.ports.state import State
from carloop.core.registry import Catalogue
from carloop.core.scope import Scope
from carloop.engines.quality import (
    EVENT_KINDS,
    Agreement,
    AnyEvent,
    AnyRow,
    Context,
    Dimension,
    Outcome,
    Row,
    Share,
    evaluate,
    parse_rule,
)
from carloop.engines.quality.stored import Period, arrivals, sample
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import CarloopError
from carloop.sql import Query

log = structlog.get_logger(__name__)

EACH, MOST = 2_000, 60_000
"""Events judged cell by cell, per day: of one source and event, and in all."""
QUERY_SECONDS = 120
KEPT_DAYS = 400
LEAST_JUDGED = 20
"""Fewer cells than this raise no alert."""
_AT_INGEST = "ingest"
_MISSING = ("missing_identifier", "missing_property", "missing_timestamp")

Progress = Callable[[int, int], None]
"""Days done, of how many; may raise to stop."""
Place = tuple[int, str, str, str]
"""Source, table, field, dimension."""


@dataclass(slots=True)
class _Day:
    """Everything found on one day; ``newest``: the last of a run."""

    day: str
    newest: bool
    shares: defaultdict[Place, Share] = field(default_factory=lambda: defaultdict(Share))
    findings: list[Finding] = field(default_factory=list)

    def add(self, place: Place, share: Share) -> None:
        """Count more cells of one place."""
        self.shares[place] += share

    def met(self, place: Place, codes: Sequence[tuple[str, int]]) -> None:
        """Findings of ingest in a place whose share is counted."""
        self.findings += [
            Finding(
                day=self.day,
                source=place[0],
                table=place[1],
                field=place[2],
                rule="",
                kind=_AT_INGEST,
                code=code,
                checked=self.shares[place].total,
                failed=number,
            )
            for code, number in codes
        ]

    def scores(self) -> list[Score]:
        """As they are kept; places where nothing was judged are left out."""
        return [
            Score(self.day, *place, share.good, share.total)
            for place, share in sorted(self.shares.items())
            if share.total
        ]


@dataclass(frozen=True, slots=True)
class _Rules:
    """A tenant's enabled rules, read."""

    rows: Sequence[tuple[StoredRule, AnyRow]]
    events: Sequence[tuple[StoredRule, AnyEvent]]

    @classmethod
    def of(cls, stored: Sequence[StoredRule]) -> _Rules:
        rows: list[tuple[StoredRule, AnyRow]] = []
        events: list[tuple[StoredRule, AnyEvent]] = []
        for one in stored:
            if one.enabled:
                rule = parse_rule(json.loads(one.definition))
                if isinstance(rule, EVENT_KINDS):
                    events.append((one, rule))
                else:
                    rows.append((one, rule))
        return cls(rows, events)

    def for_table(
        self, source: int, event: str, kind: EventType | None
    ) -> list[tuple[str, AnyRow]]:
        """Rules on the rows of one event of one source, with their public ids."""
        return [
            (stored.uuid, rule)
            for stored, general in self.rows
            if stored.source in (EVERY_SOURCE, source) and stored.table in (EVERY_TABLE, event)
            for rule in expand(general, kind)
        ]


class Scoring:
    """Computes scores of days and keeps them."""

    def __init__(
        self, state: State, event_store: EventStore, catalogue: Catalogue, clock: Clock
    ) -> None:
        self._state = state
        self._events = event_store
        self._catalogue = catalogue
        self._clock = clock

    def run(self, tenant: int, days: int, progress: Progress | None = None) -> Mapping[str, int]:
        """The last ``days`` days, today among them, anew; then alerts. Returns counts.

        Days are those of occurrence in the tenant's zone; late events change earlier days, so that
        a week is computed again each day.
        """
        now = self._clock.now()
        with self._state.read() as tx:
            settings = tx.tenants.get(tenant)
            rules = _Rules.of(tx.quality_rules.list(tenant))
            codes = {t.name: frozenset(t.codes) for t in code_tables(tx, tenant)}
        expected, zone = thresholds_of(settings), ZoneInfo(settings.zone)
        context = Context(self._catalogue.identifiers, zone, {}, codes)
        today = now.astimezone(zone).date()
        found: list[_Day] = []
        for n in range(days):
            if progress is not None:
                progress(n, days)
            on = today - timedelta(days=days - 1 - n)
            day = self._day(tenant, on, zone, rules, context, expected, newest=on == today)
            kept = None if day.newest else str(Dimension.CONSISTENCY)
            with self._state.write() as tx:
                tx.quality.replace_day(
                    tenant, day.day, day.scores(), day.findings, to_ms(now), kept
                )
            found.append(day)
        with self._state.write() as tx:
            tx.quality.expire((today - timedelta(days=KEPT_DAYS)).isoformat())
        alerts = self._alert(tenant, found, expected, to_ms(now))
        if progress is not None:
            progress(days, days)
        return {
            "days": days,
            "scores": sum(len(day.scores()) for day in found),
            "findings": sum(len(day.findings) for day in found),
            "alerts": alerts,
        }

    def _day(
        self,
        tenant: int,
        day: date,
        zone: ZoneInfo,
        rules: _Rules,
        context: Context,
        expected: Thresholds,
        *,
        newest: bool,
    ) -> _Day:
        start = datetime.combine(day, time(), zone)
        end = datetime.combine(day + timedelta(days=1), time(), zone)
        period = Period(to_ms(start), to_ms(end), zone.key, day)
        scope, found = Scope(tenant), _Day(day.isoformat(), newest)
        query = arrivals(scope, period, dict(expected.sources), expected.sla_seconds)
        numbers: dict[tuple[int, str], int] = {}
        for row in self._rows(query, scope):
            source, event = int(row["source"]), str(row["event"])
            numbers[source, event] = int(row["number"])
            late = Share(int(row["in_time"]), int(row["live"]))
            found.add((source, event, "", Dimension.TIMELINESS), late)
        if numbers:
            self._cells(scope, period, rules, context, found, numbers)
        if numbers or newest:
            self._queried(scope, period, rules, found, {event for _, event in numbers})
        self._at_ingest(tenant, period, numbers, found)
        return found

    def _rows(self, query: Query, scope: Scope) -> list[dict[str, Any]]:
        return self._events.query(query, scope, timeout_seconds=QUERY_SECONDS).dicts()

    def _cells(
        self,
        scope: Scope,
        period: Period,
        rules: _Rules,
        context: Context,
        found: _Day,
        numbers: Mapping[tuple[int, str], int],
    ) -> None:
        """Judge a sample of every source and event cell by cell."""
        one_in = {place: -(-number // EACH) for place, number in numbers.items() if number > EACH}
        tables: defaultdict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self._rows(sample(scope, period, one_in, EACH, MOST), scope):
            tables[int(row["source"]), str(row["event"])].append(row)
        for (source, event), rows in sorted(tables.items()):
            kind = self._catalogue.event_types.get(event)
            chosen = rules.for_table(source, event, kind)
            cells = ((number, _cells_of(row, kind)) for number, row in enumerate(rows))
            evaluation = evaluate([rule for _, rule in chosen], cells, context)
            for (column, dimension), share in evaluation.scores.items():
                found.add((source, event, column, dimension), share)
            for (uuid, _), outcome in zip(chosen, evaluation.outcomes, strict=True):
                found.findings += _told(outcome, uuid, found.day, source, event, rows)

    def _queried(
        self, scope: Scope, period: Period, rules: _Rules, found: _Day, events: Set[str]
    ) -> None:
        """Rules over stored events that one query answers; one that fails leaves the others be.

        A rule on an event that did not occur that day judges nothing and is not asked. What
        sources agree on is a state: it is asked of the newest day alone, others keep theirs.
        """
        for stored, rule in rules.events:
            asked = found.newest if isinstance(rule, Agreement) else rule.table in events
            if not asked:
                continue
            try:
                rows = self._rows(rule.query(scope, period), scope)
            except CarloopError as error:
                log.warning("quality_rule_failed", rule=stored.uuid, code=error.code)
                continue
            for row in rows:
                source, judged, faulty = int(row["source"]), int(row["judged"]), int(row["faulty"])
                if stored.source not in (EVERY_SOURCE, source) or not judged:
                    continue
                place = (source, rule.table, rule.field, str(rule.dimension))
                found.add(place, Share(judged - faulty, judged))
                if faulty:
                    found.findings.append(
                        Finding(
                            day=found.day,
                            source=source,
                            table=rule.table,
                            field=rule.field,
                            rule=stored.uuid,
                            kind=rule.kind,
                            code=rule.code,
                            checked=judged,
                            failed=faulty,
                            examples=[{"event": str(id_), "shown": ""} for id_ in row["examples"]],
                        )
                    )

    def _at_ingest(
        self, tenant: int, period: Period, numbers: Mapping[tuple[int, str], int], found: _Day
    ) -> None:
        """What never became a row: identifiers left out, events refused.

        Identifiers are counted against all events of their kind. What was refused joins the cells
        that were judged, taken for as many as there are events where only a sample was.
        """
        with self._state.read() as tx:
            faults = tx.quality.faults(tenant, found.day, found.day)
            refusals = tx.quality.refusals(tenant, period.since, period.until)
        left_out: defaultdict[Place, list[tuple[str, int]]] = defaultdict(list)
        refused: Counter[Place] = Counter()
        for fault in faults:
            place = (fault.source, fault.event, fault.path, str(Dimension.CORRECTNESS))
            left_out[place].append((fault.code, fault.number))
            refused[place] += fault.refused
        for place, codes in left_out.items():
            total = numbers.get(place[:2], 0) + refused[place]
            bad = sum(number for _, number in codes)
            found.shares[place] = Share(max(0, total - bad), max(total, bad))
            found.met(place, codes)
        turned_away: defaultdict[Place, list[tuple[str, int]]] = defaultdict(list)
        for refusal in refusals:
            of = _place_of(refusal)
            if of is not None:
                turned_away[of].append((refusal.code, refusal.number))
        for place, codes in turned_away.items():
            accepted = numbers.get(place[:2], 0)
            share = found.shares.get(place) or Share(accepted, accepted)
            good = (
                round(share.good * max(accepted, share.total) / share.total) if share.total else 0
            )
            number = sum(number for _, number in codes)
            found.shares[place] = Share(good, max(accepted, share.total) + number)
            found.met(place, codes)

    def _alert(self, tenant: int, days: Sequence[_Day], expected: Thresholds, now: int) -> int:
        """Compare the newest day of each source, table and dimension with what is expected."""
        newest: dict[tuple[int, str, str], tuple[str, Share]] = {}
        for day in days:
            summed: defaultdict[tuple[int, str, str], Share] = defaultdict(Share)
            for (source, table, _, dimension), share in day.shares.items():
                summed[source, table, dimension] += share
            newest.update({place: (day.day, share) for place, share in summed.items()})
        bad: set[tuple[int, str, str]] = set()
        with self._state.write() as tx:
            for (source, table, dimension), (on, share) in newest.items():
                percent, least = share.percent, expected.percent[dimension]
                if percent is not None and share.total >= LEAST_JUDGED and percent < least:
                    bad.add((source, table, dimension))
                    tx.quality.open_alert(
                        Alert(
                            tenant=tenant,
                            source=source,
                            table=table[:200],
                            dimension=dimension,
                            day=on,
                            percent=percent,
                            threshold=least,
                            opened_at=now,
                        )
                    )
            opened = tx.quality.alerts(tenant, opened=True, limit=100_000)
            kept = [
                a.id
                for a in opened
                if (a.source, a.table, a.dimension) in bad
                or (a.source, a.table, a.dimension) not in newest
            ]
            tx.quality.close_alerts(tenant, kept, now)
        return len(kept)


def days_back(today: date, days: int) -> Where:
    """The last ``days`` days, today among them."""
    return Where((today - timedelta(days=days - 1)).isoformat(), today.isoformat())


def _place_of(refusal: Refusal) -> Place | None:
    """The cell that an event was refused for; None where identifiers are counted already."""
    field_ = refusal.path or refusal.code
    if refusal.code in _MISSING:
        field_ = field_.removeprefix("properties.")
        return refusal.source, refusal.event, field_, str(Dimension.COMPLETENESS)
    if refusal.path.startswith(("identifiers", "entities")) or refusal.code == "internal_error":
        return None
    field_ = field_.removeprefix("properties.")
    return refusal.source, refusal.event, field_, str(Dimension.CORRECTNESS)


def _cells_of(row: Mapping[str, Any], kind: EventType | None) -> Row:
    """An event as a row: its properties, its times, whom and what it names."""
    cells: dict[str, Any] = json.loads(row["body"])
    entities = row["entities"]
    for planned in kind.properties if kind else ():
        if planned.entity in entities and cells.get(planned.name) is None:
            cells[planned.name] = f"#{entities[planned.entity]}"
    return {
        **cells,
        "occurred_at": row["occurred_at"],
        "received_at": row["received_at"],
        "person": row["who"] or None,
    }


def _told(
    outcome: Outcome,
    uuid: str,
    day: str,
    source: int,
    event: str,
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[Finding]:
    examples: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for example in outcome.examples:
        at = str(rows[example.number]["event_id"])
        examples[example.code].append({"event": at, "shown": example.shown})
    for code, failed in Counter(outcome.codes).items():
        yield Finding(
            day=day,
            source=source,
            table=event,
            field=outcome.column,
            rule=uuid,
            kind=outcome.rule.kind,
            code=code,
            checked=outcome.checked,
            failed=failed,
            examples=[*examples[code], *outcome.unknown(code)],
        )
