"""One open transaction, and the repositories that take part in it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from carloop.stores.state.access import SqlAccess
    from carloop.stores.state.audit import SqlAudit
    from carloop.stores.state.idempotency import SqlIdempotency
    from carloop.stores.state.jobs import SqlJobs
    from carloop.stores.state.settings import SqlSettings
    from carloop.stores.state.sources import SqlSources
    from carloop.stores.state.tenants import SqlTenants


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
