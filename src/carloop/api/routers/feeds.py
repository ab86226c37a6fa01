"""Feeds: sources that carloop reads by itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import MOST, CursorText, Limit, decode_cursor, encode_cursor, page_of
from carloop.api.parameters import Name
from carloop.api.routers.keys import instant
from carloop.app.feeds.desk import FeedView, Trial
from carloop.core.ports.feeds import Drift, FeedRun
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["feeds"])

Reader = Annotated[Caller, require(Permission.SOURCE_READ)]
Writer = Annotated[Caller, require(Permission.SOURCE_WRITE)]
FeedId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
Kind = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
Schedule = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Policy = Annotated[str, StringConstraints(pattern="^(stop|go_on)$")]


class FeedRunOut(BaseModel):
    """One reading; `code` says why it failed."""

    id: int
    state: str
    trigger: str
    started_at: datetime
    finished_at: datetime | None
    records: int
    bad: int
    bytes: int
    total: int | None
    code: str


class FeedOut(BaseModel):
    """A feed. `settings` are shown to those who may change them; `secrets` are names only."""

    id: str
    source: int
    name: str
    kind: str
    enabled: bool
    settings: dict[str, Any]
    secrets: list[str]
    mapping: dict[str, Any] | None
    schedule: str
    drift: str
    running: bool
    due_at: datetime | None
    failures: int
    code: str
    pending_drift: int
    last_run: FeedRunOut | None
    created_at: datetime
    updated_at: datetime


class FeedPage(BaseModel):
    """Feeds by number of their source."""

    items: list[FeedOut]
    next_cursor: str | None


class FeedKindOut(BaseModel):
    """A kind of feed and the JSON schema of its settings; an endless one reads until stopped."""

    kind: str
    title: dict[str, str]
    endless: bool
    settings: dict[str, Any]


class FeedKindPage(BaseModel):
    """All kinds of feeds."""

    items: list[FeedKindOut]
    next_cursor: str | None


class FeedTrial(BaseModel):
    """Settings to try; nothing is kept."""

    kind: Kind
    settings: dict[str, Any]


class FeedTrialOut(BaseModel):
    """What the connection saw, and a mapping to start from."""

    columns: list[dict[str, str]]
    sample: list[dict[str, Any]]
    total: int | None
    notes: list[str]
    mapping: dict[str, Any]


class FeedBody(BaseModel):
    """A new feed with a source of that name; without a mapping it does not run."""

    name: Name
    kind: Kind
    settings: dict[str, Any]
    mapping: dict[str, Any] | None = None
    schedule: Schedule = "manual"
    drift: Policy = "stop"
    historical: bool = False


class FeedPatch(BaseModel):
    """What to change; a secret that is absent or null stays as it is."""

    settings: dict[str, Any] | None = None
    mapping: dict[str, Any] | None = None
    schedule: Schedule | None = None
    drift: Policy | None = None
    enabled: bool | None = None


class FeedRunBody(BaseModel):
    """`again`: from the beginning; what was stored is not stored twice."""

    again: bool = False


class FeedRunPage(BaseModel):
    """Runs, newest first."""

    items: list[FeedRunOut]
    next_cursor: str | None


class DriftOut(BaseModel):
    """A change of the source's columns; `mapped` where the mapping uses the column."""

    at: datetime
    kind: str
    column: str
    detail: str
    mapped: bool
    accepted_by: str


class DriftPage(BaseModel):
    """Changes, newest first."""

    items: list[DriftOut]
    next_cursor: str | None


class DriftAccepted(BaseModel):
    """How many changes were accepted."""

    accepted: int


class ReconciliationOut(BaseModel):
    """Records at the source against records that landed; null where the source cannot tell."""

    at_source: int | None
    landed: int
    quarantined: int
    missing: int | None


