"""Segments: count a rule, save it, open its people."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import Name
from carloop.app.persons.views import PersonSummary
from carloop.app.segments.audiences import Counted
from carloop.app.segments.saved import People, SegmentView
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms
from carloop.rules import RuleDocument, dump

router = APIRouter(tags=["segments"])

Reader = Annotated[Caller, require(Permission.SEGMENT_READ)]
Writer = Annotated[Caller, require(Permission.SEGMENT_WRITE)]
PersonReader = Annotated[Caller, require(Permission.PERSON_READ)]
SegmentId = Annotated[UUID, Path(description="Public id of the segment.")]
Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class RuleBody(BaseModel):
    """A rule to ask."""

    rule: RuleDocument


class CountOut(BaseModel):
    """How many persons; null with `suppressed` where fewer than ten may not be told."""

    count: int | None
    suppressed: bool
    took_ms: int
    sentence: dict[str, str]
    as_of: datetime


class SqlOut(BaseModel):
    """The query a rule becomes, with the values it binds; identifying values as blind indexes."""

    sql: str
    params: dict[str, Any]


class SegmentOut(BaseModel):
    """A segment with its size as of its last refresh."""

    id: UUID
    name: str
    description: str
    rule: dict[str, Any]
    state: str
    count: int | None
    suppressed: bool
    refreshed_at: datetime | None
    sentence: dict[str, str]
    etag: str
    created_by: str
    created_at: datetime
    deleted_at: datetime | None


class SegmentPage(BaseModel):
    """Segments, newest first."""

    items: list[SegmentOut]
    next_cursor: str | None


class SegmentBody(BaseModel):
    """A new segment."""

    name: Name
    description: Description = ""
    rule: RuleDocument


class SegmentPatch(BaseModel):
    """What to change; what is absent stays."""

    name: Name | None = None
    description: Description | None = None
    rule: RuleDocument | None = None


class MemberPage(BaseModel):
    """Persons by number; `total` is how many there are in all."""

    items: list[PersonSummary]
    next_cursor: str | None
    total: int


@router.post("/api/segments/count", operation_id="count_segment")
def count_segment(caller: Reader, use: Use, body: RuleBody) -> CountOut:
    """How many persons a rule means now."""
    started, now = perf_counter(), use.clock.now()
    audiences = use.audiences
    rule = audiences.parse(body.rule)
    counted = Counted.of(audiences.count(rule, caller.scope), caller.scope)
    return CountOut(
        count=counted.count,
        suppressed=counted.suppressed,
        took_ms=round((perf_counter() - started) * 1000),
        sentence=audiences.sentence(rule, caller.scope.tenant),
        as_of=now,
    )


@router.post("/api/segments/sql", operation_id="explain_segment")
def explain_segment(caller: Reader, use: Use, body: RuleBody) -> SqlOut:
    """The SQL that a rule runs as."""
    query = use.audiences.sql(use.audiences.parse(body.rule), caller.scope)
    return SqlOut(sql=query.text, params=dict(query.params))


@router.get("/api/segments", operation_id="list_segments")
def list_segments(
    caller: Reader,
    use: Use,
    deleted: Annotated[bool, Query(description="The deleted ones instead.")] = False,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> SegmentPage:
    """Segments, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.segments.page(caller, deleted=deleted, before=before, limit=limit + 1)
    more = encode_cursor(found[limit - 1].segment.id) if len(found) > limit else None
    return SegmentPage(items=[_out(view) for view in found[:limit]], next_cursor=more)


@router.post("/api/segments", operation_id="create_segment", status_code=201)
def create_segment(caller: Writer, use: Use, body: SegmentBody, response: Response) -> SegmentOut:
    """Save a rule as a segment."""
    view = use.segments.create(caller, body.name, body.description, body.rule)
    return _tagged(view, response)


@router.get("/api/segments/{id}", operation_id="get_segment")
def get_segment(caller: Reader, use: Use, id: SegmentId, response: Response) -> SegmentOut:
    """One segment, with the ETag to change it by."""
    return _tagged(use.segments.get(caller, str(id)), response)


@router.patch("/api/segments/{id}", operation_id="update_segment")
def update_segment(
    caller: Writer,
    use: Use,
    id: SegmentId,
    body: SegmentPatch,
    response: Response,
    if_match: IfMatch = None,
) -> SegmentOut:
    """Rename a segment or change its rule."""
    view = use.segments.change(
        caller,
        str(id),
        version_of(if_match),
        name=body.name,
        description=body.description,
        rule=body.rule,
    )
    return _tagged(view, response)


@router.delete("/api/segments/{id}", operation_id="delete_segment", status_code=204)
def delete_segment(caller: Writer, use: Use, id: SegmentId) -> None:
    """Put a segment aside; it can be restored."""
    use.segments.delete(caller, str(id))


@router.post("/api/segments/{id}/restore", operation_id="restore_segment")
def restore_segment(caller: Writer, use: Use, id: SegmentId, response: Response) -> SegmentOut:
    """Bring a deleted segment back."""
    return _tagged(use.segments.restore(caller, str(id)), response)


@router.post("/api/segments/{id}/refresh", operation_id="refresh_segment")
def refresh_segment(caller: Writer, use: Use, id: SegmentId, response: Response) -> SegmentOut:
    """Compute now who is in it."""
    return _tagged(use.segments.refresh(caller, str(id)), response)


@router.get("/api/segments/{id}/members", operation_id="list_segment_members")
def list_segment_members(
    caller: PersonReader, use: Use, id: SegmentId, limit: Limit = 50, cursor: CursorText = None
) -> MemberPage:
    """The persons in it, as many as its count says."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    return member_page(use.segments.members(caller, str(id), after, limit))


def member_page(people: People) -> MemberPage:
    """A page of persons as the API gives it."""
    more = None if people.last is None else encode_cursor(people.last)
    return MemberPage(items=list(people.items), next_cursor=more, total=people.total)


def _tagged(view: SegmentView, response: Response) -> SegmentOut:
    response.headers["ETag"] = etag(view.segment.version)
    return _out(view)


def _out(view: SegmentView) -> SegmentOut:
    segment = view.segment
    return SegmentOut(
        id=UUID(segment.uuid),
        name=segment.name,
        description=segment.description,
        rule=dump(view.rule),
        state=view.state,
        count=view.counted.count,
        suppressed=view.counted.suppressed,
        refreshed_at=None if view.refreshed_at is None else from_ms(view.refreshed_at),
        sentence=dict(view.sentence),
        etag=etag(segment.version),
        created_by=segment.created_by,
        created_at=from_ms(segment.created_at),
        deleted_at=None if segment.deleted_at is None else from_ms(segment.deleted_at),
    )
