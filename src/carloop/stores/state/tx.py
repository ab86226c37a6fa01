"""One open transaction, and the repositories that take part in it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from carloop.stores.state.access import SqlAccess
    from carloop.stores.state.audit import SqlAudit
    from carloop.stores.state.channels import SqlChannels
    from carloop.stores.state.consents import SqlConsents, SqlSuppressions
    from carloop.stores.state.enrolments import SqlEnrolments
    from carloop.stores.state.entities import SqlEntities
    from carloop.stores.state.feeds import SqlFeeds
    from carloop.stores.state.idempotency import SqlIdempotency
    from carloop.stores.state.identity import SqlIdentity
    from carloop.stores.state.imports import SqlImports
    from carloop.stores.state.jobs import SqlJobs
    from carloop.stores.state.journeys import SqlJourneys
    from carloop.stores.state.pipeline import SqlPipeline, SqlQuarantine
    from carloop.stores.state.plan import SqlPlan
    from carloop.stores.state.profiles import SqlProfiles
    from carloop.stores.state.projection import SqlProjection
    from carloop.stores.state.quality import SqlQuality, SqlQualityRules
    from carloop.stores.state.segments import SqlSegments
    from carloop.stores.state.sends import SqlSends
    from carloop.stores.state.settings import SqlSettings
    from carloop.stores.state.sources import SqlSources
    from carloop.stores.state.tenants import SqlTenants
    from carloop.stores.state.unknown_sends import SqlUnknownSends


class SqlTx:
    """Repositories over one connection; none of them commits."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def settings(self) -> SqlSettings:
        """Settings of the installation."""
        from carloop.stores.state.settings import SqlSettings

        return SqlSettings(self.connection)

    @cached_property
    def tenants(self) -> SqlTenants:
        """Tenants."""
        from carloop.stores.state.tenants import SqlTenants

        return SqlTenants(self.connection)

    @cached_property
    def jobs(self) -> SqlJobs:
        """Long-running work."""
        from carloop.stores.state.jobs import SqlJobs

        return SqlJobs(self.connection)

    @cached_property
    def access(self) -> SqlAccess:
        """Users, sessions and keys."""
        from carloop.stores.state.access import SqlAccess

        return SqlAccess(self.connection)

    @cached_property
    def audit(self) -> SqlAudit:
        """The audit log."""
        from carloop.stores.state.audit import SqlAudit

        return SqlAudit(self.connection)

    @cached_property
    def sources(self) -> SqlSources:
        """Sources."""
        from carloop.stores.state.sources import SqlSources

        return SqlSources(self.connection)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """Kept answers."""
        from carloop.stores.state.idempotency import SqlIdempotency

        return SqlIdempotency(self.connection)

    @cached_property
    def identity(self) -> SqlIdentity:
        """The identity graph."""
        from carloop.stores.state.identity import SqlIdentity

        return SqlIdentity(self.connection)

    @cached_property
    def profiles(self) -> SqlProfiles:
        """Attributes and subject keys."""
        from carloop.stores.state.profiles import SqlProfiles

        return SqlProfiles(self.connection)

    @cached_property
    def entities(self) -> SqlEntities:
        """Entities, relations, grants."""
        from carloop.stores.state.entities import SqlEntities

        return SqlEntities(self.connection)

    @cached_property
    def projection(self) -> SqlProjection:
        """Changes on their way to the event store."""
        from carloop.stores.state.projection import SqlProjection

        return SqlProjection(self.connection)

    @cached_property
    def pipeline(self) -> SqlPipeline:
        """The pipeline's cursor and seen ids."""
        from carloop.stores.state.pipeline import SqlPipeline

        return SqlPipeline(self.connection)

    @cached_property
    def quarantine(self) -> SqlQuarantine:
        """Events that could not be taken."""
        from carloop.stores.state.pipeline import SqlQuarantine

        return SqlQuarantine(self.connection)

    @cached_property
    def journeys(self) -> SqlJourneys:
        """Journeys and their versions."""
        from carloop.stores.state.journeys import SqlJourneys

        return SqlJourneys(self.connection)

    @cached_property
    def enrolments(self) -> SqlEnrolments:
        """Who is under way in a journey."""
        from carloop.stores.state.enrolments import SqlEnrolments

        return SqlEnrolments(self.connection)

    @cached_property
    def sends(self) -> SqlSends:
        """The outbox and the receipts."""
        from carloop.stores.state.sends import SqlSends

        return SqlSends(self.connection)

    @cached_property
    def unknown_sends(self) -> SqlUnknownSends:
        """Sends of unknown outcome."""
        from carloop.stores.state.unknown_sends import SqlUnknownSends

        return SqlUnknownSends(self.connection)

    @cached_property
    def channels(self) -> SqlChannels:
        """Configured channels."""
        from carloop.stores.state.channels import SqlChannels

        return SqlChannels(self.connection)

    @cached_property
    def consents(self) -> SqlConsents:
        """The consent ledger."""
        from carloop.stores.state.consents import SqlConsents

        return SqlConsents(self.connection)

    @cached_property
    def suppressions(self) -> SqlSuppressions:
        """Addresses nothing may be sent to."""
        from carloop.stores.state.consents import SqlSuppressions

        return SqlSuppressions(self.connection)

    @cached_property
    def imports(self) -> SqlImports:
        """File imports."""
        from carloop.stores.state.imports import SqlImports

        return SqlImports(self.connection)

    @cached_property
    def segments(self) -> SqlSegments:
        """Segments, their snapshots, saved funnels."""
        from carloop.stores.state.segments import SqlSegments

        return SqlSegments(self.connection)

    @cached_property
    def feeds(self) -> SqlFeeds:
        """Sources that are read."""
        from carloop.stores.state.feeds import SqlFeeds

        return SqlFeeds(self.connection)

    @cached_property
    def plan(self) -> SqlPlan:
        """The tracking plan."""
        from carloop.stores.state.plan import SqlPlan

        return SqlPlan(self.connection)

    @cached_property
    def quality_rules(self) -> SqlQualityRules:
        """Rules of data quality."""
        from carloop.stores.state.quality import SqlQualityRules

        return SqlQualityRules(self.connection)

    @cached_property
    def quality(self) -> SqlQuality:
        """Scores, findings, alerts, code tables."""
        from carloop.stores.state.quality import SqlQuality

        return SqlQuality(self.connection)
