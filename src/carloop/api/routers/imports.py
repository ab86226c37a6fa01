"""File import: look at a file, queue its import, fetch the rows that were refused."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.api.routers.jobs import JobId, JobOut, job_out
from carloop.app.imports import Mapping, parse_mapping
from carloop.app.imports.run import SAMPLE_ROWS
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms
from carloop.kit.errors import InvalidInput

router = APIRouter(tags=["imports"])

Writer = Annotated[Caller, require(Permission.JOB_WRITE)]
Upload = Annotated[UploadFile, File(description="CSV, JSON lines, Parquet or Excel.")]
MappingText = Annotated[str, Form(description="A mapping as JSON; empty: suggested.")]
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
MappingName = Annotated[
    str, Form(max_length=128, pattern=PRINTABLE, description="Name of a saved mapping.")
]
EventName = Annotated[str, Form(max_length=128, description="Event of a suggested mapping.")]
Zone = Annotated[str, Form(max_length=64, description="Zone of times without offset.")]
Name = Annotated[str, Path(min_length=1, max_length=128, pattern=PRINTABLE)]
SourceName = Annotated[str, Form(min_length=1, max_length=128, pattern=PRINTABLE)]


class ColumnOut(BaseModel):
    """A column, how many of the first 1000 rows fill it, and some of its values."""

    name: str
    filled: int
    examples: list[str]


class PreviewOut(BaseModel):
    """What a file seems to hold; `report` is a trial on its first 1000 rows.

    `report.quality`: what rules of data quality say of them.
    """

    columns: list[ColumnOut]
    mapping: dict[str, Any]
    report: dict[str, Any]
    encoding: str
    total: int | None


class MappingOut(BaseModel):
    """A saved mapping."""

    name: str
    mapping: dict[str, Any]
    saved_at: str


class MappingPage(BaseModel):
    """All saved mappings."""

    items: list[MappingOut]
    next_cursor: str | None


@router.post("/api/imports/preview", operation_id="preview_import")
def preview_import(
    caller: Writer,
    use: Use,
    file: Upload,
    mapping: MappingText = "",
    mapping_name: MappingName = "",
    event: EventName = "",
    zone: Zone = "Asia/Shanghai",
) -> PreviewOut:
    """Look at a file and suggest a mapping; nothing is kept."""
    path = use.imports.receive(file.file, file.filename or "")
    try:
        preview = use.imports.imports.preview(
            path,
            mapping=_given(use, caller, mapping, mapping_name),
            event=event or None,
            zone=zone,
        )
        judged = use.imports.judged(caller.scope.tenant, path, preview.mapping.text(), SAMPLE_ROWS)
    finally:
        path.unlink(missing_ok=True)
    return PreviewOut(
        columns=[
            ColumnOut(name=c.name, filled=c.filled, examples=list(c.examples))
            for c in preview.columns
        ],
        mapping=preview.mapping.model_dump(mode="json", by_alias=True),
        report={**preview.report.document(), **judged},
        encoding=preview.encoding,
        total=preview.total,
    )


@router.post("/api/imports", operation_id="create_import", status_code=202)
def create_import(
    caller: Writer,
    use: Use,
    file: Upload,
    source: SourceName,
    mapping: MappingText = "",
    mapping_name: MappingName = "",
    event: EventName = "",
    zone: Zone = "Asia/Shanghai",
    dry_run: Annotated[bool, Form()] = False,
    again: Annotated[bool, Form()] = False,
) -> JobOut:
    """Queue the import of a file; without a mapping, the suggested one is used."""
    path = use.imports.receive(file.file, file.filename or "")
    try:
        chosen = _given(use, caller, mapping, mapping_name)
        if chosen is None:
            chosen = use.imports.imports.preview(path, event=event or None, zone=zone).mapping
        job = use.imports.submit(caller, path, chosen, source=source, dry_run=dry_run, again=again)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return job_out(job)


@router.get("/api/imports/mappings", operation_id="list_import_mappings")
def list_import_mappings(
    caller: Writer, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> MappingPage:
    """Saved mappings by name."""
    mappings = use.imports.imports.mappings(caller.scope.tenant)
    found, more = page_of(mappings, lambda it: (it.name,), cursor, limit)
    return MappingPage(
        items=[
            MappingOut(
                name=saved.name,
                mapping=parse_mapping(saved.text).model_dump(mode="json", by_alias=True),
                saved_at=from_ms(saved.saved_at).isoformat(),
            )
            for saved in found
        ],
        next_cursor=more,
    )


@router.put("/api/imports/mappings/{name}", operation_id="save_import_mapping", status_code=204)
def save_import_mapping(caller: Writer, use: Use, name: Name, body: Mapping) -> None:
    """Save a mapping, in place of one of the same name."""
    use.imports.imports.save_mapping(caller.scope.tenant, name, body)


@router.get("/api/imports/{id}/errors", operation_id="get_import_errors")
def get_import_errors(caller: Writer, use: Use, id: JobId) -> FileResponse:
    """Rows that were refused or cells that were left out, as CSV; never a value."""
    path = use.imports.errors(caller, id)
    return FileResponse(path, media_type="text/csv", filename="errors.csv")


def _given(use: Use, caller: Caller, text: str, name: str) -> Mapping | None:
    if text and name:
        raise InvalidInput("either mapping or mapping_name", path="mapping_name")
    if name:
        return use.imports.imports.mapping(caller.scope.tenant, name)
    return parse_mapping(text) if text else None
