"""Wires what is asked of the stores: segments, analyses, events, the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from carloop.app.analytics import Analytics
from carloop.app.catalogue import CatalogueReader
from carloop.app.events import Events
from carloop.app.persons.lookup import Persons
from carloop.app.segments.audiences import Audiences
from carloop.app.segments.refresher import Listener, SegmentRefresher
from carloop.app.segments.saved import Segments
from carloop.bootstrap.stores import TENANT, Stores
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock

TEMPLATE_LANGUAGE = "zh"


@dataclass(frozen=True, slots=True)
class Questions:
    """The use cases, and the refresher that a loop calls."""

    audiences: Audiences
    segments: Segments
    analytics: Analytics
    events: Events
    catalogue_reader: CatalogueReader
    refresher: SegmentRefresher

    def services(self) -> dict[str, object]:
        """What :class:`~carloop.api.services.Services` needs."""
        return {
            "audiences": self.audiences,
            "segments": self.segments,
            "analytics": self.analytics,
            "events": self.events,
            "catalogue_reader": self.catalogue_reader,
        }

    def install_templates(self, catalogue: Catalogue) -> None:
        """Give a new installation the segments and funnels of its packs."""
        for pack in catalogue.packs:
            self.segments.install(TENANT, pack.segments, TEMPLATE_LANGUAGE)
            self.analytics.install(TENANT, pack.funnels, TEMPLATE_LANGUAGE)


def wire_questions(
    stores: Stores,
    catalogue: Catalogue,
    clock: Clock,
    persons: Persons,
    audiences: Audiences,
    listener: Listener | None = None,
) -> Questions:
    """Everything that asks the stores; ``listener`` hears of changed memberships."""
    state, store = stores.state, stores.event_store
    refresher = SegmentRefresher(state, store, audiences, clock, listener)
    return Questions(
        audiences=audiences,
        segments=Segments(state, clock, audiences, persons, refresher.refresh),
        analytics=Analytics(state, store, audiences, persons, clock),
        events=Events(state, store, catalogue, stores.cipher, persons),
        catalogue_reader=CatalogueReader(store, catalogue, clock),
        refresher=refresher,
    )
