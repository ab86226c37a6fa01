"""A file looked at before it is imported: scores per column, and where the faults are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from carloop.app.quality.desk import code_tables
from carloop.app.quality.suggest import suggest_rules
from carloop.connectors.files import Row as FileRow
from carloop.connectors.files import Table, open_table
from carloop.core.cells import as_text
from carloop.core.ports.state import State
from carloop.core.registry import Catalogue
from carloop.engines.quality import (
    EVENT_KINDS,
    AnyRow,
    Context,
    Dimension,
    Evaluation,
    Outcome,
    Row,
    Share,
    document,
    evaluate,
    parse_rule,
)
from carloop.engines.quality.checks import MOST_REFERENCED
from carloop.engines.quality.values import is_empty
from carloop.kit.errors import InvalidInput

SAMPLE_ROWS = 1_000
MOST_ROWS = 1_000_000
MOST_RULES = 1_000
Progress = Callable[[int, int | None], None]
"""Rows seen, of how many where that is known; may raise to stop."""


class FileQuality:
    """Judges files with the code tables of a tenant; without a state store, with none."""

    def __init__(self, catalogue: Catalogue, state: State | None = None) -> None:
        self._catalogue = catalogue
        self._state = state

    def profile(
        self,
        path: Path,
        *,
        tenant: int = 0,
        name: str | None = None,
        rules: Sequence[AnyRow] | None = None,
        zone: str = "Asia/Shanghai",
        references: Mapping[str, Mapping[str, Row]] | None = None,
        most: int = MOST_ROWS,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Judge a file by ``rules``, or by rules suggested from its columns; a document.

        Args:
            path: where the file lies.
            tenant: whose code tables count.
            name: the file's name where ``path`` does not show its format.
            rules: None: suggested.
            zone: of dates and times without offset.
            references: rows of other files by key, for foreign keys and dates of another table.
            most: rows looked at; the document tells whether that was all.
            progress: called every thousand rows.

        Raises:
            InvalidInput: the file cannot be read, ``zone_unknown``, ``column_unknown``.
        """
        if zone not in available_timezones():
            raise InvalidInput("not an IANA time zone", code="zone_unknown", path="zone")
        table, local = open_table(path, name), ZoneInfo(zone)
        if rules is None:
            sample = [r.values for r in islice(table.rows(), SAMPLE_ROWS) if isinstance(r, FileRow)]
            rules = suggest_rules(table.columns, sample, self._catalogue, local)
        _check_columns(table, rules)
        context = Context(self._catalogue.identifiers, local, references or {}, self._codes(tenant))
        reading = _Reading(table, most, progress)
        evaluation = evaluate(rules, reading.rows(), context)
        return _document(table, evaluation, reading)

    def _codes(self, tenant: int) -> dict[str, frozenset[str]]:
        if self._state is None:
            return {}
        with self._state.read() as tx:
            return {t.name: frozenset(t.codes) for t in code_tables(tx, tenant)}


def parse_rules(text: str) -> list[AnyRow] | None:
    """Rules of a file from a JSON list; empty text: None.

    Raises:
        InvalidInput: ``quality_rule_invalid``.
    """
    if not text.strip():
        return None
    try:
        documents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not JSON", code="quality_rule_invalid", path="rules") from error
    if not isinstance(documents, list) or len(documents) > MOST_RULES:
        raise InvalidInput(
            f"a list of at most {MOST_RULES} rules", code="quality_rule_invalid", path="rules"
        )
    found: list[AnyRow] = []
    for place, one in enumerate(documents):
        if not isinstance(one, dict):
            raise InvalidInput(
                "a rule is an object", code="quality_rule_invalid", path=f"rules.{place}"
            )
        rule = parse_rule(one)
        if isinstance(rule, EVENT_KINDS):
            raise InvalidInput(
                "this kind judges stored events", code="quality_rule_invalid", path=f"rules.{place}"
            )
        found.append(rule)
    return found


def read_reference(path: Path, key: str, name: str | None = None) -> dict[str, Row]:
    """The rows of another file by its column ``key``; of rows with one key the last.

    Raises:
        InvalidInput: ``column_unknown``; ``too_many_rows``.
    """
    table = open_table(path, name)
    if key not in table.columns:
        raise InvalidInput("the file has no such column", code="column_unknown", path=key[:200])
    found: dict[str, Row] = {}
    for row in table.rows():
        if isinstance(row, FileRow):
            cells = dict(zip(table.columns, row.values, strict=False))
            if not is_empty(cells[key]):
                found[as_text(cells[key])] = cells
        if len(found) > MOST_REFERENCED:
            raise InvalidInput(f"more than {MOST_REFERENCED} rows", code="too_many_rows")
    return found


class _Reading:
    """Rows of a table as cells by column, counted on the way."""

    def __init__(self, table: Table, most: int, progress: Progress | None) -> None:
        self._table = table
        self._most = most
        self._progress = progress
        self.bad = 0
        self.complete = True

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Numbered rows that can be read."""
        for place, row in enumerate(self._table.rows()):
            if place >= self._most:
                self.complete = False
                return
            if self._progress is not None and place % 1000 == 0:
                self._progress(place, self._table.total)
            if isinstance(row, FileRow):
                yield row.number, dict(zip(self._table.columns, row.values, strict=False))
            else:
                self.bad += 1


def _check_columns(table: Table, rules: Sequence[AnyRow]) -> None:
    known = set(table.columns)
    for rule in rules:
        for column in rule.columns:
            if column not in known:
                raise InvalidInput(
                    "the file has no such column", code="column_unknown", path=column[:200]
                )


def _document(table: Table, evaluation: Evaluation, reading: _Reading) -> dict[str, Any]:
    columns = dict.fromkeys((*table.columns, *(column for column, _ in evaluation.scores)))
    return {
        "rows": evaluation.rows,
        "unreadable": reading.bad,
        "complete": reading.complete,
        "scores": [
            {"dimension": dimension.value, **_share(evaluation.overall(dimension))}
            for dimension in (Dimension.COMPLETENESS, Dimension.CORRECTNESS)
        ],
        "columns": [
            {
                "name": name,
                "completeness": _share(evaluation.scores.get((name, Dimension.COMPLETENESS))),
                "correctness": _share(evaluation.scores.get((name, Dimension.CORRECTNESS))),
            }
            for name in columns
        ],
        "findings": [finding for outcome in evaluation.outcomes for finding in _findings(outcome)],
        "rules": [document(outcome.rule) for outcome in evaluation.outcomes],  # type: ignore[arg-type]
        "skipped": [
            document(outcome.rule)  # type: ignore[arg-type]
            for outcome in evaluation.outcomes
            if not outcome.opened
        ],
    }


def _share(share: Share | None) -> dict[str, Any]:
    share = share or Share()
    percent = None if share.percent is None else round(share.percent, 4)
    return {"percent": percent, "good": share.good, "total": share.total}


def _findings(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for code, failed in outcome.codes.most_common():
        yield {
            "column": outcome.column,
            "kind": outcome.rule.kind,
            "code": code,
            "checked": outcome.checked,
            "failed": failed,
            "examples": [
                {"row": example.number, "shown": example.shown}
                for example in outcome.examples
                if example.code == code
            ],
            "unknown": outcome.unknown(code),
        }
