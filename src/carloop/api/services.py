"""The use cases that routes call, in one bag; ``bootstrap`` fills it.

A part adds itself with one line here and one in ``bootstrap/engine.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carloop.app.access.keys import Keys
    from carloop.app.access.signing_in import Access
    from carloop.app.access.users import Users
    from carloop.app.analytics import Analytics
    from carloop.app.audit import AuditLog
    from carloop.app.backups import Backups
    from carloop.app.catalogue import CatalogueReader
    from carloop.app.channels import ChannelDesk
    from carloop.app.consents import ConsentLedger, UnsubscribeLinks
    from carloop.app.entities.lookup import EntityLookup
    from carloop.app.entities.story import EntityStory
    from carloop.app.erasure import Erasure
    from carloop.app.events import Events
    from carloop.app.feeds.desk import FeedDesk
    from carloop.app.identity_decisions import IdentityDecisions
    from carloop.app.imports.job import ImportJobs
    from carloop.app.jobs import JobRunner
    from carloop.app.journey_desk import JourneyDesk
    from carloop.app.operation.health import Health
    from carloop.app.overview import Overview
    from carloop.app.persons.lookup import Persons
    from carloop.app.persons.story import PersonStory
    from carloop.app.quality.desk import QualityDesk
    from carloop.app.quality.files import FileQuality
    from carloop.app.quality.scorecards import Scorecards
    from carloop.app.quarantine import Quarantine
    from carloop.app.receipts import Receipts
    from carloop.app.replays import Replays
    from carloop.app.segments.audiences import Audiences
    from carloop.app.segments.saved import Segments
    from carloop.app.source_limits import SourceLimits
    from carloop.app.source_settings import SourceDesk
    from carloop.app.sources import Sources
    from carloop.app.suppressions import SuppressionDesk
    from carloop.app.tenant_settings import TenantSettings
    from carloop.app.tracking.desk import PlanDesk
    from carloop.app.tracking.report import PlanReport
    from carloop.app.unknown_sends import UnknownSendDesk
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
    feeds: FeedDesk
    audit: AuditLog
    sources: Sources
    source_limits: SourceLimits
    tenant_settings: TenantSettings
    plan: PlanDesk
    plan_report: PlanReport
    quality: QualityDesk
    scorecards: Scorecards
    file_quality: FileQuality
    suppressions: SuppressionDesk
    unknown_sends: UnknownSendDesk
    source_desk: SourceDesk
    overview: Overview
    health: Health
    quarantine: Quarantine
    replays: Replays
    journeys: JourneyDesk
    channels: ChannelDesk
    consents: ConsentLedger
    unsubscribe_links: UnsubscribeLinks
    receipts: Receipts
    answer_secret: bytes
    persons: Persons
    person_story: PersonStory
    entity_lookup: EntityLookup
    entity_story: EntityStory
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
