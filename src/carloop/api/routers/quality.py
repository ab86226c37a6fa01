"""Data quality: the scorecard, its trend, findings and alerts; rules, code tables, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import MOST, CursorText, Limit, decode_cursor, encode_cursor, page_of
from carloop.api.parameters import MAX_ID
from carloop.api.routers.jobs import JobOut, job_out
from carloop.app.imports.job import MOST_JUDGED
from carloop.app.quality.desk import MOST_CODES, Thresholds
from carloop.app.quality.files import parse_rules
from carloop.app.quality.scorecards import MOST_DAYS, USUAL_DAYS
from carloop.core.ports.quality import CodeTable, StoredRule
from carloop.core.scope import Caller, Permission
from carloop.engines.quality import Dimension, Share, parse_rule
from carloop.kit.clock import from_ms
from carloop.kit.errors import InvalidInput

router = APIRouter(tags=["quality"])

Reader = Annotated[Caller, require(Permission.SOURCE_READ)]
Writer = Annotated[Caller, require(Permission.SOURCE_WRITE)]
Runner = Annotated[Caller, require(Permission.JOB_WRITE)]
_TEXT = r"^[^\x00-\x1f\x7f]*$"
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days, today among them.")]
SourceQuery = Annotated[int | None, Query(ge=0, le=MAX_ID, description="0: of no single source.")]
TableQuery = Annotated[str | None, Query(max_length=200, pattern=_TEXT)]
FieldQuery = Annotated[str | None, Query(max_length=200, pattern=_TEXT)]
RuleId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
TableName = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,100}$")]
TableText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TEXT)]
SourceNumber = Annotated[int, Field(ge=0, le=MAX_ID)]
Percent = Annotated[float, Field(ge=0, le=100)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TEXT)]
CodeTitle = Annotated[str, StringConstraints(max_length=200, pattern=_TEXT)]


class ShareOut(BaseModel):
    """One dimension: `good` of `total`; `percent` null where nothing was judged."""

    dimension: Dimension
    percent: float | None
    good: int
    total: int


class CardOut(BaseModel):
    """One dimension of everything; `before`: percent of as many days before."""

    dimension: Dimension
    percent: float | None
    good: int
    total: int
    before: float | None


class SummaryOut(BaseModel):
    """The four dimensions over the last days, and how many alerts are open."""

    days: int
    dimensions: list[CardOut]
    alerts: int


class ScoreOut(BaseModel):
    """A source, table or field; `table` and `field` are empty where finer ones are added up.

    `source` 0: what is judged across sources. `table`: an event, or `entity:<type>`.
    """

    source: int
    table: str
    field: str
    dimensions: list[ShareOut]


class ScorePage(BaseModel):
    """Scores by source, table, field."""

    items: list[ScoreOut]
    next_cursor: str | None


class TrendPoint(BaseModel):
    """One day."""

    day: str
    dimensions: list[ShareOut]


class TrendOut(BaseModel):
    """Days that have scores, oldest first."""

    points: list[TrendPoint]


class FindingOut(BaseModel):
    """What one rule found in one field on one day.

    `rule` is empty where ingest found it. `examples`: the event's id, and the shape of what was
    there (9 a digit, A a letter); or a code that no table knows, with how many hold it.
    """

    id: int
    day: str
    source: int
    table: str
    field: str
    rule: str
    kind: str
    code: str
    checked: int
    failed: int
    examples: list[dict[str, str]]


class FindingPage(BaseModel):
    """Newest first."""

    items: list[FindingOut]
    next_cursor: str | None


class AlertOut(BaseModel):
    """A score below its threshold; `closed_at` null while it is."""

    id: int
    source: int
    table: str
    dimension: Dimension
    day: str
    percent: float
    threshold: float
    opened_at: datetime
    closed_at: datetime | None


class AlertPage(BaseModel):
    """Newest first."""

    items: list[AlertOut]
    next_cursor: str | None


class QualityRuleOut(BaseModel):
    """A rule; `key` names a built-in one, `source` 0 and `table` `*` mean every one."""

    id: str
    key: str
    builtin: bool
    source: int
    table: str
    rule: dict[str, Any]
    dimension: Dimension
    enabled: bool
    revision: int
    updated_at: datetime


class QualityRulePage(BaseModel):
    """Rules, oldest first."""

    items: list[QualityRuleOut]
    next_cursor: str | None


class QualityRuleBody(BaseModel):
    """A new rule; `rule` is its document, such as `{"kind": "range", "field": "score"}`."""

    rule: dict[str, Any]
    source: SourceNumber = 0
    table: TableText = "*"
    enabled: bool = True


class QualityRulePatch(BaseModel):
    """What to change; what is absent stays."""

    rule: dict[str, Any] | None = None
    source: SourceNumber | None = None
    table: TableText | None = None
    enabled: bool | None = None


class CodeTableOut(BaseModel):
    """A code table; `number` of codes."""

    name: str
    number: int
    updated_by: str
    updated_at: datetime


class CodeTablePage(BaseModel):
    """Code tables by name."""

    items: list[CodeTableOut]
    next_cursor: str | None


class CodeOut(BaseModel):
    """One code and what it means."""

    code: str
    title: str


class CodePage(BaseModel):
    """Codes in order."""

    items: list[CodeOut]
    next_cursor: str | None


class CodeBody(BaseModel):
    """One code and what it means."""

    code: Code
    title: CodeTitle = ""


class CodeTableBody(BaseModel):
    """All codes of a table."""

    codes: Annotated[list[CodeBody], Field(min_length=1, max_length=MOST_CODES)]


class SourceDelay(BaseModel):
    """The longest delay of one source."""

    source: Annotated[int, Field(ge=1, le=MAX_ID)]
    sla_seconds: Seconds


class ThresholdsDoc(BaseModel):
    """What is expected: percents per dimension, and how late an event may arrive."""

    timeliness: Percent
    completeness: Percent
    correctness: Percent
    consistency: Percent
    sla_seconds: Seconds
    sources: Annotated[list[SourceDelay], Field(max_length=1000)]


class RunBody(BaseModel):
    """How many days to compute, today among them."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = USUAL_DAYS


