"""Sends of unknown outcome: listed across journeys, settled by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import Reason
from carloop.app.unknown_sends import SettledOutcome, UnknownSendView
from carloop.core.message import SendKey
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["journeys"])

Reader = Annotated[Caller, require(Permission.JOURNEY_READ)]
Sender = Annotated[Caller, require(Permission.JOURNEY_SEND)]
Key = Annotated[
    str,
    Path(
        max_length=120,
        pattern=r"^[0-9]{1,19}:[a-z][a-z0-9_-]{0,63}:[0-9]{1,10}$",
        description="`enrolment:node:visit`, as the list gives it.",
    ),
]


class UnknownSendOut(BaseModel):
    """A send that may or may not have arrived.

    `person` and `display` (masked) are null for callers who may not see people.
    """

    key: str
    journey: str
    journey_name: str
    channel: str
    channel_name: str
    person: str | None
    display: str | None
    purpose: str
    reason: str
    attempts: int
    provider_id: str
    attempted_at: datetime | None
    updated_at: datetime


class UnknownSendPage(BaseModel):
    """Sends of unknown outcome, newest enrolment first."""

    items: list[UnknownSendOut]
    next_cursor: str | None


class SettleBody(BaseModel):
    """What became of the send, and how that is known."""

    outcome: SettledOutcome
    reason: Reason


@router.get("/api/sends/unknown", operation_id="list_unknown_sends")
def list_unknown_sends(
    caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None
) -> UnknownSendPage:
    """Sends of all journeys whose outcome nobody knows; none of them is sent again by itself."""
    before = SendKey(*decode_cursor(cursor, int, str, int)) if cursor else None
    found = use.unknown_sends.page(caller, before=before, limit=limit + 1)
    last = found[limit - 1].send.key if len(found) > limit else None
    return UnknownSendPage(
        items=[_out(view) for view in found[:limit]],
        next_cursor=encode_cursor(*last) if last else None,
    )


@router.post("/api/sends/{key}/settle", operation_id="settle_send", status_code=204)
def settle_send(key: Key, body: SettleBody, caller: Sender, use: Use) -> None:
    """Say what became of a send; a receipt that comes later still has the last word."""
    use.unknown_sends.settle(caller, key, body.outcome, body.reason)


def _out(view: UnknownSendView) -> UnknownSendOut:
    it = view.send
    return UnknownSendOut(
        key=str(it.key),
        journey=it.journey,
        journey_name=it.journey_name,
        channel=it.channel,
        channel_name=it.channel_name,
        person=None if view.person is None else str(view.person.id),
        display=None if view.person is None else view.person.display,
        purpose=it.purpose,
        reason=it.reason,
        attempts=it.attempts,
        provider_id=it.provider_id,
        attempted_at=None if it.attempted_at is None else from_ms(it.attempted_at),
        updated_at=from_ms(it.updated_at),
    )
