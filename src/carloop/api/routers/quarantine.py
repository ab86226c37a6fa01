"""Events that could not be taken."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import MAX_ID
from carloop.api.routers.jobs import JobOut, job_out
from carloop.core.ports.pipeline import QuarantinedEvent, QuarantineFilter, QuarantineState
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms, to_ms

router = APIRouter(tags=["quarantine"])

Reader = Annotated[Caller, require(Permission.SOURCE_READ)]
Writer = Annotated[Caller, require(Permission.SOURCE_WRITE)]
MOST_IDS = 1_000
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
SourceNumber = Annotated[int | None, Query(ge=0, le=MAX_ID)]
Code = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_]*$")]
EventName = Annotated[str | None, Query(max_length=200)]
Instant = Annotated[AwareDatetime | None, Query()]


class QuarantinedOut(BaseModel):
    """One event that could not be taken; `index` is its place in the batch it came in."""

    id: int
    source: int
    event: str
    code: str
    path: str
    index: int
    state: QuarantineState
    received_at: datetime


class QuarantinePage(BaseModel):
    """Newest first."""

    items: list[QuarantinedOut]
    next_cursor: str | None


class QuarantineGroup(BaseModel):
    """Open events of one source that share a reason."""

    source: int
    event: str
    code: str
    count: int
    first_at: datetime
    last_at: datetime


class QuarantineSummary(BaseModel):
    """Groups, most events first."""

    items: list[QuarantineGroup]


class ReplayBody(BaseModel):
    """Which open events to try again, by what all of these say; absent: any.

    `since` and `until` are times of arrival, the end left out.
    """

    source: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None
    code: Annotated[str, Field(max_length=64, pattern=r"^[a-z_]*$")] | None = None
    event: Annotated[str, Field(max_length=200)] | None = None
    ids: Annotated[list[Id], Field(max_length=MOST_IDS)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def chosen(self) -> QuarantineFilter:
        """As the use case knows it."""
        return QuarantineFilter(
            source=self.source,
            code=self.code,
            event=self.event,
            ids=None if self.ids is None else tuple(self.ids),
            since=_ms(self.since),
            until=_ms(self.until),
        )


class ReplayOut(BaseModel):
    """`gone`: the received bytes have aged out. `more`: ask again for the rest."""

    replayed: int
    gone: int
    more: bool


@router.get("/api/quarantine", operation_id="list_quarantine")
def list_quarantine(
    caller: Reader,
    use: Use,
    source: SourceNumber = None,
    code: Code = None,
    event: EventName = None,
    since: Instant = None,
    until: Instant = None,
    state: QuarantineState = QuarantineState.OPEN,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> QuarantinePage:
    """Events that could not be taken, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    only = QuarantineFilter(source, code, event, since=_ms(since), until=_ms(until))
    found = use.quarantine.page(caller, limit=limit + 1, before=before, only=only, state=state)
    items = found[:limit]
    return QuarantinePage(
        items=[_out(event) for event in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > limit else None,
    )


@router.get("/api/quarantine/summary", operation_id="get_quarantine_summary")
def get_quarantine_summary(caller: Reader, use: Use) -> QuarantineSummary:
    """How many open events there are, by source, event and reason."""
    return QuarantineSummary(
        items=[
            QuarantineGroup(
                source=group.source,
                event=group.event,
                code=group.code,
                count=group.count,
                first_at=from_ms(group.first_at),
                last_at=from_ms(group.last_at),
            )
            for group in use.quarantine.summary(caller)
        ]
    )


@router.post("/api/quarantine/replay", operation_id="replay_quarantine")
def replay_quarantine(body: ReplayBody, caller: Writer, use: Use) -> ReplayOut:
    """Send open events through the pipeline again, at most 10 000; nothing is stored twice."""
    done = use.quarantine.replay(caller, body.chosen())
    return ReplayOut(replayed=done.replayed, gone=done.gone, more=done.more)


@router.post("/api/quarantine/replays", operation_id="start_replay", status_code=202)
def start_replay(body: ReplayBody, caller: Writer, use: Use) -> JobOut:
    """Queue the replay of all open events chosen; the job says how far it is."""
    return job_out(use.replays.start(caller, body.chosen()))


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _out(event: QuarantinedEvent) -> QuarantinedOut:
    return QuarantinedOut(
        id=event.id,
        source=event.source,
        event=event.event,
        code=event.code,
        path=event.path,
        index=event.index,
        state=event.state,
        received_at=from_ms(event.at),
    )
