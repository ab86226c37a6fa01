"""The use case: preview a file, import it, go on after an interruption, repeat without effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from zoneinfo import available_timezones

import msgspec

from carloop.app.imports.mapping import Mapping, parse_mapping
from carloop.app.imports.report import ImportReport, RowError, Sink
from carloop.app.imports.rows import RowMapper
from carloop.app.imports.suggest import suggest
from carloop.app.imports.values import is_null
from carloop.app.plan import Plan, Violation, check_time
from carloop.connectors import PROTOCOLS
from carloop.connectors.files import BadRow, Row, Table, open_table
from carloop.core.cells import as_text
from carloop.core.events import OWN_LIMITS, Received
from carloop.core.ports.imports import ImportRun, SavedMapping
from carloop.core.ports.journal import Journal
from carloop.core.ports.state import State
from carloop.core.registry import Catalogue
from carloop.core.sources import Source
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import InvalidInput, NotFound

SAMPLE_ROWS = 1000
BATCH_EVENTS = 1000
BATCH_BYTES = 1024 * 1024
SAVE_EVERY = 10
"""Batches between two notes of how far a run is."""

Progress = Callable[[ImportReport, int | None], bool]
"""Called after each batch with the report so far and the total of rows; True: stop."""


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column, how much of the sample it fills, and some of its values."""

    name: str
    filled: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file seems to hold: columns, a mapping to start from, and a trial on the sample."""

    columns: tuple[ColumnPreview, ...]
    mapping: Mapping
    report: ImportReport
    encoding: str
    total: int | None


class Imports:
    """File import for one installation."""

    def __init__(self, state: State, journal: Journal, catalogue: Catalogue, clock: Clock) -> None:
        self._state = state
        self._journal = journal
        self._catalogue = catalogue
        self._clock = clock

    def mapping(self, tenant: int, name: str) -> Mapping:
        """A saved mapping.

        Raises:
            NotFound: ``mapping_unknown``.
        """
        with self._state.read() as tx:
            saved = tx.imports.mapping(tenant, name)
        if saved is None:
            raise NotFound("no such mapping", code="mapping_unknown")
        return parse_mapping(saved.text)

    def mappings(self, tenant: int) -> Sequence[SavedMapping]:
        """All saved mappings by name."""
        with self._state.read() as tx:
            return tx.imports.mappings(tenant)

    def save_mapping(self, tenant: int, name: str, mapping: Mapping) -> None:
        """Save a mapping under ``name``, in place of an earlier one."""
        now = self._now()
        saved = SavedMapping(tenant=tenant, name=name, text=mapping.text(), saved_at=now)
        with self._state.write() as tx:
            tx.imports.save_mapping(saved)

    def suggest(self, table: Table, *, event: str | None, zone: str) -> Mapping:
        """A mapping from the headers and the first thousand rows."""
        rows = [row.values for row in _sample(table)]
        return suggest(table.columns, rows, self._catalogue, event=event, zone=zone)

    def preview(
        self,
        path: Path,
        *,
        name: str | None = None,
        mapping: Mapping | None = None,
        event: str | None = None,
        zone: str = "Asia/Shanghai",
    ) -> Preview:
        """Look at the first thousand rows; nothing is kept."""
        table = open_table(path, name)
        if zone not in available_timezones():
            raise InvalidInput("not an IANA time zone", code="zone_unknown", path="zone")
        mapping = mapping or self.suggest(table, event=event, zone=zone)
        nulls = frozenset(null.casefold() for null in mapping.nulls)
        rows = _sample(table)
        columns = []
        for place, header in enumerate(table.columns):
            values = [row.values[place] for row in rows if not is_null(row.values[place], nulls)]
            examples = dict.fromkeys(as_text(value)[:80] for value in values[:50])
            columns.append(ColumnPreview(header, len(values), tuple(islice(examples, 3))))
        report = ImportReport(dry_run=True)
        run = self._batches(self._mapper(mapping, table, "preview", self._now()), report, None)
        for _ in run.batches(islice(table.rows(), SAMPLE_ROWS)):
            pass
        return Preview(tuple(columns), mapping, report, table.encoding, table.total)

    def run(
        self,
        source: Source,
        path: Path,
        mapping: Mapping,
        *,
        name: str | None = None,
        dry_run: bool = False,
        again: bool = False,
        errors: Sink | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import a file into ``source``; a repeat goes on where an earlier attempt stopped.

        Args:
            source: the way in that the events are filed under.
            path: where the file lies.
            mapping: the meaning of its columns.
            name: the file's name where ``path`` does not show its format.
            dry_run: count and report; keep nothing.
            again: read a file once more that had been imported completely.
            errors: takes every fault of every row.
            progress: called after each batch; returning True stops the import.

        Raises:
            InvalidInput: the file or the mapping cannot be used.
        """
        table = open_table(path, name)
        digest = f"{_digest(path)}/{mapping.digest()}"
        earlier = None if dry_run else self._earlier(source, digest)
        if earlier and earlier.finished_at is not None and not again:
            return replace(ImportReport.of(earlier.report), repeated=True)
        state = earlier or ImportRun(
            tenant=source.tenant,
            source=source.id,
            digest=digest,
            started_at=self._now(),
            report={},
        )
        resumed = state.rows_done and state.finished_at is None
        report = ImportReport.of(state.report) if resumed else ImportReport(dry_run=dry_run)
        report.cancelled = False
        mapper = self._mapper(mapping, table, digest.partition("/")[0], state.started_at)
        run = self._batches(mapper, report, errors)
        rows = islice(table.rows(), state.rows_done if resumed else 0, None)
        for number, body in enumerate(run.batches(rows), start=1):
            if not dry_run:
                self._journal.append([self._received(source, body)])
            if progress and progress(report, table.total):
                report.cancelled = True
                break
            if not dry_run and number % SAVE_EVERY == 0:
                self._save(replace(state, rows_done=report.rows, report=report.document()))
        if not dry_run:
            finished = None if report.cancelled else self._now()
            self._save(
                replace(
                    state,
                    rows_done=report.rows,
                    report=report.document(),
                    finished_at=finished,
                )
            )
        return report

    def _mapper(self, mapping: Mapping, table: Table, digest: str, default_ms: int) -> RowMapper:
        return RowMapper(
            mapping, table.columns, self._catalogue, digest=digest, default_ms=default_ms
        )

    def _batches(self, mapper: RowMapper, report: ImportReport, errors: Sink | None) -> _Run:
        check = _Check(Plan(self._catalogue.event_types), self._now())
        return _Run(mapper, check, report, errors)

    def _now(self) -> int:
        return to_ms(self._clock.now())

    def _earlier(self, source: Source, digest: str) -> ImportRun | None:
        with self._state.read() as tx:
            return tx.imports.run(source.tenant, source.id, digest)

    def _save(self, run: ImportRun) -> None:
        with self._state.write() as tx:
            tx.imports.save_run(run)

    def _received(self, source: Source, body: bytes) -> Received:
        return Received(
            tenant=source.tenant,
            source=source.id,
            protocol="own",
            received_at=self._now(),
            body=body,
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """Tells before anything is sent what would not pass the guard or the tracking plan."""

    plan: Plan
    now: int

    def refusal(self, events: list[bytes]) -> Violation | None:
        """Why one of these events would be refused."""
        if not events:
            return None
        received = Received(
            tenant=0, source=0, protocol="own", received_at=self.now, body=_body(events)
        )
        decoded = PROTOCOLS["own"].decode(received, OWN_LIMITS)
        for bad in decoded.rejected:
            return Violation(bad.code, bad.path)
        for event in decoded.events:
            violation = check_time(event, self.now) or self.plan.check(
                event.event, msgspec.json.decode(event.properties), event.entities
            )
            if violation:
                return violation
        return None


class _Run:
    """Rows in, checked request bodies out, everything counted on the way."""

    def __init__(
        self, mapper: RowMapper, check: _Check, report: ImportReport, errors: Sink | None
    ) -> None:
        self._mapper = mapper
        self._check = check
        self._report = report
        self._errors = errors

    def batches(self, rows: Iterator[Row | BadRow]) -> Iterator[bytes]:
        """Bodies of the own protocol; the report is right whenever one is handed out."""
        waiting: list[bytes] = []
        size = 0
        for row in rows:
            self._report.rows += 1
            events = [] if isinstance(row, BadRow) else self._events(row)
            if isinstance(row, BadRow):
                self._reject([RowError(row.number, "", row.code, True)])
            waiting += events
            size += sum(map(len, events))
            if len(waiting) >= BATCH_EVENTS or size >= BATCH_BYTES:
                yield _body(waiting)
                waiting, size = [], 0
        if waiting:
            yield _body(waiting)

    def _events(self, row: Row) -> list[bytes]:
        result = self._mapper.apply(row)
        faults = [RowError(row.number, f.column, f.code, f.fatal) for f in result.faults]
        if result.rejected:
            self._reject(faults)
            return []
        events = [msgspec.json.encode(event) for event in result.events]
        refused = self._check.refusal(events)
        if refused:
            self._reject([*faults, RowError(row.number, refused.path, refused.code, True)])
            return []
        for fault in faults:
            self._note(fault)
        self._report.imported += bool(events)
        self._report.unused += not events
        self._report.events += len(events)
        self._report.persons += result.person
        self._report.entities.update({type_ for type_, _ in result.entities})
        return events

    def _reject(self, faults: list[RowError]) -> None:
        self._report.rejected += 1
        for fault in faults:
            self._note(fault)

    def _note(self, error: RowError) -> None:
        self._report.note(error)
        if self._errors is not None:
            self._errors(error)


def _body(events: list[bytes]) -> bytes:
    return b'{"historical":true,"events":[' + b",".join(events) + b"]}"


def _sample(table: Table) -> list[Row]:
    return [row for row in islice(table.rows(), SAMPLE_ROWS) if isinstance(row, Row)]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
