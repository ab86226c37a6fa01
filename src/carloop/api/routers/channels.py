"""Channels: ways out, their settings, and a test."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.api.parameters import Name
from carloop.api.routers.journeys import Address, AttemptOut, Uuid, attempt_out
from carloop.app.channels import ChannelView
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["channels"])

Reader = Annotated[Caller, require(Permission.JOURNEY_READ)]
Writer = Annotated[Caller, require(Permission.JOURNEY_WRITE)]
Sender = Annotated[Caller, require(Permission.JOURNEY_SEND)]


class ChannelOut(BaseModel):
    """A channel. `settings` are shown to those who may change them; `secrets` are names only."""

    id: str
    kind: str
    name: str
    enabled: bool
    settings: dict[str, Any]
    secrets: list[str]
    policy: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ChannelPage(BaseModel):
    """Channels in the order they were made."""

    items: list[ChannelOut]
    next_cursor: str | None


class ChannelKind(BaseModel):
    """A kind of channel and the JSON schema of its settings."""

    kind: str
    title: dict[str, str]
    settings: dict[str, Any]


class ChannelKindPage(BaseModel):
    """All kinds of channels."""

    items: list[ChannelKind]
    next_cursor: str | None


class ChannelBody(BaseModel):
    """A new channel.

    `policy` holds `quiet_hours` (`{"from": "21:00", "to": "09:00"}`, in the tenant's time zone) and
    `cap` (`{"messages": 3, "days": 7}`), each optional.
    """

    kind: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
    name: Name
    settings: dict[str, Any]
    policy: dict[str, Any] = {}


class ChannelPatch(BaseModel):
    """What to change; a secret that is absent or null stays as it is."""

    name: Name | None = None
    enabled: bool | None = None
    settings: dict[str, Any] | None = None
    policy: dict[str, Any] | None = None


class ChannelTest(BaseModel):
    """Where to send a test message; kept nowhere."""

    address: Address


@router.get("/api/channels", operation_id="list_channels")
def list_channels(
    caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> ChannelPage:
    """All channels."""
    views = use.channels.all(caller)
    found, more = page_of(views, lambda it: (it.stored.id,), cursor, limit)
    return ChannelPage(items=[_out(view, caller) for view in found], next_cursor=more)


@router.post("/api/channels", operation_id="create_channel", status_code=201)
def create_channel(body: ChannelBody, caller: Writer, response: Response, use: Use) -> ChannelOut:
    """Set up a channel; its settings are stored encrypted."""
    policy = json.dumps(body.policy)
    view = use.channels.create(caller, body.kind, body.name, body.settings, policy)
    return _tagged(response, view, caller)


@router.get("/api/channels/kinds", operation_id="list_channel_kinds")
def list_channel_kinds(caller: Reader, use: Use) -> ChannelKindPage:
    """Every kind of channel with the JSON schema of its settings, for forms."""
    kinds = [
        ChannelKind(kind=k["kind"], title=k["title"], settings=k["schema"])
        for k in use.channels.kinds()
    ]
    return ChannelKindPage(items=kinds, next_cursor=None)


@router.get("/api/channels/{id}", operation_id="get_channel")
def get_channel(id: Uuid, caller: Reader, response: Response, use: Use) -> ChannelOut:
    """One channel, with the ETag to change it by."""
    return _tagged(response, use.channels.get(caller, id), caller)


@router.patch("/api/channels/{id}", operation_id="update_channel")
def update_channel(
    id: Uuid,
    body: ChannelPatch,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> ChannelOut:
    """Change settings, or enable and disable; a disabled channel sends nothing more."""
    view = use.channels.change(
        caller,
        id,
        version_of(if_match),
        name=body.name,
        enabled=body.enabled,
        settings=body.settings,
        policy=None if body.policy is None else json.dumps(body.policy),
    )
    return _tagged(response, view, caller)


@router.delete("/api/channels/{id}", operation_id="delete_channel", status_code=204)
def delete_channel(id: Uuid, caller: Writer, use: Use) -> None:
    """Remove a channel; what waits for it is suppressed."""
    use.channels.remove(caller, id)


@router.post("/api/channels/{id}/test", operation_id="test_channel")
def test_channel(id: Uuid, body: ChannelTest, caller: Sender, use: Use) -> AttemptOut:
    """Send one test message; audited."""
    return attempt_out(use.channels.test(caller, id, body.address))


def _tagged(response: Response, view: ChannelView, caller: Caller) -> ChannelOut:
    response.headers["ETag"] = etag(view.stored.revision)
    return _out(view, caller)


def _out(view: ChannelView, caller: Caller) -> ChannelOut:
    it = view.stored
    return ChannelOut(
        id=it.uuid,
        kind=it.kind,
        name=it.name,
        enabled=it.enabled,
        settings=dict(view.settings) if caller.may(Permission.JOURNEY_WRITE) else {},
        secrets=list(view.secrets),
        policy=json.loads(it.policy),
        created_at=from_ms(it.created_at),
        updated_at=from_ms(it.updated_at),
    )
