"""Data quality over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from carloop.core.ports.quality import (
    Alert,
    CodeTable,
    Finding,
    IngestFault,
    Refusal,
    Score,
    StoredRule,
    Where,
)
from carloop.kit.errors import NotFound
from carloop.stores.state.editable import EditableRows
from carloop.stores.state.tables.pipeline import quarantine
from carloop.stores.state.tables.quality import (
    quality_alert,
    quality_code_table,
    quality_finding,
    quality_ingest_fault,
    quality_rule,
    quality_score,
)

_FIXED = ("tenant", "uuid", "key", "created_by", "created_at")
_CHANGING = ("source", "definition", "enabled", "updated_at")
MOST_SCORES = 100_000


class SqlQualityRules(EditableRows[StoredRule]):
    """``core.ports.quality.QualityRules`` over SQLAlchemy."""

    table = quality_rule
    noun = "quality_rule"

    def list(self, tenant: int) -> Sequence[StoredRule]:
        """All rules by number."""
        return self._all(quality_rule.c.tenant == tenant, quality_rule.c.deleted_at.is_(None))

    def keys(self, tenant: int) -> set[str]:
        """Keys of all rules that ever were."""
        query = select(quality_rule.c.key).where(quality_rule.c.tenant == tenant)
        return set(self._connection.scalars(query))

    def remove(self, it: StoredRule, now: int) -> None:
        """Delete softly."""
        removed = self.save(replace(it, enabled=False, updated_at=now))
        self._mark_removed(removed.id, now)

    def _fixed(self, it: StoredRule) -> Mapping[str, Any]:
        return {name: getattr(it, name) for name in _FIXED}

    def _changing(self, it: StoredRule) -> Mapping[str, Any]:
        return {"table_name": it.table, **{name: getattr(it, name) for name in _CHANGING}}

    def _record(self, row: Row[Any]) -> StoredRule:
        values = {name: getattr(row, name) for name in (*_FIXED, *_CHANGING)}
        return StoredRule(id=row.id, revision=row.revision, table=row.table_name, **values)


class SqlQuality:
    """``core.ports.quality.QualityRepository`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def code_tables(self, tenant: int) -> Sequence[CodeTable]:
        """All code tables by name."""
        t = quality_code_table.c
        query = select(quality_code_table).where(t.tenant == tenant).order_by(t.name)
        return [
            CodeTable(
                tenant=row.tenant,
                name=row.name,
                codes=json.loads(row.codes),
                updated_by=row.updated_by,
                updated_at=row.updated_at,
            )
            for row in self._connection.execute(query)
        ]

    def save_code_table(self, table: CodeTable) -> None:
        """Save, in place of one of the same name."""
        t = quality_code_table
        self._connection.execute(
            delete(t).where(t.c.tenant == table.tenant, t.c.name == table.name)
        )
        self._connection.execute(
            insert(t).values(
                tenant=table.tenant,
                name=table.name,
                codes=json.dumps(dict(table.codes), ensure_ascii=False),
                number=len(table.codes),
                updated_by=table.updated_by,
                updated_at=table.updated_at,
            )
        )

    def remove_code_table(self, tenant: int, name: str) -> None:
        """Forget it."""
        t = quality_code_table
        gone = self._connection.execute(delete(t).where(t.c.tenant == tenant, t.c.name == name))
        if gone.rowcount == 0:
            raise NotFound("no such code table", code="code_table_unknown")

    def add_faults(self, tenant: int, faults: Collection[IngestFault]) -> None:
        """Add to what is counted."""
        if not faults:
            return
        t = quality_ingest_fault
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        adding = dialect.insert(t)
        keys = ("tenant", "day", "source", "event", "path", "code")
        self._connection.execute(
            adding.on_conflict_do_update(
                index_elements=keys,
                set_={
                    "number": t.c.number + adding.excluded.number,
                    "refused": t.c.refused + adding.excluded.refused,
                },
            ),
            [
                {
                    "tenant": tenant,
                    "day": f.day,
                    "source": f.source,
                    "event": f.event[:200],
                    "path": f.path[:200],
                    "code": f.code[:64],
                    "number": f.number,
                    "refused": f.refused,
                }
                for f in faults
            ],
        )

    def faults(self, tenant: int, first_day: str, last_day: str) -> Sequence[IngestFault]:
        """What was counted for these days."""
        t = quality_ingest_fault.c
        query = select(t.day, t.source, t.event, t.path, t.code, t.number, t.refused).where(
            t.tenant == tenant, t.day >= first_day, t.day <= last_day
        )
        return [IngestFault(*row) for row in self._connection.execute(query)]

    def refusals(self, tenant: int, since: int, until: int) -> Sequence[Refusal]:
        """Events received from ``since`` to before ``until`` (ms) that are in quarantine."""
        t = quarantine.c
        columns = (t.source, t.event, t.path, t.code)
        query = (
            select(*columns, func.count())
            .where(t.tenant == tenant, t.at >= since, t.at < until, t.state == "open")
            .group_by(*columns)
            .order_by(*columns)
            .limit(10_000)
        )
        return [Refusal(*row) for row in self._connection.execute(query)]

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
        s, f = quality_score.c, quality_finding.c
        gone = delete(quality_score).where(s.tenant == tenant, s.day == day)
        if kept is not None:
            gone = gone.where(s.dimension != kept)
        self._connection.execute(gone)
        self._connection.execute(delete(quality_finding).where(f.tenant == tenant, f.day == day))
        if scores:
            self._connection.execute(
                insert(quality_score),
                [
                    {
                        "tenant": tenant,
                        "day": day,
                        "source": s.source,
                        "table_name": s.table[:200],
                        "field": s.field[:200],
                        "dimension": s.dimension,
                        "good": s.good,
                        "total": s.total,
                        "computed_at": now,
                    }
                    for s in scores
                ],
            )
        if findings:
            self._connection.execute(
                insert(quality_finding),
                [
                    {
                        "tenant": tenant,
                        "day": day,
                        "source": f.source,
                        "table_name": f.table[:200],
                        "field": f.field[:200],
                        "rule": f.rule,
                        "kind": f.kind,
                        "code": f.code[:64],
                        "checked": f.checked,
                        "failed": f.failed,
                        "examples": json.dumps(list(f.examples), ensure_ascii=False),
                    }
                    for f in findings
                ],
            )

    def scores(self, tenant: int, where: Where) -> Sequence[Score]:
        """Scores per source, table, field and dimension, added up over the days."""
        t = quality_score.c
        columns = (t.source, t.table_name, t.field, t.dimension)
        query = (
            select(*columns, func.sum(t.good), func.sum(t.total))
            .where(*_within(quality_score, tenant, where))
            .group_by(*columns)
            .order_by(*columns)
            .limit(MOST_SCORES)
        )
        return [
            Score("", source, table, field, dimension, int(good), int(total))
            for source, table, field, dimension, good, total in self._connection.execute(query)
        ]

    def trend(self, tenant: int, where: Where) -> Sequence[Score]:
        """Scores per day and dimension, added up over the rest."""
        t = quality_score.c
        query = (
            select(t.day, t.dimension, func.sum(t.good), func.sum(t.total))
            .where(*_within(quality_score, tenant, where))
            .group_by(t.day, t.dimension)
            .order_by(t.day, t.dimension)
        )
        return [
            Score(day, 0, "", "", dimension, int(good), int(total))
            for day, dimension, good, total in self._connection.execute(query)
        ]

    def findings(
        self, tenant: int, where: Where, *, limit: int, before: int | None = None
    ) -> Sequence[Finding]:
        """Newest first, with id below ``before``."""
        t = quality_finding
        query = select(t).where(*_within(t, tenant, where)).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(t.c.id < before)
        return [
            Finding(
                id=row.id,
                day=row.day,
                source=row.source,
                table=row.table_name,
                field=row.field,
                rule=row.rule,
                kind=row.kind,
                code=row.code,
                checked=row.checked,
                failed=row.failed,
                examples=json.loads(row.examples),
            )
            for row in self._connection.execute(query)
        ]

    def alerts(
        self, tenant: int, *, opened: bool, limit: int, before: int | None = None
    ) -> Sequence[Alert]:
        """Newest first."""
        t = quality_alert
        query = select(t).where(t.c.tenant == tenant).order_by(t.c.id.desc()).limit(limit)
        if opened:
            query = query.where(t.c.closed_at.is_(None))
        if before is not None:
            query = query.where(t.c.id < before)
        return [
            Alert(
                id=row.id,
                tenant=row.tenant,
                source=row.source,
                table=row.table_name,
                dimension=row.dimension,
                day=row.day,
                percent=row.percent,
                threshold=row.threshold,
                opened_at=row.opened_at,
                closed_at=row.closed_at,
            )
            for row in self._connection.execute(query)
        ]

    def count_alerts(self, tenant: int) -> int:
        """How many are open."""
        t = quality_alert.c
        query = select(func.count()).where(t.tenant == tenant, t.closed_at.is_(None))
        return int(self._connection.scalar(query) or 0)

    def open_alert(self, alert: Alert) -> None:
        """Open an alert, or bring the open one of the same place up to date."""
        t = quality_alert
        news = {"day": alert.day, "percent": alert.percent, "threshold": alert.threshold}
        done = self._connection.execute(
            update(t)
            .where(
                t.c.tenant == alert.tenant,
                t.c.source == alert.source,
                t.c.table_name == alert.table,
                t.c.dimension == alert.dimension,
                t.c.closed_at.is_(None),
            )
            .values(news)
        )
        if done.rowcount == 0:
            self._connection.execute(
                insert(t).values(
                    tenant=alert.tenant,
                    source=alert.source,
                    table_name=alert.table,
                    dimension=alert.dimension,
                    opened_at=alert.opened_at,
                    **news,
                )
            )

    def close_alerts(self, tenant: int, kept: Collection[int], now: int) -> int:
        """Close every open alert but these."""
        t = quality_alert
        done = self._connection.execute(
            update(t)
            .where(t.c.tenant == tenant, t.c.closed_at.is_(None), t.c.id.not_in(list(kept)))
            .values(closed_at=now)
        )
        return int(done.rowcount)

    def expire(self, before_day: str) -> int:
        """Remove scores, findings and faults of earlier days."""
        tables = (quality_score, quality_finding, quality_ingest_fault)
        return sum(
            self._connection.execute(delete(t).where(t.c.day < before_day)).rowcount for t in tables
        )


def _within(table: Any, tenant: int, where: Where) -> list[Any]:
    t = table.c
    limits = [t.tenant == tenant, t.day >= where.first_day, t.day <= where.last_day]
    for column, value in (
        (t.source, where.source),
        (t.table_name, where.table),
        (t.field, where.field),
    ):
        if value is not None:
            limits.append(column == value)
    return limits
