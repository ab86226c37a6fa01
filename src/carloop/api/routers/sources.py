"""Sources and their write keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.api.parameters import MAX_ID, Name
from carloop.api.routers.keys import KeyId, epoch_ms, instant
from carloop.app.source_settings import SettingsView
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


class SettingsOut(BaseModel):
    """Settings in force; `secrets` names the secret ones that are set, which are never shown."""

    path: str
    version: int
    settings: dict[str, Any]
    secrets: list[str]
    created_by: str
    created_at: datetime


class SettingsPage(BaseModel):
    """Versions of a source's settings, newest first."""

    items: list[SettingsOut]
    next_cursor: str | None


class PresetOut(BaseModel):
    """Settings to start from, and what is known of their sender."""

    name: str
    title: dict[str, str]
    settings: dict[str, Any]
    documented: list[str]
    assumed: list[str]


class SourceKindOut(BaseModel):
    """A kind of source with settings and their JSON schema; secret ones are `writeOnly`."""

    kind: SourceKind
    title: dict[str, str]
    settings: dict[str, Any]
    presets: list[PresetOut]


class SourceKindPage(BaseModel):
    """Kinds of sources that have settings."""

    items: list[SourceKindOut]
    next_cursor: str | None


class TrialBody(BaseModel):
    """A sample as the sender would send it, and a mapping; absent: the one in force."""

    body: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]
    content_type: Annotated[str, StringConstraints(max_length=200)] = "application/json"
    mapping: dict[str, Any] | None = None


class TrialEvent(BaseModel):
    """An event as it would be taken; values that identify a person are left out."""

    index: int
    event: str
    occurred_at: datetime
    identifiers: list[str]
    entities: list[str]
    properties: list[str]
    profile: list[str]


class TrialRejected(BaseModel):
    """An element that would go to quarantine."""

    index: int
    code: str
    path: str


class TrialOut(BaseModel):
    """What the sample would become; `unread` are members that the mapping leaves out."""

    events: list[TrialEvent]
    rejected: list[TrialRejected]
    unread: list[str]


class SourceOut(BaseModel):
    """A source with what came through it; `settings` where its kind has some."""

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
    settings: SettingsOut | None


class SourcePage(BaseModel):
    """Sources by number."""

    items: list[SourceOut]
    next_cursor: str | None


class SourceBody(BaseModel):
    """A new source; everything a historical one sends never triggers a journey.

    `settings` for kinds that have some, see `/api/source-kinds`.
    """

    name: Name
    kind: SourceKind
    historical: bool = False
    settings: dict[str, Any] | None = None


class SourcePatch(BaseModel):
    """What to change; what is absent stays, and so does a secret that `settings` leave out."""

    name: Name | None = None
    enabled: bool | None = None
    historical: bool | None = None
    settings: dict[str, Any] | None = None


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
def list_sources(
    caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> SourcePage:
    """All sources with their keys and statistics."""
    views = use.sources.list(caller)
    found, more = page_of(views, lambda it: (it.source.id,), cursor, limit)
    return SourcePage(items=[_out(view) for view in found], next_cursor=more)


@router.post("/api/sources", operation_id="create_source", status_code=201)
def create_source(body: SourceBody, caller: Writer, response: Response, use: Use) -> SourceOut:
    """Create a source; give it a write key next."""
    source = use.sources.create(
        caller, body.name, body.kind, historical=body.historical, settings=body.settings
    )
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
        settings=body.settings,
    )
    view = use.sources.get(caller, id)
    response.headers["ETag"] = etag(view.source.version)
    return _out(view)


@router.delete("/api/sources/{id}", operation_id="delete_source", status_code=204)
def delete_source(id: SourceId, caller: Writer, use: Use) -> None:
    """Remove a source; its events stay."""
    use.sources.remove(caller, id)


@router.get("/api/source-kinds", operation_id="list_source_kinds")
def list_source_kinds(caller: Reader, use: Use) -> SourceKindPage:
    """Kinds of sources that have settings, with presets for known senders."""
    items = [
        SourceKindOut(
            kind=SourceKind(kind["kind"]),
            title=kind["title"],
            settings=kind["schema"],
            presets=[PresetOut(**preset) for preset in kind["presets"]],
        )
        for kind in use.source_desk.kinds(use.catalogue)
    ]
    return SourceKindPage(items=items, next_cursor=None)


@router.get("/api/sources/{id}/settings", operation_id="list_source_settings")
def list_source_settings(id: SourceId, caller: Reader, use: Use) -> SettingsPage:
    """Versions of the settings, newest first; the newest is in force."""
    items = [_settings(view) for view in use.source_desk.versions(caller, id)]
    return SettingsPage(items=items, next_cursor=None)


@router.post("/api/sources/{id}/try", operation_id="try_source")
def try_source(id: SourceId, body: TrialBody, caller: Writer, use: Use) -> TrialOut:
    """Decode a sample by a mapping without keeping anything of it."""
    trial = use.source_desk.try_out(
        caller, id, body.body.encode("utf-8", "surrogatepass"), body.content_type, body.mapping
    )
    return TrialOut(
        events=[
            TrialEvent(
                index=event.index,
                event=event.event,
                occurred_at=from_ms(event.occurred_at),
                identifiers=[identifier.type for identifier in event.identifiers],
                entities=[f"{entity.type}:{entity.key}" for entity in event.entities],
                properties=sorted(msgspec.json.decode(event.properties)),
                profile=[f"{op.op} {op.field}" for op in event.profile],
            )
            for event in trial.decoded.events
        ],
        rejected=[
            TrialRejected(index=bad.index, code=bad.code, path=bad.path)
            for bad in trial.decoded.rejected
        ],
        unread=list(trial.unread),
    )


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
    return NewWriteKey(key=write_key_out(key), write_key=clear)


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
        keys=[write_key_out(key) for key in view.keys],
        events_total=counted.events_total,
        events_24h=counted.events_24h,
        rejected_24h=counted.rejected_24h,
        last_event_at=instant(counted.last_event_at),
        settings=None if view.settings is None else _settings(view.settings),
    )


def _settings(view: SettingsView) -> SettingsOut:
    return SettingsOut(
        path=view.path,
        version=view.version,
        settings=dict(view.settings),
        secrets=list(view.secrets),
        created_by=view.created_by,
        created_at=from_ms(view.created_at),
    )


def write_key_out(key: AccessKey) -> WriteKeyOut:
    """A write key as the API shows it."""
    return WriteKeyOut(
        id=key.id,
        name=key.name,
        hint=key.hint,
        origins=list(key.origins),
        rate=key.rate,
        created_at=from_ms(key.created_at),
        expires_at=instant(key.expires_at),
    )
