"""The use cases that routes call, in one bag; ``bootstrap`` fills it.

A part adds itself with one line here and one in ``bootstrap/engine.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carloop.app.access import Access
    from carloop.app.analytics import Analytics
    from carloop.app.audiences import Audiences
    from carloop.app.audit import AuditLog
    from carloop.app.backups import Backups
    from carloop.app.channels import ChannelDesk
    from carloop.app.consents import ConsentLedger, UnsubscribeLinks
    from carloop.app.entity_desk import EntityDesk
    from carloop.app.erasure import Erasure
    from carloop.app.events import CatalogueReader, Events
    from carloop.app.health import Health
    from carloop.app.identity_decisions import IdentityDecisions
    from carloop.app.imports.job import ImportJobs
    from carloop.app.jobs import JobRunner
    from carloop.app.journey_desk import JourneyDesk
    from carloop.app.keys import Keys
    from carloop.app.overview import Overview
    from carloop.app.person_story import PersonStory
    from carloop.app.persons import Persons
    from carloop.app.quarantine import Quarantine
    from carloop.app.receipts import Receipts
    from carloop.app.segments import Segments
    from carloop.app.sources import Sources
    from carloop.app.users import Users
    from carloop.core.ports.event_store import EventStore
    from carloop.core.ports.state import State
    from carloop.core.registry import Catalogue
    from carloop.kit.clock import Clock


class Services:
    """What the routes may reach, by attribute; a name that is not declared here is refused."""

    clock: Clock
    catalogue: Catalogue
    state: State
    event_store: EventStore
    access: Access
    users: Users
    keys: Keys
    jobs: JobRunner
    backups: Backups
    imports: ImportJobs
    audit: AuditLog
    sources: Sources
    overview: Overview
    health: Health
    quarantine: Quarantine
    journeys: JourneyDesk
    channels: ChannelDesk
    consents: ConsentLedger
    unsubscribe_links: UnsubscribeLinks
    receipts: Receipts
    answer_secret: bytes
    persons: Persons
    person_story: PersonStory
    entity_desk: EntityDesk
    identity_decisions: IdentityDecisions
    erasure: Erasure
    audiences: Audiences
    segments: Segments
    analytics: Analytics
    events: Events
    catalogue_reader: CatalogueReader

    def __init__(self, **parts: object) -> None:
        for name, part in parts.items():
            if name not in type(self).__annotations__:
                raise TypeError(f"Services has no part {name!r}")
            setattr(self, name, part)