class ProfileOut(BaseModel):
    """A file judged: scores, columns, findings with rows, and the rules that were applied."""

    rows: int
    unreadable: int
    complete: bool
    scores: list[dict[str, Any]]
    columns: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    skipped: list[dict[str, Any]]


@router.get("/api/quality/summary", operation_id="get_quality_summary")
def get_quality_summary(caller: Reader, use: Use, days: Days = USUAL_DAYS) -> SummaryOut:
    """The scorecard: timeliness, completeness, correctness, consistency, 0 to 100 % each."""
    summary = use.scorecards.summary(caller, days)
    return SummaryOut(
        days=days,
        dimensions=[
            CardOut(
                before=summary.before.get(dimension, Share()).percent,
                **_share(dimension, summary.shares).model_dump(),
            )
            for dimension in Dimension
        ],
        alerts=summary.alerts,
    )


@router.get("/api/quality/scores", operation_id="list_quality_scores")
def list_quality_scores(
    caller: Reader,
    use: Use,
    level: Literal["source", "table", "field"] = "source",
    days: Days = USUAL_DAYS,
    source: SourceQuery = None,
    table: TableQuery = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> ScorePage:
    """Scores per source, per table of a source, or per field of a table."""
    rows = use.scorecards.scores(caller, level, days, source, table)
    page, more = page_of(rows, lambda row: (row.source, row.table, row.field), cursor, limit)
    return ScorePage(
        items=[
            ScoreOut(
                source=row.source,
                table=row.table,
                field=row.field,
                dimensions=[_share(dimension, row.shares) for dimension in Dimension],
            )
            for row in page
        ],
        next_cursor=more,
    )


@router.get("/api/quality/trend", operation_id="get_quality_trend")
def get_quality_trend(
    caller: Reader,
    use: Use,
    days: Days = 30,
    source: SourceQuery = None,
    table: TableQuery = None,
    field: FieldQuery = None,
) -> TrendOut:
    """Scores day by day, of everything or of one source, table or field."""
    points = use.scorecards.trend(caller, days, source, table, field)
    return TrendOut(
        points=[
            TrendPoint(day=day, dimensions=[_share(dimension, shares) for dimension in Dimension])
            for day, shares in points
        ]
    )


@router.get("/api/quality/findings", operation_id="list_quality_findings")
def list_quality_findings(
    caller: Reader,
    use: Use,
    days: Days = USUAL_DAYS,
    source: SourceQuery = None,
    table: TableQuery = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> FindingPage:
    """What rules found, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.scorecards.findings(caller, days, source, table, limit=limit + 1, before=before)
    return FindingPage(
        items=[
            FindingOut(
                id=f.id,
                day=f.day,
                source=f.source,
                table=f.table,
                field=f.field,
                rule=f.rule,
                kind=f.kind,
                code=f.code,
                checked=f.checked,
                failed=f.failed,
                examples=[dict(example) for example in f.examples],
            )
            for f in found[:limit]
        ],
        next_cursor=encode_cursor(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/api/quality/alerts", operation_id="list_quality_alerts")
def list_quality_alerts(
    caller: Reader,
    use: Use,
    state: Literal["open", "all"] = "open",
    limit: Limit = 50,
    cursor: CursorText = None,
) -> AlertPage:
    """Scores below their thresholds, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.scorecards.alerts(caller, opened=state == "open", limit=limit + 1, before=before)
    return AlertPage(
        items=[
            AlertOut(
                id=a.id,
                source=a.source,
                table=a.table,
                dimension=Dimension(a.dimension),
                day=a.day,
                percent=a.percent,
                threshold=a.threshold,
                opened_at=from_ms(a.opened_at),
                closed_at=None if a.closed_at is None else from_ms(a.closed_at),
            )
            for a in found[:limit]
        ],
        next_cursor=encode_cursor(found[limit - 1].id) if len(found) > limit else None,
    )


@router.post("/api/quality/run", operation_id="run_quality", status_code=202)
def run_quality(body: RunBody, caller: Runner, use: Use) -> JobOut:
    """Compute the scorecard of the last days now, as a job."""
    return job_out(use.scorecards.submit(caller, body.days))


@router.get("/api/quality/rules", operation_id="list_quality_rules")
def list_quality_rules(
    caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None
) -> QualityRulePage:
    """All rules, oldest first."""
    rows = {rule.id: rule for rule in use.quality.rules(caller)}
    page, more = page_of(list(rows), lambda number: (number,), cursor, limit)
    return QualityRulePage(items=[_rule(rows[number]) for number in page], next_cursor=more)


@router.post("/api/quality/rules", operation_id="add_quality_rule", status_code=201)
def add_quality_rule(
    body: QualityRuleBody, caller: Writer, response: Response, use: Use
) -> QualityRuleOut:
    """Add a rule on the events of a table; it counts from the next run."""
    added = use.quality.add(
        caller, body.rule, source=body.source, table=body.table, enabled=body.enabled
    )
    response.headers["ETag"] = etag(added.revision)
    return _rule(added)


@router.get("/api/quality/rules/{id}", operation_id="get_quality_rule")
def get_quality_rule(id: RuleId, caller: Reader, response: Response, use: Use) -> QualityRuleOut:
    """One rule, with the ETag to change it by."""
    found = use.quality.rule(caller, id)
    response.headers["ETag"] = etag(found.revision)
    return _rule(found)


@router.patch("/api/quality/rules/{id}", operation_id="update_quality_rule")
def update_quality_rule(
    id: RuleId,
    body: QualityRulePatch,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> QualityRuleOut:
    """Switch a rule on or off, or change what it says."""
    wanted = {
        k: v for k, v in body.model_dump(include=body.model_fields_set).items() if v is not None
    }
    changed = use.quality.change(caller, id, version_of(if_match), wanted)
    response.headers["ETag"] = etag(changed.revision)
    return _rule(changed)


@router.delete("/api/quality/rules/{id}", operation_id="remove_quality_rule", status_code=204)
def remove_quality_rule(id: RuleId, caller: Writer, use: Use) -> None:
    """Remove a rule; a built-in one does not come back."""
    use.quality.remove(caller, id)


@router.get("/api/quality/codes", operation_id="list_code_tables")
def list_code_tables(
    caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> CodeTablePage:
    """Code tables by name."""
    tables = {table.name: table for table in use.quality.code_tables(caller)}
    page, more = page_of(list(tables), lambda name: (name,), cursor, limit)
    return CodeTablePage(items=[_code_table(tables[name]) for name in page], next_cursor=more)


@router.get("/api/quality/codes/{name}", operation_id="list_codes")
def list_codes(
    name: TableName, caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> CodePage:
    """The codes of one table."""
    codes: Mapping[str, str] = use.quality.code_table(caller, name).codes
    page, more = page_of(list(codes), lambda code: (code,), cursor, limit)
    return CodePage(
        items=[CodeOut(code=code, title=codes[code]) for code in page], next_cursor=more
    )


@router.put("/api/quality/codes/{name}", operation_id="save_code_table")
def save_code_table(name: TableName, body: CodeTableBody, caller: Writer, use: Use) -> CodeTableOut:
    """Import a code table, in place of one of the same name; rules follow at the next run."""
    codes = {one.code: one.title for one in body.codes}
    return _code_table(use.quality.save_code_table(caller, name, codes))


@router.delete("/api/quality/codes/{name}", operation_id="remove_code_table", status_code=204)
def remove_code_table(name: TableName, caller: Writer, use: Use) -> None:
    """Forget a code table; rules that name it judge nothing then."""
    use.quality.remove_code_table(caller, name)


@router.get("/api/quality/thresholds", operation_id="get_quality_thresholds")
def get_quality_thresholds(caller: Reader, use: Use) -> ThresholdsDoc:
    """What is expected of each dimension."""
    return _thresholds(use.quality.thresholds(caller))


@router.put("/api/quality/thresholds", operation_id="set_quality_thresholds")
def set_quality_thresholds(body: ThresholdsDoc, caller: Writer, use: Use) -> ThresholdsDoc:
    """Say what is expected; alerts follow at the next run."""
    wanted = Thresholds(
        percent={dimension.value: getattr(body, dimension.value) for dimension in Dimension},
        sla_seconds=body.sla_seconds,
        sources={one.source: one.sla_seconds for one in body.sources},
    )
    return _thresholds(use.quality.set_thresholds(caller, wanted))


@router.post("/api/quality/profile", operation_id="profile_file")
def profile_file(
    caller: Runner,
    use: Use,
    file: Annotated[UploadFile, File(description="CSV, JSON lines, Parquet or Excel.")],
    rules: Annotated[
        str, Form(max_length=1_000_000, description="Rules as a JSON list; empty: suggested.")
    ] = "",
    zone: Annotated[str, Form(max_length=64, description="Zone of times without offset.")] = (
        "Asia/Shanghai"
    ),
) -> ProfileOut:
    """Judge a file before it is imported; nothing is kept."""
    chosen = parse_rules(rules)
    if "\x00" in zone:
        raise InvalidInput("not an IANA time zone", code="zone_unknown", path="zone")
    path = use.imports.receive(file.file, file.filename or "")
    try:
        found = use.file_quality.profile(
            path, tenant=caller.scope.tenant, rules=chosen, zone=zone, most=MOST_JUDGED
        )
    finally:
        path.unlink(missing_ok=True)
    return ProfileOut(**found)


def _share(dimension: Dimension, shares: Mapping[str, Share]) -> ShareOut:
    share = shares.get(dimension, Share())
    return ShareOut(dimension=dimension, percent=share.percent, good=share.good, total=share.total)


def _rule(stored: StoredRule) -> QualityRuleOut:
    rule = json.loads(stored.definition)
    return QualityRuleOut(
        id=stored.uuid,
        key=stored.key,
        builtin=stored.key != stored.uuid,
        source=stored.source,
        table=stored.table,
        rule=rule,
        dimension=parse_rule(rule).dimension,
        enabled=stored.enabled,
        revision=stored.revision,
        updated_at=from_ms(stored.updated_at),
    )


def _code_table(table: CodeTable) -> CodeTableOut:
    return CodeTableOut(
        name=table.name,
        number=len(table.codes),
        updated_by=table.updated_by,
        updated_at=from_ms(table.updated_at),
    )


def _thresholds(kept: Thresholds) -> ThresholdsDoc:
    return ThresholdsDoc(
        **{dimension.value: kept.percent[dimension] for dimension in Dimension},
        sla_seconds=kept.sla_seconds,
        sources=[SourceDelay(source=n, sla_seconds=s) for n, s in sorted(kept.sources.items())],
    )
