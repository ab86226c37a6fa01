"""Feeds over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from carloop.core.feeds import FeedColumn
from carloop.core.ports.feeds import (
    Drift,
    DriftKind,
    FeedProgress,
    FeedRun,
    RunState,
    StoredFeed,
)
from carloop.stores.state.editable import EditableRows
from carloop.stores.state.tables.feeds import (
    feed,
    feed_drift,
    feed_mapping,
    feed_progress,
    feed_run,
)

_FIXED = ("tenant", "uuid", "source", "kind", "created_by", "created_at")
_CHANGING = ("key", "settings_enc", "mapping", "schedule", "drift", "enabled", "updated_at")


class SqlFeeds(EditableRows[StoredFeed]):
    """``core.ports.feeds.FeedRepository`` over SQLAlchemy."""

    table = feed
    noun = "feed"

    def list(self, tenant: int) -> Sequence[StoredFeed]:
        """All feeds of a tenant by number."""
        return self._all(feed.c.tenant == tenant, feed.c.deleted_at.is_(None))

    def remove(self, it: StoredFeed, now: int) -> None:
        """Delete softly; it runs no more."""
        removed = self.save(replace(it, enabled=False, updated_at=now))
        self._mark_removed(removed.id, now)
        self._connection.execute(
            update(feed_progress).where(feed_progress.c.feed == it.id).values(due_at=None)
        )

    def progress(self, feed: int) -> FeedProgress:
        """How far a feed is; a fresh one where nothing is noted."""
        t = feed_progress
        row = self._connection.execute(select(t).where(t.c.feed == feed)).first()
        if row is None:
            return FeedProgress(feed=feed)
        return FeedProgress(
            feed=row.feed,
            cursor=None if row.cursor is None else json.loads(row.cursor),
            columns=tuple(FeedColumn(*column) for column in json.loads(row.columns)),
            due_at=row.due_at,
            failures=row.failures,
            code=row.code,
        )

    def save_progress(self, progress: FeedProgress) -> None:
        """Note how far it is."""
        t = feed_progress
        values = {
            "cursor": None if progress.cursor is None else json.dumps(dict(progress.cursor)),
            "columns": json.dumps([list(column) for column in progress.columns]),
            "due_at": progress.due_at,
            "failures": progress.failures,
            "code": progress.code,
        }
        done = self._connection.execute(update(t).where(t.c.feed == progress.feed).values(values))
        if done.rowcount == 0:
            self._connection.execute(insert(t).values(feed=progress.feed, **values))

    def due(self, now: int, limit: int) -> Sequence[StoredFeed]:
        """Enabled feeds whose time has come, longest waiting first."""
        t = feed_progress
        query = (
            select(feed)
            .join(t, t.c.feed == feed.c.id)
            .where(t.c.due_at <= now, feed.c.enabled.is_(True), feed.c.deleted_at.is_(None))
            .order_by(t.c.due_at)
            .limit(limit)
        )
        return [self._record(row) for row in self._connection.execute(query)]

    def start_run(self, run: FeedRun) -> FeedRun:
        """Note a run; returns it with its number."""
        created = self._connection.execute(insert(feed_run).values(_run_values(run)))
        assert created.inserted_primary_key is not None
        return replace(run, id=created.inserted_primary_key[0])

    def save_run(self, run: FeedRun) -> None:
        """Note how far a run is."""
        self._connection.execute(
            update(feed_run).where(feed_run.c.id == run.id).values(_run_values(run))
        )

    def runs(self, feed: int, limit: int, before: int | None = None) -> Sequence[FeedRun]:
        """Newest first."""
        t = feed_run
        query = select(t).where(t.c.feed == feed).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(t.c.id < before)
        return [_run(row) for row in self._connection.execute(query)]

    def running(self) -> Sequence[FeedRun]:
        """Runs without an end, of all tenants."""
        t = feed_run
        query = select(t).where(t.c.state == RunState.RUNNING.value).order_by(t.c.id)
        return [_run(row) for row in self._connection.execute(query)]

    def add_drift(self, drifts: Sequence[Drift]) -> None:
        """Note changes of columns."""
        rows = [_drift_values(drift) for drift in drifts]
        if rows:
            self._connection.execute(insert(feed_drift), rows)

    def drift(
        self, feed: int, *, pending: bool, limit: int = 500, before: int | None = None
    ) -> Sequence[Drift]:
        """Changes, newest first; ``pending`` those that nobody has accepted."""
        t = feed_drift
        query = select(t).where(t.c.feed == feed).order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(t.c.id < before)
        if pending:
            query = query.where(t.c.accepted_by == "")
        return [_drift(row) for row in self._connection.execute(query)]

    def accept_drift(self, feed: int, by: str) -> int:
        """Accept all pending changes; returns how many."""
        t = feed_drift
        done = self._connection.execute(
            update(t).where(t.c.feed == feed, t.c.accepted_by == "").values(accepted_by=by)
        )
        return int(done.rowcount)

    def keep_mapping(self, tenant: int, digest: str, text: str) -> None:
        """Keep a mapping for ever under its digest."""
        t = feed_mapping
        self._connection.execute(delete(t).where(t.c.tenant == tenant, t.c.digest == digest))
        self._connection.execute(insert(t).values(tenant=tenant, digest=digest, text=text))

    def kept_mapping(self, tenant: int, digest: str) -> str | None:
        """A mapping by its digest."""
        t = feed_mapping
        return self._connection.scalar(
            select(t.c.text).where(t.c.tenant == tenant, t.c.digest == digest)
        )

    def mapping_of(self, tenant: int, source: int) -> str | None:
        """The mapping in force of the feed that files under ``source``."""
        return self._connection.scalar(
            select(feed.c.mapping).where(feed.c.tenant == tenant, feed.c.source == source)
        )

    def _fixed(self, it: StoredFeed) -> Mapping[str, Any]:
        return {name: getattr(it, name) for name in _FIXED}

    def _changing(self, it: StoredFeed) -> Mapping[str, Any]:
        return {name: getattr(it, name) for name in _CHANGING}

    def _record(self, row: Row[Any]) -> StoredFeed:
        values = {name: getattr(row, name) for name in (*_FIXED, *_CHANGING)}
        values |= {"key": bytes(row.key), "settings_enc": bytes(row.settings_enc)}
        return StoredFeed(id=row.id, revision=row.revision, **values)


def _run_values(run: FeedRun) -> dict[str, Any]:
    values = asdict(run)
    del values["id"]
    return values | {"state": run.state.value}


def _run(row: Row[Any]) -> FeedRun:
    return FeedRun(**{**row._mapping, "state": RunState(row.state)})


def _drift_values(drift: Drift) -> dict[str, Any]:
    return {
        "tenant": drift.tenant,
        "feed": drift.feed,
        "at": drift.at,
        "kind": drift.kind.value,
        "name": drift.column,
        "detail": drift.detail,
        "mapped": drift.mapped,
        "accepted_by": drift.accepted_by,
    }


def _drift(row: Row[Any]) -> Drift:
    return Drift(
        id=row.id,
        tenant=row.tenant,
        feed=row.feed,
        at=row.at,
        kind=DriftKind(row.kind),
        column=row.name,
        detail=row.detail,
        mapped=row.mapped,
        accepted_by=row.accepted_by,
    )