@router.get("/api/feeds", operation_id="list_feeds")
def list_feeds(
    caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> FeedPage:
    """All feeds with their last runs."""
    views = use.feeds.all(caller)
    found, more = page_of(views, lambda it: (it.stored.source,), cursor, limit)
    return FeedPage(items=[_out(view, caller) for view in found], next_cursor=more)


@router.post("/api/feeds", operation_id="create_feed", status_code=201)
def create_feed(body: FeedBody, caller: Writer, response: Response, use: Use) -> FeedOut:
    """Set up a feed; its settings are stored encrypted."""
    view = use.feeds.create(
        caller,
        body.name,
        body.kind,
        body.settings,
        mapping=_text(body.mapping),
        schedule=body.schedule,
        drift=body.drift,
        historical=body.historical,
    )
    return _tagged(response, view, caller)


@router.get("/api/feeds/kinds", operation_id="list_feed_kinds")
def list_feed_kinds(caller: Reader, use: Use) -> FeedKindPage:
    """Every kind of feed with the JSON schema of its settings, for forms."""
    kinds = [
        FeedKindOut(kind=k["kind"], title=k["title"], endless=k["endless"], settings=k["schema"])
        for k in use.feeds.kinds()
    ]
    return FeedKindPage(items=kinds, next_cursor=None)


@router.post("/api/feeds/try", operation_id="try_feed")
def try_feed(body: FeedTrial, caller: Writer, use: Use) -> FeedTrialOut:
    """Connect with settings that nobody saved; columns, a sample and a proposed mapping."""
    return _trial(use.feeds.try_out(caller, body.kind, body.settings))


@router.get("/api/feeds/{id}", operation_id="get_feed")
def get_feed(id: FeedId, caller: Reader, response: Response, use: Use) -> FeedOut:
    """One feed, with the ETag to change it by."""
    return _tagged(response, use.feeds.get(caller, id), caller)


@router.patch("/api/feeds/{id}", operation_id="update_feed")
def update_feed(
    id: FeedId,
    body: FeedPatch,
    caller: Writer,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> FeedOut:
    """Change settings, mapping or schedule; what failed under an old mapping can be replayed."""
    view = use.feeds.change(
        caller,
        id,
        version_of(if_match),
        settings=body.settings,
        mapping=None if body.mapping is None else _text(body.mapping),
        schedule=body.schedule,
        drift=body.drift,
        enabled=body.enabled,
    )
    return _tagged(response, view, caller)


@router.delete("/api/feeds/{id}", operation_id="delete_feed", status_code=204)
def delete_feed(id: FeedId, caller: Writer, use: Use) -> None:
    """Remove a feed and its source; what was read stays."""
    use.feeds.remove(caller, id)


@router.post("/api/feeds/{id}/try", operation_id="try_stored_feed")
def try_stored_feed(id: FeedId, caller: Writer, use: Use) -> FeedTrialOut:
    """Connect with the feed's own settings."""
    return _trial(use.feeds.try_stored(caller, id))


@router.post("/api/feeds/{id}/run", operation_id="run_feed", status_code=202)
def run_feed(id: FeedId, body: FeedRunBody, caller: Writer, use: Use) -> FeedOut:
    """Read now; refused while a run is under way."""
    return _out(use.feeds.run(caller, id, again=body.again), caller)


@router.post("/api/feeds/{id}/stop", operation_id="stop_feed", status_code=202)
def stop_feed(id: FeedId, caller: Writer, use: Use) -> FeedOut:
    """End the run after its page; the next one goes on from there."""
    return _out(use.feeds.stop(caller, id), caller)


@router.get("/api/feeds/{id}/runs", operation_id="list_feed_runs")
def list_feed_runs(
    id: FeedId, caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None
) -> FeedRunPage:
    """Runs, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    runs = use.feeds.runs(caller, id, limit=limit + 1, before=before)
    more = encode_cursor(runs[limit - 1].id) if len(runs) > limit else None
    return FeedRunPage(items=[_run(run) for run in runs[:limit]], next_cursor=more)


@router.get("/api/feeds/{id}/drift", operation_id="list_feed_drift")
def list_feed_drift(
    id: FeedId, caller: Reader, use: Use, limit: Limit = 50, cursor: CursorText = None
) -> DriftPage:
    """How the source's columns changed, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = use.feeds.drift(caller, id, limit=limit + 1, before=before)
    more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return DriftPage(items=[_drift(it) for it in found[:limit]], next_cursor=more)


@router.post("/api/feeds/{id}/drift/accept", operation_id="accept_feed_drift")
def accept_feed_drift(id: FeedId, caller: Writer, use: Use) -> DriftAccepted:
    """Take the columns as they are now; a stopped feed reads on."""
    return DriftAccepted(accepted=use.feeds.accept_drift(caller, id))


@router.get("/api/feeds/{id}/reconciliation", operation_id="reconcile_feed")
def reconcile_feed(id: FeedId, caller: Reader, use: Use) -> ReconciliationOut:
    """Count at the source and here, now."""
    found = use.feeds.reconcile(caller, id)
    return ReconciliationOut(
        at_source=found.at_source,
        landed=found.landed,
        quarantined=found.quarantined,
        missing=found.missing,
    )


def _text(mapping: dict[str, Any] | None) -> str:
    return "" if mapping is None else json.dumps(mapping, ensure_ascii=False)


def _tagged(response: Response, view: FeedView, caller: Caller) -> FeedOut:
    response.headers["ETag"] = etag(view.stored.revision)
    return _out(view, caller)


def _out(view: FeedView, caller: Caller) -> FeedOut:
    it = view.stored
    return FeedOut(
        id=it.uuid,
        source=it.source,
        name=view.name,
        kind=it.kind,
        enabled=it.enabled,
        settings=dict(view.settings) if caller.may(Permission.SOURCE_WRITE) else {},
        secrets=list(view.secrets),
        mapping=json.loads(it.mapping) if it.mapping else None,
        schedule=it.schedule,
        drift=it.drift,
        running=view.running,
        due_at=instant(view.progress.due_at),
        failures=view.progress.failures,
        code=view.progress.code,
        pending_drift=view.pending_drift,
        last_run=_run(view.last_run) if view.last_run else None,
        created_at=from_ms(it.created_at),
        updated_at=from_ms(it.updated_at),
    )


def _run(run: FeedRun) -> FeedRunOut:
    return FeedRunOut(
        id=run.id,
        state=run.state.value,
        trigger=run.trigger,
        started_at=from_ms(run.started_at),
        finished_at=instant(run.finished_at),
        records=run.records,
        bad=run.bad,
        bytes=run.bytes,
        total=run.total,
        code=run.code,
    )


def _drift(it: Drift) -> DriftOut:
    return DriftOut(
        at=from_ms(it.at),
        kind=it.kind.value,
        column=it.column,
        detail=it.detail,
        mapped=it.mapped,
        accepted_by=it.accepted_by,
    )


def _trial(trial: Trial) -> FeedTrialOut:
    return FeedTrialOut(
        columns=[{"name": c.name, "type": c.type} for c in trial.probe.columns],
        sample=[msgspec.json.decode(body) for body in trial.probe.sample],
        total=trial.probe.total,
        notes=list(trial.probe.notes),
        mapping=json.loads(trial.mapping.text()),
    )
