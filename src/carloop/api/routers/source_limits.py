"""How much one source may send, and from where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from carloop.api.deps import Use
from carloop.api.parameters import Name
from carloop.api.routers.keys import KeyId
from carloop.api.routers.sources import (
    Origin,
    Reader,
    SourceId,
    WriteKeyOut,
    Writer,
    write_key_out,
)
from carloop.core.events import MOST_EVENT, MOST_WIRE, SEGMENT_LIMITS, Limits

router = APIRouter(tags=["sources"])


class SourceLimitsDocument(BaseModel):
    """Bytes of one event, and of one batch as it arrives, on the Segment routes."""

    event_bytes: Annotated[int, Field(ge=SEGMENT_LIMITS.event, le=MOST_EVENT)]
    wire_bytes: Annotated[int, Field(ge=SEGMENT_LIMITS.wire, le=MOST_WIRE)]


class WriteKeyPatch(BaseModel):
    """What to change of a write key; what is absent stays."""

    name: Name | None = None
    origins: Annotated[list[Origin], Field(max_length=50)] | None = None
    rate: Annotated[int, Field(ge=0, le=1_000_000, description="0: no limit.")] | None = None


@router.get("/api/sources/{id}/limits", operation_id="get_source_limits")
def get_source_limits(id: SourceId, caller: Reader, use: Use) -> SourceLimitsDocument:
    """What a source may send on the Segment routes; the other routes have fixed limits."""
    return _out(use.source_limits.of(caller, id))


@router.put("/api/sources/{id}/limits", operation_id="set_source_limits")
def set_source_limits(
    id: SourceId, body: SourceLimitsDocument, caller: Writer, use: Use
) -> SourceLimitsDocument:
    """Give a source more room on the Segment routes; it holds within a second."""
    limits = use.source_limits.change(caller, id, event=body.event_bytes, wire=body.wire_bytes)
    return _out(limits)


@router.patch("/api/sources/{id}/keys/{key}", operation_id="update_source_key")
def update_source_key(
    id: SourceId, key: KeyId, body: WriteKeyPatch, caller: Writer, use: Use
) -> WriteKeyOut:
    """Rename a write key, change its origins or its rate; it holds within a second."""
    changed = use.source_limits.change_key(
        caller, id, key, name=body.name, origins=body.origins, rate=body.rate
    )
    return write_key_out(changed)


def _out(limits: Limits) -> SourceLimitsDocument:
    return SourceLimitsDocument(event_bytes=limits.event, wire_bytes=limits.wire)
