"""The state store: one transaction per use case, repositories by noun.

Repositories never commit; the transaction does, at the edge. Each repository's protocol lives in
the file of its noun beside this one; its SQLAlchemy adapter in ``stores.state.<noun>``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from carloop.core.ports.access import AccessRepository
from carloop.core.ports.audit import AuditRepository
from carloop.core.ports.channels import Channels
from carloop.core.ports.consents import Consents, Suppressions
from carloop.core.ports.entities import EntityRepository
from carloop.core.ports.feeds import FeedRepository
from carloop.core.ports.idempotency import IdempotencyRepository
from carloop.core.ports.identity import IdentityRepository
from carloop.core.ports.imports import ImportRepository
from carloop.core.ports.jobs import Jobs
from carloop.core.ports.journeys import Enrolments, Journeys
from carloop.core.ports.pipeline import PipelineRepository, QuarantineRepository
from carloop.core.ports.plan import PlanRepository
from carloop.core.ports.profiles import ProfileRepository
from carloop.core.ports.projection import ProjectionRepository
from carloop.core.ports.quality import QualityRepository, QualityRules
from carloop.core.ports.segments import SegmentRepository
from carloop.core.ports.sends import Sends
from carloop.core.ports.settings import Settings
from carloop.core.ports.sources import SourceRepository
from carloop.core.ports.tenants import Tenants
from carloop.core.ports.unknown_sends import UnknownSends


class Tx(Protocol):
    """One open transaction and the repositories that take part in it."""

    @property
    def settings(self) -> Settings:
        """Settings of the installation."""
        ...

    @property
    def tenants(self) -> Tenants:
        """Tenants."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Long-running work."""
        ...

    @property
    def access(self) -> AccessRepository:
        """Users, sessions and keys."""
        ...

    @property
    def audit(self) -> AuditRepository:
        """The audit log."""
        ...

    @property
    def sources(self) -> SourceRepository:
        """Sources."""
        ...

    @property
    def idempotency(self) -> IdempotencyRepository:
        """Kept answers."""
        ...

    @property
    def identity(self) -> IdentityRepository:
        """The identity graph."""
        ...

    @property
    def profiles(self) -> ProfileRepository:
        """Attributes and subject keys."""
        ...

    @property
    def entities(self) -> EntityRepository:
        """Entities, relations, grants."""
        ...

    @property
    def projection(self) -> ProjectionRepository:
        """Changes on their way to the event store."""
        ...

    @property
    def pipeline(self) -> PipelineRepository:
        """The pipeline's cursor and seen ids."""
        ...

    @property
    def quarantine(self) -> QuarantineRepository:
        """Events that could not be taken."""
        ...

    @property
    def journeys(self) -> Journeys:
        """Journeys and their versions."""
        ...

    @property
    def enrolments(self) -> Enrolments:
        """Who is under way in a journey."""
        ...

    @property
    def sends(self) -> Sends:
        """The outbox and the receipts."""
        ...

    @property
    def unknown_sends(self) -> UnknownSends:
        """Sends of unknown outcome."""
        ...

    @property
    def channels(self) -> Channels:
        """Configured channels."""
        ...

    @property
    def consents(self) -> Consents:
        """The consent ledger."""
        ...

    @property
    def suppressions(self) -> Suppressions:
        """Addresses nothing may be sent to."""
        ...

    @property
    def imports(self) -> ImportRepository:
        """Saved mappings and runs of file imports."""
        ...

    @property
    def feeds(self) -> FeedRepository:
        """Sources that are read: settings, progress, runs."""
        ...

    @property
    def plan(self) -> PlanRepository:
        """The tracking plan: events under work, settings, versions."""
        ...

    @property
    def quality_rules(self) -> QualityRules:
        """Rules of data quality."""
        ...

    @property
    def quality(self) -> QualityRepository:
        """Scores, findings, alerts, code tables, faults met at ingest."""
        ...

    @property
    def segments(self) -> SegmentRepository:
        """Segments, their snapshots, saved funnels."""
        ...


Closing = Callable[[Tx], Callable[[], None] | None]
"""Takes part at the end of a write transaction, inside it; what it returns is called once that is
committed."""


class State(Protocol):
    """The state store.

    Attributes:
        closing: called for every write transaction that did not fail.
    """

    closing: Closing | None

    def read(self) -> AbstractContextManager[Tx]:
        """A consistent read; never blocks writers (SQLite WAL, PostgreSQL snapshot)."""
        ...

    def write(self) -> AbstractContextManager[Tx]:
        """A write transaction: commits on leaving, rolls back on an exception."""
        ...
