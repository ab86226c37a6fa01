"""The tracking plan of a tenant: shown, edited, published, brought back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from carloop.app.audit import AuditLog
from carloop.app.tracking.changes import Change, changes
from carloop.app.tracking.documents import (
    MOST_EVENTS,
    Fault,
    Reader,
    check,
    event_document,
    plan_document,
    settings_document,
    stored_settings,
)
from carloop.app.tracking.files import read_plan, to_workbook, to_yaml
from carloop.app.tracking.watch import base_of
from carloop.app.tracking.work import Plans, Work
from carloop.core.ports.plan import PlanEntry, PlanSettingsEntry, PlanVersion
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.core.tracking import PlannedEvent, PlanSettings, Touchpoint, TrackingPlan
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput, NotFound

Mode = Literal["merge", "replace"]
MOST_DOCUMENT = 4 * 1024 * 1024
"""Characters of a tenant's own plan."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do; ``plan`` is the tenant's part afterwards."""

    plan: TrackingPlan
    changes: Sequence[Change]
    faults: Sequence[Fault]
    tag: int


class PlanDesk:
    """Use cases around the plan; ``refresh`` tells the pipeline what is in force."""

    def __init__(
        self,
        state: State,
        catalogue: Catalogue,
        clock: Clock,
        audit: AuditLog,
        refresh: Callable[[], None],
    ) -> None:
        self._state = state
        self._catalogue = catalogue
        self._base = base_of(catalogue)
        self._clock = clock
        self._audit = audit
        self._refresh = refresh
        self._plans = Plans(self._base)

    def work(self, caller: Caller) -> Work:
        """The plan under work."""
        with self._state.read() as tx:
            return self._plans.under_work(tx, caller.scope.tenant)

    def is_base(self, name: str) -> bool:
        """A pack declares this event."""
        return name in self._base

    def event(self, caller: Caller, name: str) -> tuple[PlannedEvent, int]:
        """One event, and its revision: 0 where it stands as the pack declares it.

        Raises:
            NotFound: ``plan_event_unknown``.
        """
        work = self.work(caller)
        if name not in work.whole.events:
            raise NotFound("the plan has no such event", code="plan_event_unknown")
        entry = work.entries.get(name)
        return work.whole.events[name], entry.revision if entry else 0

    def save_event(
        self, caller: Caller, name: str, document: Mapping[str, Any], revision: int | None
    ) -> tuple[PlannedEvent, int]:
        """Put an event into the plan under work.

        Raises:
            InvalidInput: the document is not valid; see :class:`Fault`.
            Conflict: ``stale``.
        """
        tenant = caller.scope.tenant
        reader = Reader()
        event = reader.event({**document, "name": name})
        reader.refuse()
        assert event is not None
        with self._state.write() as tx:
            work = self._plans.under_work(tx, tenant)
            one = TrackingPlan(events={name: event}, touchpoints=work.own.touchpoints)
            check(reader, one, self._catalogue.event_types, lambda name: "")
            if name not in work.own.events and len(work.own.events) >= MOST_EVENTS:
                reader.fault("events", "plan_too_many")
            reader.refuse()
            before = work.whole.events.get(name)
            saved = self._put(tx, caller, event, work.entries.get(name), revision)
            self._bounded(self._plans.under_work(tx, tenant).own)
            told = changes(
                TrackingPlan(events={name: before} if before else {}),
                TrackingPlan(events={name: event}),
            )
            members = [member.path for change in told for member in change.members]
            self._audit.append(tx, caller, "plan.event.save", name, members=members[:50])
        return event, saved.revision

    def remove_event(self, caller: Caller, name: str, revision: int | None) -> None:
        """Take the tenant's own entry away; an event of a pack is again as declared.

        Raises:
            NotFound: ``plan_event_unknown``.
            Conflict: ``stale``.
        """
        with self._state.write() as tx:
            entry = tx.plan.event(caller.scope.tenant, name)
            if entry is None:
                raise NotFound("the plan has no entry of its own", code="plan_event_unknown")
            tx.plan.remove_event(
                caller.scope.tenant, name, entry.revision if revision is None else revision
            )
            self._audit.append(tx, caller, "plan.event.remove", name)

    def settings(self, caller: Caller) -> tuple[PlanSettings, Mapping[str, Touchpoint], int]:
        """What becomes of departures, touchpoints under work, and their revision."""
        with self._state.read() as tx:
            entry = tx.plan.settings(caller.scope.tenant)
        return *stored_settings(json.loads(entry.document)), entry.revision

    def save_settings(
        self,
        caller: Caller,
        settings: PlanSettings,
        touchpoints: Sequence[Mapping[str, Any]],
        revision: int | None,
    ) -> tuple[PlanSettings, Mapping[str, Touchpoint], int]:
        """Save them; severities hold at once, touchpoints are published with the plan.

        Raises:
            InvalidInput: a touchpoint is not valid, or points still lie at one that goes.
            Conflict: ``stale``.
        """
        reader = Reader()
        places = reader.plan({"touchpoints": list(touchpoints)}).touchpoints
        reader.refuse()
        with self._state.write() as tx:
            work = self._plans.under_work(tx, caller.scope.tenant)
            moved = TrackingPlan(events=work.own.events, touchpoints=places)
            check(reader, moved, {}, lambda name: f"events.{name}.")
            reader.refuse()
            was = tx.plan.settings(caller.scope.tenant)
            number = was.revision if revision is None else revision
            saved = self._put_settings(tx, caller, settings, places, number)
            self._audit.append(
                tx, caller, "plan.settings.save", "plan", touchpoints=len(places),
                strict=sorted(str(n) for n, s in settings.sources.items() if not s.lenient),
                default=not settings.default.lenient,
            )  # fmt: skip
        self._refresh()
        return settings, places, saved.revision

    def versions(self, caller: Caller, *, before: int | None, limit: int) -> Sequence[PlanVersion]:
        """Published versions, newest first."""
        with self._state.read() as tx:
            return tx.plan.versions(caller.scope.tenant, before=before, limit=limit)

    def between(self, caller: Caller, old: int, new: int | None) -> list[Change]:
        """What changed from one version (0: nothing but the packs) to another, or to the work.

        Raises:
            NotFound: ``plan_version_unknown``.
        """
        with self._state.read() as tx:
            before = self._plans.version(tx, caller.scope.tenant, old)
            after = self._plans.under_work(tx, caller.scope.tenant).own if new is None else (
                self._plans.version(tx, caller.scope.tenant, new)
            )  # fmt: skip
        return changes(before.over(self._base), after.over(self._base))

    def publish(
        self, caller: Caller, note: str, tag: int | None, *, restored: int | None = None
    ) -> PlanVersion:
        """Make the plan under work the next version, in force at once.

        Raises:
            Conflict: ``stale``; ``plan_unchanged``: there is nothing to publish.
        """
        with self._state.write() as tx:
            work = self._plans.under_work(tx, caller.scope.tenant)
            self._same(work, tag)
            if not work.waiting:
                raise Conflict("nothing was changed", code="plan_unchanged")
            made = self._publish(tx, caller, work, note, restored)
        self._refresh()
        return made

    def restore(self, caller: Caller, number: int, note: str, tag: int | None) -> PlanVersion:
        """Make an earlier version the plan under work, and publish it as the next version.

        Raises:
            NotFound: ``plan_version_unknown``.
            Conflict: ``stale``; ``plan_unchanged``: it is in force already.
        """
        with self._state.write() as tx:
            work = self._plans.under_work(tx, caller.scope.tenant)
            self._same(work, tag)
            plan = self._plans.version(tx, caller.scope.tenant, number)
            if work.version is not None and work.version.version == number and not work.waiting:
                raise Conflict("this version is in force", code="plan_unchanged")
            self._become(tx, caller, work, plan)
            now = self._plans.under_work(tx, caller.scope.tenant)
            made = self._publish(tx, caller, now, note, number)
        self._refresh()
        return made

    def preview(self, caller: Caller, name: str, body: bytes, mode: Mode) -> Preview:
        """What importing a file would change; nothing is kept.

        Raises:
            InvalidInput, TooLarge: the file cannot be read at all.
        """
        document = read_plan(name, body)
        with self._state.read() as tx:
            return self._preview(tx, caller, document, mode)

    def load(self, caller: Caller, name: str, body: bytes, mode: Mode, tag: int | None) -> Preview:
        """Import a file into the plan under work.

        Raises:
            InvalidInput: the file cannot be read, or holds a fault.
            Conflict: ``stale``.
        """
        document = read_plan(name, body)
        with self._state.write() as tx:
            preview = self._preview(tx, caller, document, mode)
            if preview.faults:
                Reader(list(preview.faults)).refuse()
            work = self._plans.under_work(tx, caller.scope.tenant)
            self._same(work, tag)
            self._bounded(preview.plan)
            self._become(tx, caller, work, preview.plan)
            self._audit.append(
                tx, caller, "plan.import", "plan", mode=mode, changes=len(preview.changes)
            )
        return preview

    def export(self, caller: Caller, format: Literal["yaml", "xlsx"], number: int | None) -> bytes:
        """The whole plan with the packs' events: of a version, or under work.

        Raises:
            NotFound: ``plan_version_unknown``.
        """
        with self._state.read() as tx:
            own = self._plans.under_work(tx, caller.scope.tenant).own if number is None else (
                self._plans.version(tx, caller.scope.tenant, number)
            )  # fmt: skip
        document = plan_document(own.over(self._base))
        return to_yaml(document) if format == "yaml" else to_workbook(document)

    def _preview(self, tx: Tx, caller: Caller, document: Any, mode: Mode) -> Preview:
        work = self._plans.under_work(tx, caller.scope.tenant)
        reader = Reader()
        given = reader.plan(document)
        events = {
            name: event for name, event in given.events.items() if event != self._base.get(name)
        }
        kept = mode == "merge"
        plan = TrackingPlan(
            events={
                **({n: e for n, e in work.own.events.items() if n not in given.events}
                   if kept else {}),
                **events,
            },
            touchpoints={**(work.own.touchpoints if kept else {}), **given.touchpoints},
        )  # fmt: skip
        places = {event: n for n, event in enumerate(given.events)}
        check(
            reader,
            plan,
            self._catalogue.event_types,
            lambda name: f"events[{places[name]}]." if name in places else f"{name}.",
        )
        if len(plan.events) > MOST_EVENTS:
            reader.fault("events", "plan_too_many")
        return Preview(
            plan, changes(work.whole, plan.over(self._base)), tuple(reader.faults), work.tag
        )

    def _become(self, tx: Tx, caller: Caller, work: Work, plan: TrackingPlan) -> None:
        """Store ``plan`` as the plan under work; what is the same stays untouched."""
        tenant = caller.scope.tenant
        for name, entry in work.entries.items():
            if name not in plan.events:
                tx.plan.remove_event(tenant, name, entry.revision)
        for name, event in plan.events.items():
            if work.own.events.get(name) != event:
                self._put(tx, caller, event, work.entries.get(name), None)
        if dict(plan.touchpoints) != dict(work.own.touchpoints):
            was = tx.plan.settings(tenant)
            settings, _ = stored_settings(json.loads(was.document))
            self._put_settings(tx, caller, settings, plan.touchpoints, was.revision)

    def _put(
        self,
        tx: Tx,
        caller: Caller,
        event: PlannedEvent,
        entry: PlanEntry | None,
        revision: int | None,
    ) -> PlanEntry:
        if revision is None:
            revision = entry.revision if entry else 0
        text = json.dumps(event_document(event), ensure_ascii=False)
        now = to_ms(self._clock.now())
        return tx.plan.put_event(
            caller.scope.tenant, PlanEntry(event.name, text, revision, caller.id[:128], now)
        )

    def _put_settings(
        self,
        tx: Tx,
        caller: Caller,
        settings: PlanSettings,
        places: Mapping[str, Touchpoint],
        revision: int,
    ) -> PlanSettingsEntry:
        text = json.dumps(settings_document(settings, places), ensure_ascii=False)
        now = to_ms(self._clock.now())
        entry = PlanSettingsEntry(text, revision, caller.id[:128], now)
        return tx.plan.put_settings(caller.scope.tenant, entry)

    def _publish(
        self, tx: Tx, caller: Caller, work: Work, note: str, restored: int | None
    ) -> PlanVersion:
        made = PlanVersion(
            version=(work.version.version if work.version else 0) + 1,
            document=json.dumps(plan_document(work.own), ensure_ascii=False),
            events=len(work.whole.events),
            points=work.whole.points,
            note=note,
            restored=restored,
            created_by=caller.id[:128],
            created_at=to_ms(self._clock.now()),
        )
        tx.plan.add_version(caller.scope.tenant, made)
        self._audit.append(
            tx, caller, "plan.publish", f"plan/{made.version}", changes=len(work.waiting),
            restored=restored,
        )  # fmt: skip
        return made

    @staticmethod
    def _same(work: Work, tag: int | None) -> None:
        if tag is not None and tag != work.tag:
            raise Conflict("the plan was changed meanwhile", code="stale")

    @staticmethod
    def _bounded(plan: TrackingPlan) -> None:
        if len(json.dumps(plan_document(plan), ensure_ascii=False)) > MOST_DOCUMENT:
            raise InvalidInput("the plan is too large", code="plan_too_many", path="events")
