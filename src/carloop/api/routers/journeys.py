"""Journeys: draft, publish, pause, stop, try out, and what was sent."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import Name
from carloop.app.channels import Attempt
from carloop.app.journey_desk import JourneyView, SendView
from carloop.core.message import SendKey, SendState
from carloop.core.ports.journeys import JourneyStatus
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["journeys"])

Reader = Annotated[Caller, require(Permission.JOURNEY_READ)]
Writer = Annotated[Caller, require(Permission.JOURNEY_WRITE)]
Sender = Annotated[Caller, require(Permission.JOURNEY_SEND)]
Uuid = Annotated[str, Path(pattern="^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
NodeId = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]{0,63}$")]
Address = Annotated[
    str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class SendCount(BaseModel):
    """Sends in one state for one reason; `count` is null where it is too small to be told."""

    state: SendState
    reason: str
    count: int | None


class JourneyOut(BaseModel):
    """A journey. `missing` says what the draft lacks before it may be published."""

    id: str
    name: str
    status: JourneyStatus
    version: int
    graph: dict[str, Any]
    missing: list[str]
    people: dict[str, int | None]
    sends: list[SendCount]
    history_skipped: int
    created_at: datetime
    updated_at: datetime


class JourneyPage(BaseModel):
    """Journeys, newest first."""

    items: list[JourneyOut]
    next_cursor: str | None


class JourneyBody(BaseModel):
    """A new draft."""

    name: Name
    graph: dict[str, Any] = {}


class JourneyPatch(BaseModel):
    """What to change in the draft; what is absent stays."""

    name: Name | None = None
    graph: dict[str, Any] | None = None


class NodeKind(BaseModel):
    """A kind of node: its ports and the JSON schema of its fields."""

    kind: str
    title: dict[str, str]
    ports: list[str]
    fields: dict[str, Any]


class NodeKinds(BaseModel):
    """All kinds of nodes."""

    items: list[NodeKind]
    next_cursor: str | None


class Stopped(BaseModel):
    """How many journeys were stopped."""

    stopped: int


class TestBody(BaseModel):
    """Where to send one message of the draft; the address is kept nowhere."""

    node: NodeId
    address: Address


class PreviewBody(BaseModel):
    """Whose message to show."""

    node: NodeId
    person: Annotated[str, StringConstraints(max_length=64)]


class PreviewOut(BaseModel):
    """The message as the person would read it."""

    subject: str
    text: str
    html: str


class AttemptOut(BaseModel):
    """`sent`, `refused` or `unclear`, and why."""

    outcome: str
    reason: str


class SendOut(BaseModel):
    """One send; `person` and `display` (masked) are null for callers who may not see them."""

    key: str
    person: str | None
    display: str | None
    channel: str
    purpose: str
    state: SendState
    reason: str
    attempts: int
    provider_id: str
    version: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime


class SendPage(BaseModel):
    """Sends, newest enrolment first."""

    items: list[SendOut]
    next_cursor: str | None


@router.get("/api/journeys", operation_id="list_journeys")
def list_journeys(
    caller: Reader, use: Use, cursor: CursorText = None, limit: Limit = 50
) -> JourneyPage:
    """Journeys, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.journeys.page(caller, before=before, limit=limit)
    more = encode_cursor(found[-1].journey.id) if len(found) == limit else None
    return JourneyPage(items=[_out(view) for view in found], next_cursor=more)


@router.post("/api/journeys", operation_id="create_journey", status_code=201)
def create_journey(body: JourneyBody, caller: Writer, response: Response, use: Use) -> JourneyOut:
    """A new draft; the graph may be unfinished."""
    return _tagged(response, use.journeys.create(caller, body.name, body.graph))


@router.get("/api/journeys/nodes", operation_id="list_node_kinds")
def list_node_kinds(caller: Reader, use: Use) -> NodeKinds:
    """Every kind of node with its JSON schema, for editors."""
    kinds = [
        NodeKind(kind=k["kind"], title=k["title"], ports=k["ports"], fields=k["schema"])
        for k in use.journeys.nodes()
    ]
    return NodeKinds(items=kinds, next_cursor=None)


@router.post("/api/journeys/stop", operation_id="stop_journeys")
def stop_journeys(caller: Writer, use: Use) -> Stopped:
    """Emergency stop: no journey of the tenant steps or sends until it is resumed."""
    return Stopped(stopped=use.journeys.stop_all(caller))


@router.get("/api/journeys/{id}", operation_id="get_journey")
def get_journey(id: Uuid, caller: Reader, response: Response, use: Use) -> JourneyOut:
    """One journey, with the ETag to change it by."""
    return _tagged(response, use.journeys.get(caller, id))


