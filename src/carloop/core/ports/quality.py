"""What data quality keeps: rules, code tables, faults met at ingest, scores, findings, alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

EVERY_SOURCE = 0
EVERY_TABLE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule of data quality. Times are epoch milliseconds.

    Attributes:
        uuid: public id.
        key: what names a built-in rule for ever; of others the public id.
        source: number of the source it is for; 0: every source.
        table: the event it is for; ``*``: every event.
        definition: JSON of the rule.
        revision: counts changes, for optimistic locking.
    """

    tenant: int
    uuid: str
    key: str
    definition: str
    created_by: str
    created_at: int
    updated_at: int
    source: int = EVERY_SOURCE
    table: str = EVERY_TABLE
    enabled: bool = True
    id: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """Allowed codes by name: ``codes`` with what they mean."""

    tenant: int
    name: str
    codes: Mapping[str, str]
    updated_by: str
    updated_at: int


class IngestFault(NamedTuple):
    """Identifiers and keys that ingest left out of the events of one day.

    ``number`` of events, ``refused`` of which went to quarantine with it.
    """

    day: str
    source: int
    event: str
    path: str
    code: str
    number: int
    refused: int


class Refusal(NamedTuple):
    """Events of one source that went to quarantine for one reason."""

    source: int
    event: str
    path: str
    code: str
    number: int


class Score(NamedTuple):
    """One score of one day: ``good`` of ``total``; ``field`` empty: of whole events."""

    day: str
    source: int
    table: str
    field: str
    dimension: str
    good: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule found in one field on one day.

    Attributes:
        rule: public id of the rule; empty: found at ingest.
        examples: where, and the shape of what was there; never a personal value.
    """

    day: str
    source: int
    table: str
    field: str
    rule: str
    kind: str
    code: str
    checked: int
    failed: int
    examples: Sequence[Mapping[str, str]] = ()
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A score below its threshold; closed when it is above again."""

    tenant: int
    source: int
    table: str
    dimension: str
    day: str
    percent: float
    threshold: float
    opened_at: int
    closed_at: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Where:
    """Which scores or findings; what is None does not limit. Days are inclusive."""

    first_day: str
    last_day: str
    source: int | None = None
    table: str | None = None
    field: str | None = None


class QualityRules(Protocol):
    """The table of rules."""

    def add(self, it: StoredRule) -> StoredRule:
        """Store a new rule."""
        ...

    def save(self, it: StoredRule) -> StoredRule:
        """Store a changed rule; ``Conflict`` where somebody changed it meanwhile."""
        ...

    def get(self, tenant: int, uuid: str) -> StoredRule:
        """One rule; ``NotFound`` (``quality_rule_unknown``)."""
        ...

    def remove(self, it: StoredRule, now: int) -> None:
        """Delete softly, so that a built-in rule does not come back."""
        ...

    def list(self, tenant: int) -> Sequence[StoredRule]:
        """All rules by number."""
        ...

    def keys(self, tenant: int) -> set[str]:
        """Keys of all rules that ever were."""
        ...


class QualityRepository(Protocol):
    """Code tables, faults met at ingest, scores, findings, alerts."""

    def code_tables(self, tenant: int) -> Sequence[CodeTable]:
        """All code tables by name."""
        ...

    def save_code_table(self, table: CodeTable) -> None:
        """Save, in place of one of the same name."""
        ...

    def remove_code_table(self, tenant: int, name: str) -> None:
        """Forget it; ``NotFound`` (``code_table_unknown``)."""
        ...

    def add_faults(self, tenant: int, faults: Collection[IngestFault]) -> None:
        """Add to what is counted."""
        ...

    def faults(self, tenant: int, first_day: str, last_day: str) -> Sequence[IngestFault]:
        """What was counted for these days."""
        ...

    def refusals(self, tenant: int, since: int, until: int) -> Sequence[Refusal]:
        """Events received from ``since`` to before ``until`` (ms) that are in quarantine."""
        ...

    def replace_day(
        self,
        tenant: int,
        day: str,
        scores: Sequence[Score],
        findings: Sequence[Finding],
        now: int,
        kept: str | None = None,
    ) -> None:
        """These are all scores and findings of a day, beside scores of the dimension ``kept``."""
        ...

    def scores(self, tenant: int, where: Where) -> Sequence[Score]:
        """Scores per source, table, field and dimension, added up over the days (``day`` empty)."""
        ...

    def trend(self, tenant: int, where: Where) -> Sequence[Score]:
        """Scores per day and dimension, added up over the rest."""
        ...

    def findings(
        self, tenant: int, where: Where, *, limit: int, before: int | None = None
    ) -> Sequence[Finding]:
        """Newest first, with id below ``before``."""
        ...

    def alerts(
        self, tenant: int, *, opened: bool, limit: int, before: int | None = None
    ) -> Sequence[Alert]:
        """Newest first; ``opened``: those not closed."""
        ...

    def count_alerts(self, tenant: int) -> int:
        """How many are open."""
        ...

    def open_alert(self, alert: Alert) -> None:
        """Open an alert, or bring the open one of the same place up to date."""
        ...

    def close_alerts(self, tenant: int, kept: Collection[int], now: int) -> int:
        """Close every open alert but these; returns how many."""
        ...

    def expire(self, before_day: str) -> int:
        """Remove scores, findings and faults of earlier days; returns how many."""
        ...
