"""Which figures can be computed from what is really collected, and what the others lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carloop.app.tracking.reality import Seen, kept_counts
from carloop.core.ports.segments import SavedFunnel
from carloop.core.registry import Catalogue
from carloop.core.tracking import PointStatus, TrackingPlan


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a figure is computed from.

    Attributes:
        property: empty where the event alone is needed.
        missing: ``event_not_planned``, ``event_not_seen``, ``property_not_seen``; empty: it is
            there.
        touchpoints: where the plan has the event, the places to look for the missing feed.
        count: events within the window.
    """

    event: str
    property: str
    missing: str
    touchpoints: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class MetricState:
    """A figure; computable when nothing it needs is missing. ``origin``: ``pack``, ``funnel``."""

    name: str
    title: Mapping[str, str]
    origin: str
    stage: str
    needs: Sequence[Need]

    @property
    def computable(self) -> bool:
        """Everything it needs arrives."""
        return not any(need.missing for need in self.needs)


def metric_states(
    catalogue: Catalogue, funnels: Sequence[SavedFunnel], plan: TrackingPlan, seen: Seen
) -> list[MetricState]:
    """The packs' figures and the saved funnels; what lacks something first, then by name."""
    counts = kept_counts(seen)
    filled = {
        (one.event, name)
        for one in seen.looked
        for body in one.bodies
        for name, value in body.items()
        if value is not None and value != ""
    }

    def need(text: str) -> Need:
        event, _, property = (text, "", "") if text in plan.events else text.partition(".")
        planned = plan.events.get(event)
        places = tuple(
            sorted(
                place
                for place, status in (planned.points.items() if planned else ())
                if status is not PointStatus.RETIRED
            )
        )
        missing = ""
        if not counts.get(event):
            missing = "event_not_seen" if planned else "event_not_planned"
        elif property and (event, property) not in filled:
            missing = "property_not_seen"
        return Need(event, property, missing, places, counts.get(event, 0))

    states = [
        MetricState(m.name, m.title, "pack", m.stage, [need(text) for text in m.needs])
        for pack in catalogue.packs
        for m in pack.metrics
    ]
    states += [
        MetricState(f"funnel:{f.uuid}", {"zh": f.name, "en": f.name}, "funnel", "", [
            need(text) for text in _steps(f)
        ])
        for f in funnels
    ]  # fmt: skip
    return sorted(states, key=lambda it: (it.computable, it.name))


def _steps(funnel: SavedFunnel) -> list[str]:
    """Events of a funnel's steps, and the property it is broken down by at the first of them."""
    events = [str(step["event"]) for step in funnel.params.get("steps", ()) if "event" in step]
    by = (funnel.params.get("breakdown") or {}).get("property")
    return [*dict.fromkeys(events), *([f"{events[0]}.{by}"] if by and events else [])]
