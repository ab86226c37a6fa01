"""Feeds as people set them up: try, map, schedule, run, stop, read again, look at what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec

from carloop.app.feeds import schedule
from carloop.app.feeds.meanings import meaning_of
from carloop.app.feeds.opened import OpenFeeds
from carloop.app.feeds.reconcile import Reconciliation, reconcile
from carloop.app.feeds.runner import FeedRunner
from carloop.app.imports.mapping import Mapping as RowMapping
from carloop.app.imports.suggest import suggest
from carloop.connectors.files.jsonl import flatten
from carloop.core.feeds import Probe
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.feeds import Drift, FeedProgress, FeedRun, StoredFeed
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.core.sealed import renewed
from carloop.core.sources import Source, SourceKind
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput

DRIFT_POLICIES = ("stop", "go_on")


@dataclass(frozen=True, slots=True)
class FeedView:
    """A feed as it may be shown; ``secrets`` names the secret settings that are set."""

    stored: StoredFeed
    name: str
    settings: Mapping[str, Any]
    secrets: tuple[str, ...]
    progress: FeedProgress
    running: bool
    last_run: FeedRun | None
    pending_drift: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a connection saw, and a mapping to start from."""

    probe: Probe
    mapping: RowMapping


class FeedDesk:
    """Create, change, try, run and remove feeds."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        feeds: OpenFeeds,
        runner: FeedRunner,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        self._state = state
        self._event_store = event_store
        self._feeds = feeds
        self._runner = runner
        self._catalogue = catalogue
        self._clock = clock

    def kinds(self) -> list[dict[str, Any]]:
        """Every kind with its titles, whether it reads without end, and its settings' schema."""
        return [
            {
                "kind": kind,
                "title": dict(feed.title),
                "endless": feed.endless,
                "schema": feed.schema(),
            }
            for kind, feed in self._feeds.kinds.items()
        ]

    def all(self, caller: Caller) -> list[FeedView]:
        """All feeds of the caller's tenant."""
        with self._state.read() as tx:
            return [self._view(tx, it) for it in tx.feeds.list(caller.scope.tenant)]

    def get(self, caller: Caller, uuid: str) -> FeedView:
        """One feed; raises ``NotFound`` (``feed_unknown``)."""
        with self._state.read() as tx:
            return self._view(tx, tx.feeds.get(caller.scope.tenant, uuid))

    def try_out(self, caller: Caller, kind: str, settings: Mapping[str, Any]) -> Trial:
        """Connect with these settings, look, and propose a mapping; nothing is kept.

        Raises:
            InvalidInput: the settings are wrong, or the source refuses.
            Retryable: the source cannot be reached now.
        """
        feed = self._feeds.open(kind, settings)
        try:
            probe = feed.probe()
        finally:
            feed.close()
        with self._state.read() as tx:
            zone = tx.tenants.get(caller.scope.tenant).zone
        return Trial(probe, self._proposed(probe, zone))

    def try_stored(self, caller: Caller, uuid: str) -> Trial:
        """As :meth:`try_out`, with a feed's own settings."""
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
        return self.try_out(caller, stored.kind, self._feeds.settings(stored))

    def create(
        self,
        caller: Caller,
        name: str,
        kind: str,
        settings: Mapping[str, Any],
        *,
        mapping: str = "",
        schedule: str = schedule.MANUAL,
        drift: str = "stop",
        historical: bool = False,
    ) -> FeedView:
        """A new feed with a source of its own.

        Raises:
            InvalidInput: a setting, the mapping or the schedule is wrong.
            Conflict: ``name_taken``.
        """
        self._feeds.open(kind, settings).close()
        tenant, now, uuid = caller.scope.tenant, to_ms(self._clock.now()), str(uuid4())
        key, sealed = self._feeds.sealed(tenant, uuid, settings)
        with self._state.write() as tx:
            source = tx.sources.add(
                Source(
                    tenant=tenant,
                    id=0,
                    name=name,
                    kind=SourceKind.SYSTEM,
                    historical=historical,
                    created_at=now,
                )
            )
            stored = StoredFeed(
                tenant=tenant, uuid=uuid, source=source.id, kind=kind, key=key,
                settings_enc=sealed, created_by=caller.id, created_at=now, updated_at=now,
            )  # fmt: skip
            stored = tx.feeds.add(self._checked(tx, stored, mapping, schedule, drift))
            self._plan_next(tx, stored)
            return self._view(tx, stored)

    def change(
        self,
        caller: Caller,
        uuid: str,
        revision: int | None,
        *,
        settings: Mapping[str, Any] | None = None,
        mapping: str | None = None,
        schedule: str | None = None,
        drift: str | None = None,
        enabled: bool | None = None,
    ) -> FeedView:
        """Change what is given; a secret that is left out or null stays as it is.

        Raises:
            NotFound, InvalidInput.
            Conflict: ``stale``: ``revision`` is not the newest.
        """
        with self._state.write() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
            if revision is not None and revision != stored.revision:
                raise Conflict("the feed was changed meanwhile", code="stale")
            if settings is not None:
                stored = self._resealed(stored, settings)
            changed = replace(
                self._checked(
                    tx,
                    stored,
                    stored.mapping if mapping is None else mapping,
                    stored.schedule if schedule is None else schedule,
                    stored.drift if drift is None else drift,
                ),
                enabled=stored.enabled if enabled is None else enabled,
                updated_at=to_ms(self._clock.now()),
            )
            saved = tx.feeds.save(changed)
            self._plan_next(tx, saved)
            view = self._view(tx, saved)
        meant_anew = settings is not None or mapping is not None
        if enabled is False:
            self._runner.stop_one(saved.id)
        elif meant_anew and self._feeds.kinds[saved.kind].endless:
            self._runner.stop_one(saved.id, again=True)
        return view

    def remove(self, caller: Caller, uuid: str) -> None:
        """Delete softly, with its source; what was read stays."""
        with self._state.write() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
            now = to_ms(self._clock.now())
            tx.feeds.remove(stored, now)
            source = tx.sources.get(stored.tenant, stored.source)
            if source is not None and source.deleted_at is None:
                tx.sources.save(replace(source, enabled=False, deleted_at=now))
        self._runner.stop_one(stored.id)

    def run(self, caller: Caller, uuid: str, *, again: bool = False) -> FeedView:
        """Run now; ``again``: from the beginning, which stores nothing twice.

        Raises:
            Conflict: ``feed_running``.
            InvalidInput: ``mapping_missing``.
        """
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
        if not stored.mapping:
            raise InvalidInput(
                "say first what its columns mean", code="mapping_missing", path="mapping"
            )
        self._runner.start(stored, "again" if again else "manual")
        return self.get(caller, uuid)

    def stop(self, caller: Caller, uuid: str) -> FeedView:
        """Ask a run to end after its page; the next one goes on from there.

        What has a schedule runs again when its time comes; what has no end, when somebody says so.
        """
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
        self._runner.stop_one(stored.id)
        return self.get(caller, uuid)

    def runs(
        self, caller: Caller, uuid: str, *, limit: int, before: int | None
    ) -> Sequence[FeedRun]:
        """Runs of a feed, newest first."""
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
            return tx.feeds.runs(stored.id, limit, before)

    def drift(
        self, caller: Caller, uuid: str, *, limit: int, before: int | None
    ) -> Sequence[Drift]:
        """Changes of columns, newest first."""
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
            return tx.feeds.drift(stored.id, pending=False, limit=limit, before=before)

    def accept_drift(self, caller: Caller, uuid: str) -> int:
        """Take the columns as they are now for the rule; returns how many changes that were."""
        with self._state.write() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
            accepted = tx.feeds.accept_drift(stored.id, caller.id)
            tx.feeds.save_progress(replace(tx.feeds.progress(stored.id), columns=()))
            self._plan_next(tx, stored)
        return accepted

    def reconcile(self, caller: Caller, uuid: str) -> Reconciliation:
        """Records at the source against records that landed, now."""
        with self._state.read() as tx:
            stored = tx.feeds.get(caller.scope.tenant, uuid)
        feed = self._feeds.of(stored)
        try:
            at_source = feed.count()
        finally:
            feed.close()
        return reconcile(self._state, self._event_store, stored, caller.scope, at_source)

    def _checked(
        self, tx: Tx, stored: StoredFeed, mapping: str, plan: str, drift: str
    ) -> StoredFeed:
        schedule.check(plan)
        if drift not in DRIFT_POLICIES:
            raise InvalidInput("stop or go_on", code="drift_invalid", path="drift")
        if self._feeds.kinds[stored.kind].endless != (plan == schedule.CONTINUOUS) and (
            plan != schedule.MANUAL
        ):
            raise InvalidInput(
                "a source without end runs continuously, one with an end by a schedule",
                code="schedule_invalid",
                path="schedule",
            )
        text = ""
        if mapping:
            meaning = meaning_of(mapping, self._catalogue)
            text = meaning.text
            tx.feeds.keep_mapping(stored.tenant, meaning.digest, text)
        return replace(stored, mapping=text, schedule=plan, drift=drift)

    def _plan_next(self, tx: Tx, stored: StoredFeed) -> None:
        """Due at once where it runs by itself and can."""
        runs = stored.enabled and stored.mapping and stored.schedule != schedule.MANUAL
        zone = ZoneInfo(tx.tenants.get(stored.tenant).zone)
        now = self._clock.now()
        due = None
        if runs and not self._runner.is_running(stored.id):
            periodic = stored.schedule.startswith("every") or stored.schedule == schedule.CONTINUOUS
            due = now if periodic else schedule.next_run(stored.schedule, now, zone)
        progress = tx.feeds.progress(stored.id)
        tx.feeds.save_progress(replace(progress, due_at=None if due is None else to_ms(due)))

    def _resealed(self, stored: StoredFeed, settings: Mapping[str, Any]) -> StoredFeed:
        before = self._feeds.settings(stored)
        after = renewed(before, settings, self._feeds.secrets(stored.kind))
        self._feeds.open(stored.kind, after).close()
        key, sealed = self._feeds.sealed(stored.tenant, stored.uuid, after)
        return replace(stored, key=key, settings_enc=sealed)

    def _proposed(self, probe: Probe, zone: str) -> RowMapping:
        rows: list[dict[str, Any]] = []
        for body in probe.sample:
            cells: dict[str, Any] = {}
            flatten(msgspec.json.decode(body), "", cells)
            rows.append(cells)
        headers = list(
            dict.fromkeys([c.name for c in probe.columns] + [n for r in rows for n in r])
        )
        values = [[row.get(header) for header in headers] for row in rows]
        found = suggest(headers, values, self._catalogue, event=None, zone=zone)
        return found.model_copy(update={"keep_unmapped": True})

    def _view(self, tx: Tx, stored: StoredFeed) -> FeedView:
        settings, secrets = self._feeds.shown(stored)
        source = tx.sources.get(stored.tenant, stored.source)
        runs = tx.feeds.runs(stored.id, 1)
        return FeedView(
            stored,
            source.name if source else "",
            settings,
            secrets,
            tx.feeds.progress(stored.id),
            self._runner.is_running(stored.id),
            runs[0] if runs else None,
            len(tx.feeds.drift(stored.id, pending=True)),
        )
