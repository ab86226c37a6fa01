"""The tracking plan: events under work, touchpoints, versions, import and export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor, page_of
from carloop.api.parameters import MAX_ID
from carloop.app.tracking.changes import Change
from carloop.app.tracking.desk import Preview
from carloop.app.tracking.files import MOST_BYTES, WORKBOOK
from carloop.core.ports.plan import PlanVersion
from carloop.core.scope import Caller, Permission
from carloop.core.tracking import (
    PlanSettings,
    Severities,
    Severity,
    Touchpoint,
)
from carloop.kit.clock import from_ms
from carloop.kit.errors import TooLarge

router = APIRouter(tags=["plan"])

Reader = Annotated[Caller, require(Permission.SOURCE_READ)]
Writer = Annotated[Caller, require(Permission.SOURCE_WRITE)]
Days = Annotated[int, Query(ge=1, le=90, description="How many days back events count.")]
Text = Annotated[str, StringConstraints(max_length=200)]
Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
VersionId = Annotated[int, Path(ge=1, le=MAX_ID)]
VersionQuery = Annotated[int | None, Query(ge=0, le=MAX_ID)]
Upload = Annotated[UploadFile, File(description="YAML (`.yaml`) or Excel (`.xlsx`), 1 MiB.")]
Mode = Annotated[
    Literal["merge", "replace"],
    Form(description="`merge` keeps what the file does not name; `replace` takes it away."),
]
Titles = dict[Literal["zh", "en"], Text]


class PlanOut(BaseModel):
    """The plan under work; `version` null: nothing was published yet."""

    version: int | None
    published_at: datetime | None
    events: int
    points: int
    touchpoints: int
    waiting: int


class TouchpointDocument(BaseModel):
    """A place of collection; `sources`: names of the sources that send from there."""

    name: Text
    title: Titles
    sources: Annotated[list[Text], Field(max_length=50)]


class SeveritiesDocument(BaseModel):
    """What becomes of departures from the published plan: `flag` or `quarantine`."""

    unplanned_event: Severity
    unplanned_property: Severity
    violation: Severity


class SourceSeverities(SeveritiesDocument):
    """The same for one source."""

    source: Annotated[int, Field(ge=1, le=MAX_ID)]


class PlanSettingsDocument(BaseModel):
    """Touchpoints, and what becomes of departures by default and for single sources."""

    touchpoints: Annotated[list[TouchpointDocument], Field(max_length=200)]
    default: SeveritiesDocument
    sources: Annotated[list[SourceSeverities], Field(max_length=500)]


class MemberOut(BaseModel):
    """One member of a document; null: it is not there."""

    path: str
    before: str | None
    after: str | None


class ChangeOut(BaseModel):
    """What happened to one event or touchpoint."""

    subject: str
    name: str
    kind: str
    members: list[MemberOut]


class ChangePage(BaseModel):
    """Changes, touchpoints first; counts are of all of them."""

    items: list[ChangeOut]
    next_cursor: str | None
    added: int
    removed: int
    changed: int


class FaultOut(BaseModel):
    """What is wrong where."""

    path: str
    code: str


class ImportPreviewOut(BaseModel):
    """What an import does; with faults, nothing. At most 500 changes are shown."""

    changes: list[ChangeOut]
    added: int
    removed: int
    changed: int
    faults: list[FaultOut]


class PlanVersionOut(BaseModel):
    """A published version; `restored`: the version that it brought back."""

    version: int
    events: int
    points: int
    note: str
    restored: int | None
    created_by: str
    created_at: datetime


class PlanVersionPage(BaseModel):
    """Published versions, newest first."""

    items: list[PlanVersionOut]
    next_cursor: str | None


class PublishBody(BaseModel):
    """Why a version is published."""

    note: Note = ""


@router.get("/api/plan", operation_id="get_plan")
def get_plan(caller: Reader, response: Response, use: Use) -> PlanOut:
    """The plan under work in numbers; its ETag guards publishing, restoring and importing."""
    work = use.plan.work(caller)
    response.headers["ETag"] = etag(work.tag)
    return PlanOut(
        version=work.version.version if work.version else None,
        published_at=from_ms(work.version.created_at) if work.version else None,
        events=len(work.whole.events),
        points=work.whole.points,
        touchpoints=len(work.whole.touchpoints),
        waiting=len(work.waiting),
    )


@router.get("/api/plan/settings", operation_id="get_plan_settings")
def get_plan_settings(caller: Reader, response: Response, use: Use) -> PlanSettingsDocument:
    """Touchpoints and severities, with the ETag to change them by."""
    settings, touchpoints, revision = use.plan.settings(caller)
    response.headers["ETag"] = etag(revision)
    return _settings(settings, list(touchpoints.values()))


@router.put("/api/plan/settings", operation_id="save_plan_settings")
def save_plan_settings(
    body: PlanSettingsDocument,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> PlanSettingsDocument:
    """Change them. Severities hold at once; touchpoints are published with the plan."""
    settings, touchpoints, revision = use.plan.save_settings(
        caller,
        PlanSettings(
            default=_severities(body.default),
            sources={one.source: _severities(one) for one in body.sources},
        ),
        [place.model_dump(mode="json") for place in body.touchpoints],
        version_of(if_match),
    )
    response.headers["ETag"] = etag(revision)
    return _settings(settings, list(touchpoints.values()))


@router.get("/api/plan/versions", operation_id="list_plan_versions")
def list_plan_versions(
    caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None
) -> PlanVersionPage:
    """Published versions, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.plan.versions(caller, before=before, limit=limit + 1)
    return PlanVersionPage(
        items=[_version(one) for one in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].version) if len(found) > limit else None,
    )


