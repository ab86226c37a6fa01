"""Persons: found by any identifier, seen from all sides, split, merged, revealed, erased."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.paging import MOST, CursorText, Limit, decode_cursor, encode_cursor, page_of
from carloop.api.parameters import MAX_ID
from carloop.app.erasure import ERASE
from carloop.app.persons.views import EventView, GraphView, LogView, PersonSummary, PersonView
from carloop.core.scope import Caller, Permission
from carloop.kit.errors import InvalidInput

router = APIRouter(tags=["persons"])

Reader = Annotated[Caller, require(Permission.PERSON_READ)]
Writer = Annotated[Caller, require(Permission.PERSON_WRITE)]
Revealer = Annotated[Caller, require(Permission.PERSON_REVEAL)]
Exporter = Annotated[Caller, require(Permission.PERSON_EXPORT)]
Eraser = Annotated[Caller, require(Permission.PERSON_ERASE)]
PersonId = Annotated[UUID, Path(description="Public id; ids of merged persons work too.")]
Line = r"^[^\x00-\x1f\x7f]*$"
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=Line)
]
Text = Annotated[str, Query(min_length=1, max_length=400, pattern=Line)]


class PersonPage(BaseModel):
    """Persons found, masked."""

    items: list[PersonSummary]
    next_cursor: str | None


class EventPage(BaseModel):
    """Events, newest first."""

    items: list[EventView]
    next_cursor: str | None


class LogPage(BaseModel):
    """Merges and splits, newest first."""

    items: list[LogView]
    next_cursor: str | None


class SplitBody(BaseModel):
    """Which identifiers (by number) are somebody else's, and why."""

    identifiers: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_ID)]], Field(min_length=1, max_length=1000)
    ]
    reason: Reason


class MergeBody(BaseModel):
    """Two persons that are one, and why."""

    a: UUID
    b: UUID
    reason: Reason


class RevealBody(BaseModel):
    """Which value to show: a field, or `identifier:<number>`; and why."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=Line)]
    reason: Reason


class PersonRef(BaseModel):
    """The person that came of a decision."""

    id: UUID


class RevealedValue(BaseModel):
    """A clear value."""

    value: str | float | bool | list[str]


class JobRef(BaseModel):
    """The job that does the work."""

    job: UUID


@router.get("/api/persons", operation_id="list_persons")
def list_persons(
    caller: Reader,
    use: Use,
    identifier: Text | None = None,
    q: Text | None = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> PersonPage:
    """Persons by `identifier` (`type:value`, `type:namespace:value`), or by name or any value."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    if identifier is not None:
        found = use.persons.find(caller, identifier)
    elif q is not None:
        found = use.persons.search(caller, q, after=after, limit=limit + 1)
    else:
        raise InvalidInput("give `identifier` or `q`", code="query_missing", path="query")
    more = encode_cursor(found[limit - 1].number) if len(found) > limit else None
    return PersonPage(items=found[:limit], next_cursor=more)


@router.post("/api/persons/merge", operation_id="merge_persons")
def merge_persons(caller: Writer, use: Use, body: MergeBody) -> PersonRef:
    """Decide that two persons are one."""
    merged = use.identity_decisions.merge(caller, str(body.a), str(body.b), body.reason)
    return PersonRef(id=UUID(merged))


@router.get("/api/persons/{id}", operation_id="get_person")
def get_person(caller: Reader, use: Use, id: PersonId) -> PersonView:
    """One person from all sides."""
    return use.persons.get(caller, str(id))


@router.get("/api/persons/{id}/timeline", operation_id="get_person_timeline")
def get_person_timeline(
    caller: Reader,
    use: Use,
    id: PersonId,
    limit: Limit = 50,
    cursor: CursorText = None,
    event: Text | None = None,
) -> EventPage:
    """The person's events, newest first; `event` leaves those of one type."""
    before = decode_cursor(cursor, int, int) if cursor else None
    place = (before[0], before[1]) if before else None
    items, then = use.person_story.timeline(caller, str(id), limit, place, event)
    return EventPage(items=items, next_cursor=encode_cursor(*then) if then else None)


@router.get("/api/persons/{id}/graph", operation_id="get_person_graph")
def get_person_graph(caller: Reader, use: Use, id: PersonId) -> GraphView:
    """The person's identifiers and what ties them."""
    return use.person_story.graph(caller, str(id))


@router.get("/api/persons/{id}/identity-log", operation_id="list_person_identity_log")
def list_person_identity_log(
    caller: Reader, use: Use, id: PersonId, limit: Limit = MOST, cursor: CursorText = None
) -> LogPage:
    """The merges and splits that made the person."""
    log = use.person_story.log(caller, str(id))
    newest_first = list(enumerate(log, start=-len(log)))
    found, more = page_of(newest_first, lambda it: (it[0] + 2**62,), cursor, limit)
    return LogPage(items=[entry for _, entry in found], next_cursor=more)


@router.post("/api/persons/{id}/split", operation_id="split_person")
def split_person(caller: Writer, use: Use, id: PersonId, body: SplitBody) -> PersonRef:
    """Decide that some of the identifiers are somebody else's."""
    new = use.identity_decisions.split(caller, str(id), body.identifiers, body.reason)
    return PersonRef(id=UUID(new))


@router.post("/api/persons/{id}/reveal", operation_id="reveal_person_field")
def reveal_person_field(
    caller: Revealer, use: Use, id: PersonId, body: RevealBody
) -> RevealedValue:
    """Show one identifying value in the clear; the audit log keeps who and why."""
    return RevealedValue(value=use.persons.reveal(caller, str(id), body.field, body.reason))


@router.get("/api/persons/{id}/export", operation_id="export_person")
def export_person(caller: Exporter, use: Use, id: PersonId) -> dict[str, Any]:
    """Everything kept about the person, in the clear."""
    exported: dict[str, Any] = jsonable_encoder(use.person_story.export(caller, str(id)))
    return exported


@router.delete("/api/persons/{id}", operation_id="erase_person", status_code=202)
def erase_person(caller: Eraser, use: Use, id: PersonId) -> JobRef:
    """Erase the person for good, as a job."""
    person = use.erasure.check(caller, str(id))
    job = use.jobs.submit(caller.scope.tenant, ERASE, {"person": person}, caller.name)
    return JobRef(job=UUID(job.id))
