"""The plan under work and published versions, as they are read from the state store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from carloop.app.tracking.changes import Change, changes
from carloop.app.tracking.documents import Reader, stored_settings
from carloop.app.tracking.watch import published
from carloop.core.ports.plan import PlanEntry, PlanVersion
from carloop.core.ports.state import Tx
from carloop.core.tracking import PlannedEvent, TrackingPlan
from carloop.kit.errors import NotFound

MOST_KEPT = 8
"""Plans under work that are kept read."""


@dataclass(frozen=True, slots=True)
class Work:
    """The plan under work.

    Attributes:
        own: the tenant's part of it.
        whole: with the packs' events.
        entries: what is stored, by event.
        version: newest published version, without its document; None before the first.
        waiting: what publishing would change.
        tag: differs where the plan under work or its newest version differs.
    """

    own: TrackingPlan
    whole: TrackingPlan
    entries: Mapping[str, PlanEntry]
    version: PlanVersion | None
    waiting: Sequence[Change]
    tag: int


class Plans:
    """Reads plans; ``base``: the packs' events. Thread-safe."""

    def __init__(self, base: Mapping[str, PlannedEvent]) -> None:
        self._base = base
        self._lock = Lock()
        self._kept: dict[bytes, Work] = {}

    def under_work(self, tx: Tx, tenant: int) -> Work:
        """The plan under work; what was read once is kept for as long as nothing changes."""
        entries = {entry.name: entry for entry in tx.plan.events(tenant)}
        stored = tx.plan.settings(tenant)
        newest = next(iter(tx.plan.versions(tenant, before=None, limit=1)), None)
        mark = hashlib.blake2b(f"{tenant}/{newest.version if newest else 0}".encode())
        for text in (stored.document, *(entry.document for entry in entries.values())):
            mark.update(b"\x00")
            mark.update(text.encode())
        for entry in entries.values():
            mark.update(f"/{entry.revision}".encode())
        digest = mark.digest()
        with self._lock:
            kept = self._kept.get(digest)
        if kept is not None:
            return kept
        _, places = stored_settings(json.loads(stored.document))
        reader = Reader()
        events = [reader.event(json.loads(entry.document)) for entry in entries.values()]
        own = TrackingPlan(
            events={event.name: event for event in events if event is not None},
            touchpoints=places,
        )
        whole = own.over(self._base)
        waiting = changes(published(tx, tenant).over(self._base), whole)
        tag = int.from_bytes(digest[:8], "big") % 1_000_000_000
        work = Work(own, whole, entries, newest, waiting, tag)
        with self._lock:
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[digest] = work
        return work

    def version(self, tx: Tx, tenant: int, number: int) -> TrackingPlan:
        """The tenant's part of a published version; 0: nothing.

        Raises:
            NotFound: ``plan_version_unknown``.
        """
        if number == 0:
            return TrackingPlan()
        found = tx.plan.version(tenant, number)
        if found is None:
            raise NotFound("no such version of the plan", code="plan_version_unknown")
        return Reader().plan(json.loads(found.document))
