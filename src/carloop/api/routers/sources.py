"""Sources and their write keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.pages import MAX_ID, IfMatch, Name, etag, version_of
from carloop.api.routers.keys import KeyId, epoch_ms, instant
from carloop.app.sources import SourceView
from carloop.core.access import AccessKey, KeyKind
from carloop.core.scope import Caller, Permission
from carloop.core.sources import SourceKind
from carloop.kit.clock import from_ms

router = APIRouter(tags=["sources"])

Reader = Annotated[Caller, require(Permission.SOURCE_READ)]
Writer = Annotated[Caller, require(Permission.SOURCE_WRITE)]
SourceId = Annotated[int, Path(ge=1, le=MAX_ID)]
Origin = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")
]


class WriteKeyOut(BaseModel):
    """A write key; `hint` is the end of its clear text."""

    id: str
    name: str
    hint: str
    origins: list[str]
    rate: int
    created_at: datetime
    expires_at: datetime | None


class SourceOut(BaseModel):
    """A source with what came through it."""

    id: int
    name: str
    kind: SourceKind
    enabled: bool
    historical: bool
    created_at: datetime
    keys: list[WriteKeyOut]
    events_total: int
    events_24h: int
    rejected_24h: int
    last_event_at: datetime | None


class SourcePage(BaseModel):
    """Sources by number."""

    items: list[SourceOut]
    next_cursor: str | None


class SourceBody(BaseModel):
    """A new source; everything a historical one sends never triggers a journey."""

    name: Name
    kind: SourceKind
    historical: bool = False


class SourcePatch(BaseModel):
    """What to change; what is absent stays."""

    name: Name | None = None
    enabled: bool | None = None
    historical: bool | None = None


class WriteKeyBody(BaseModel):
    """A new write key; without origins any may use it, `rate` is in requests a second."""

    name: Name = "default"
    origins: Annotated[list[Origin], Field(max_length=50)] = []
    rate: Annotated[int, Field(ge=0, le=1_000_000, description="0: no limit.")] = 0
    expires_at: AwareDatetime | None = None


class NewWriteKey(BaseModel):
    """The key and its clear text, which is shown this once."""

    key: WriteKeyOut
    write_key: str


@router.get("/api/sources", operation_id="list_sources")
def list_sources(caller: Reader, use: Use) -> SourcePage:
    """All sources with their keys and statistics."""
    return SourcePage(items=[_out(view) for view in use.sources.list(caller)], next_cursor=None)


@router.post("/api/sources", operation_id="create_source", status_code=201)
def create_source(body: SourceBody, caller: Writer, response: Response, use: Use) -> SourceOut:
    """Create a source; give it a write key next."""
    source = use.sources.create(caller, body.name, body.kind, historical=body.historical)
    response.headers["ETag"] = etag(source.version)
    return _out(use.sources.get(caller, source.id))


@router.get("/api/sources/{id}", operation_id="get_source")
def get_source(id: SourceId, caller: Reader, response: Response, use: Use) -> SourceOut:
    """One source, with the ETag to change it by."""
    view = use.sources.get(caller, id)
    response.headers["ETag"] = etag(view.source.version)
    return _out(view)


@router.patch("/api/sources/{id}", operation_id="update_source")
def update_source(
    id: SourceId,
    body: SourcePatch,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> SourceOut:
    """Rename, enable or disable; the keys of a disabled source stop working within a second."""
    use.sources.change(
        caller,
        id,
        version_of(if_match),
        name=body.name,
        enabled=body.enabled,
        historical=body.historical,
    )
    view = use.sources.get(caller, id)
    response.headers["ETag"] = etag(view.source.version)
    return _out(view)


@router.delete("/api/sources/{id}", operation_id="delete_source", status_code=204)
def delete_source(id: SourceId, caller: Writer, use: Use) -> None:
    """Remove a source; its events stay."""
    use.sources.remove(caller, id)


@router.post("/api/sources/{id}/keys", operation_id="create_source_key", status_code=201)
def create_source_key(id: SourceId, body: WriteKeyBody, caller: Writer, use: Use) -> NewWriteKey:
    """Issue a write key; it works within a second, and older ones go on working."""
    key, clear = use.keys.create_write_key(
        caller,
        id,
        body.name,
        origins=body.origins,
        rate=body.rate,
        expires_at=epoch_ms(body.expires_at),
    )
    return NewWriteKey(key=_key(key), write_key=clear)


@router.delete("/api/sources/{id}/keys/{key}", operation_id="revoke_source_key", status_code=204)
def revoke_source_key(
    id: SourceId,
    key: KeyId,
    caller: Writer,
    use: Use,
    after_hours: Annotated[int, Query(ge=0, le=720, description="Overlap for rotation.")] = 0,
) -> None:
    """Revoke a write key, at once or after an overlap in which senders change over."""
    use.keys.revoke(caller, KeyKind.WRITE, key, source=id, after_ms=after_hours * 3_600_000)


def _out(view: SourceView) -> SourceOut:
    source, counted = view.source, view.statistics
    return SourceOut(
        id=source.id,
        name=source.name,
        kind=source.kind,
        enabled=source.enabled,
        historical=source.historical,
        created_at=from_ms(source.created_at),
        keys=[_key(key) for key in view.keys],
        events_total=counted.events_total,
        events_24h=counted.events_24h,
        rejected_24h=counted.rejected_24h,
        last_event_at=instant(counted.last_event_at),
    )


def _key(key: AccessKey) -> WriteKeyOut:
    return WriteKeyOut(
        id=key.id,
        name=key.name,
        hint=key.hint,
        origins=list(key.origins),
        rate=key.rate,
        created_at=from_ms(key.created_at),
        expires_at=instant(key.expires_at),
    )