@router.patch("/api/journeys/{id}", operation_id="update_journey")
def update_journey(
    id: Uuid,
    body: JourneyPatch,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> JourneyOut:
    """Change the draft; the published version stays as it is."""
    view = use.journeys.change(caller, id, version_of(if_match), name=body.name, graph=body.graph)
    return _tagged(response, view)


@router.delete("/api/journeys/{id}", operation_id="delete_journey", status_code=204)
def delete_journey(id: Uuid, caller: Writer, use: Use) -> None:
    """Remove a journey; nobody goes on, and what waits is suppressed."""
    use.journeys.remove(caller, id)


@router.post("/api/journeys/{id}/publish", operation_id="publish_journey")
def publish_journey(
    id: Uuid, caller: Sender, response: Response, use: Use, if_match: IfMatch = None
) -> JourneyOut:
    """Freeze the draft as the next version and go live.

    422 `journey_incomplete` lists in `details.missing` which of goal, time, channel, person and
    content are empty.
    """
    return _tagged(response, use.journeys.publish(caller, id, version_of(if_match)))


@router.post("/api/journeys/{id}/pause", operation_id="pause_journey")
def pause_journey(id: Uuid, caller: Writer, response: Response, use: Use) -> JourneyOut:
    """Nobody enters, steps or gets a message until the journey is resumed."""
    return _tagged(response, use.journeys.pause(caller, id))


@router.post("/api/journeys/{id}/resume", operation_id="resume_journey")
def resume_journey(id: Uuid, caller: Sender, response: Response, use: Use) -> JourneyOut:
    """Go on where it was paused or stopped."""
    return _tagged(response, use.journeys.resume(caller, id))


@router.post("/api/journeys/{id}/test", operation_id="test_journey")
def test_journey(id: Uuid, body: TestBody, caller: Sender, use: Use) -> AttemptOut:
    """Send one message of the draft to a given address; audited."""
    return attempt_out(use.journeys.test(caller, id, body.node, body.address))


@router.post("/api/journeys/{id}/preview", operation_id="preview_journey")
def preview_journey(
    id: Uuid,
    body: PreviewBody,
    caller: Annotated[Caller, require(Permission.PERSON_READ)],
    use: Use,
) -> PreviewOut:
    """One message of the draft as a person would read it."""
    shown = use.journeys.preview(caller, id, body.node, body.person)
    return PreviewOut(subject=shown.subject, text=shown.text, html=shown.html)


@router.get("/api/journeys/{id}/sends", operation_id="list_sends")
def list_sends(
    id: Uuid,
    caller: Reader,
    use: Use,
    state: Annotated[SendState | None, Query()] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> SendPage:
    """What was sent, with outcomes and reasons."""
    before = SendKey(*decode_cursor(cursor, int, str, int)) if cursor else None
    found = use.journeys.sends(caller, id, state=state, before=before, limit=limit)
    more = encode_cursor(*found[-1].send.key) if len(found) == limit else None
    return SendPage(items=[_send(view) for view in found], next_cursor=more)


def attempt_out(attempt: Attempt) -> AttemptOut:
    """An attempt as routes answer it."""
    return AttemptOut(outcome=attempt.outcome, reason=attempt.reason)


def _tagged(response: Response, view: JourneyView) -> JourneyOut:
    response.headers["ETag"] = etag(view.journey.revision)
    return _out(view)


def _out(view: JourneyView) -> JourneyOut:
    it = view.journey
    return JourneyOut(
        id=it.uuid,
        name=it.name,
        status=it.status,
        version=it.version,
        graph=json.loads(it.draft),
        missing=list(view.missing),
        people=dict(view.people),
        sends=[
            SendCount(state=SendState(state), reason=reason, count=count)
            for (state, reason), count in sorted(view.sends.items())
        ],
        history_skipped=it.history_skipped,
        created_at=from_ms(it.created_at),
        updated_at=from_ms(it.updated_at),
    )


def _send(view: SendView) -> SendOut:
    it = view.send
    return SendOut(
        key=str(it.key),
        person=None if view.person is None else str(view.person.id),
        display=None if view.person is None else view.person.display,
        channel=view.channel,
        purpose=it.purpose,
        state=it.state,
        reason=it.reason,
        attempts=it.attempts,
        provider_id=it.provider_id,
        version=it.version,
        created_at=from_ms(it.created_at),
        updated_at=from_ms(it.updated_at),
        not_before=from_ms(it.not_before),
    )