@router.post("/api/plan/versions", operation_id="publish_plan", status_code=201)
def publish_plan(
    body: PublishBody, caller: Writer, use: Use, if_match: IfMatch = None
) -> PlanVersionOut:
    """Make the plan under work the next version."""
    return _version(use.plan.publish(caller, body.note, version_of(if_match)))


@router.post("/api/plan/versions/{id}/restore", operation_id="restore_plan", status_code=201)
def restore_plan(
    id: VersionId, body: PublishBody, caller: Writer, use: Use, if_match: IfMatch = None
) -> PlanVersionOut:
    """Bring an earlier version back, as the next version; the plan under work is replaced."""
    return _version(use.plan.restore(caller, id, body.note, version_of(if_match)))


@router.get("/api/plan/changes", operation_id="list_plan_changes")
def list_plan_changes(
    caller: Reader,
    use: Use,
    old: Annotated[int, Query(ge=0, le=MAX_ID, description="0: the packs alone.")],
    new: Annotated[int | None, Query(ge=0, le=MAX_ID, description="None: under work.")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> ChangePage:
    """What changed from one version to another, or to the plan under work."""
    changes = use.plan.between(caller, old, new)
    found, more = page_of(changes, lambda it: (it.subject, it.name), cursor, limit)
    return ChangePage(items=[_change(one) for one in found], next_cursor=more, **_kinds(changes))


@router.post("/api/plan/import/preview", operation_id="preview_plan_import")
def preview_plan_import(
    caller: Reader, use: Use, file: Upload, mode: Mode = "merge"
) -> ImportPreviewOut:
    """What importing a file would change; nothing is kept."""
    return _preview(use.plan.preview(caller, file.filename or "", _body(file), mode))


@router.post("/api/plan/import", operation_id="import_plan")
def import_plan(
    caller: Writer, use: Use, file: Upload, mode: Mode = "merge", if_match: IfMatch = None
) -> ImportPreviewOut:
    """Import a file into the plan under work; publishing is another step."""
    tag = version_of(if_match)
    return _preview(use.plan.load(caller, file.filename or "", _body(file), mode, tag))


@router.get("/api/plan/export", operation_id="export_plan", response_class=Response)
def export_plan(
    caller: Reader,
    use: Use,
    format: Literal["yaml", "xlsx"] = "yaml",
    version: VersionQuery = None,
) -> Response:
    """The whole plan, the packs' events included: under work, or a version."""
    body = use.plan.export(caller, format, version)
    kind = "application/yaml" if format == "yaml" else WORKBOOK
    name = f'attachment; filename="tracking-plan.{format}"'
    return Response(body, media_type=kind, headers={"Content-Disposition": name})


def _body(file: UploadFile) -> bytes:
    body = file.file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES} bytes", code="too_large_plan")
    return body


def _settings(settings: PlanSettings, touchpoints: list[Touchpoint]) -> PlanSettingsDocument:
    return PlanSettingsDocument(
        touchpoints=[
            TouchpointDocument(name=t.name, title=_titles(t.title), sources=list(t.sources))
            for t in touchpoints
        ],
        default=SeveritiesDocument(**_told(settings.default)),
        sources=[
            SourceSeverities(source=number, **_told(one))
            for number, one in sorted(settings.sources.items())
        ],
    )


def _titles(title: object) -> Titles:
    return dict(title)  # type: ignore[call-overload, no-any-return]


def _told(severities: Severities) -> dict[str, Severity]:
    return {
        "unplanned_event": severities.unplanned_event,
        "unplanned_property": severities.unplanned_property,
        "violation": severities.violation,
    }


def _severities(body: SeveritiesDocument) -> Severities:
    return Severities(body.unplanned_event, body.unplanned_property, body.violation)


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        subject=change.subject,
        name=change.name,
        kind=change.kind,
        members=[MemberOut(path=m.path, before=m.before, after=m.after) for m in change.members],
    )


def _kinds(changes: object) -> dict[str, int]:
    kinds = [change.kind for change in changes]  # type: ignore[attr-defined]
    return {kind: kinds.count(kind) for kind in ("added", "removed", "changed")}


def _preview(preview: Preview) -> ImportPreviewOut:
    return ImportPreviewOut(
        changes=[_change(one) for one in preview.changes[:500]],
        faults=[FaultOut(path=fault.path, code=fault.code) for fault in preview.faults],
        **_kinds(preview.changes),
    )


def _version(version: PlanVersion) -> PlanVersionOut:
    return PlanVersionOut(
        version=version.version,
        events=version.events,
        points=version.points,
        note=version.note,
        restored=version.restored,
        created_by=version.created_by,
        created_at=from_ms(version.created_at),
    )
