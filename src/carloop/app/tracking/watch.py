"""What the pipeline asks of an event besides the packs' own checks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from carloop.app.tracking.departures import Bound, Guard
from carloop.app.tracking.documents import Reader, stored_settings
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.tracking import (
    PlannedEvent,
    PlanSettings,
    Severities,
    TrackingPlan,
    base_event,
)


def base_of(catalogue: Catalogue) -> dict[str, PlannedEvent]:
    """The packs' events as a plan."""
    return {name: base_event(kind) for name, kind in catalogue.event_types.items()}


def bound_of(catalogue: Catalogue) -> Bound:
    """Properties of the packs' events that are keys of entities."""
    return frozenset(
        (event, p.name)
        for event, kind in catalogue.event_types.items()
        for p in kind.properties
        if p.entity is not None
    )


def published(tx: Tx, tenant: int) -> TrackingPlan:
    """A tenant's own part of the newest published plan; empty where none was published."""
    newest = tx.plan.version(tenant)
    return Reader().plan(json.loads(newest.document)) if newest else TrackingPlan()


class PlanWatch:
    """Guards by tenant and source; a source that only flags has none and costs nothing.

    Read by the pipeline's thread while others replace it as a whole.
    """

    def __init__(self, state: State, catalogue: Catalogue) -> None:
        self._state = state
        self._base = base_of(catalogue)
        self._bound = bound_of(catalogue)
        self.free: Mapping[str, str] = {
            **catalogue.property_identifiers,
            **catalogue.property_entities,
        }
        self._strict: Mapping[int, tuple[PlanSettings, TrackingPlan]] = {}
        self._guards: dict[tuple[int, int], Guard | None] = {}

    def refresh(self) -> None:
        """Read plans and settings anew; to be called whenever either has changed."""
        strict: dict[int, tuple[PlanSettings, TrackingPlan]] = {}
        with self._state.read() as tx:
            for tenant in tx.plan.tenants():
                settings, _ = stored_settings(json.loads(tx.plan.settings(tenant).document))
                if any(not s.lenient for s in (settings.default, *settings.sources.values())):
                    strict[tenant] = settings, published(tx, tenant).over(self._base)
        self._strict, self._guards = strict, {}

    def of(self, tenant: int, source: int) -> Guard | None:
        """The guard of one source; None where departures are only flagged."""
        if not self._strict:
            return None
        guards, key = self._guards, (tenant, source)
        if key not in guards:
            found = self._strict.get(tenant)
            severities = found[0].of(source) if found else Severities()
            guards[key] = (
                None
                if found is None or severities.lenient
                else Guard(found[1], severities, self._bound)
            )
        return guards[key]
