"""The tracking plan over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, union, update

from carloop.core.ports.plan import PlanEntry, PlanSettingsEntry, PlanVersion
from carloop.kit.errors import Conflict
from carloop.stores.state.tables.plan import plan_event, plan_setting, plan_version


class SqlPlan:
    """``core.ports.plan.PlanRepository`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def events(self, tenant: int) -> Sequence[PlanEntry]:
        """All events under work, by name."""
        c = plan_event.c
        query = select(c.name, c.document, c.revision, c.updated_by, c.updated_at)
        rows = self._db.execute(query.where(c.tenant == tenant).order_by(c.name))
        return [PlanEntry(*row) for row in rows]

    def event(self, tenant: int, name: str) -> PlanEntry | None:
        """One event under work."""
        c = plan_event.c
        query = select(c.name, c.document, c.revision, c.updated_by, c.updated_at)
        row = self._db.execute(query.where(c.tenant == tenant, c.name == name)).one_or_none()
        return PlanEntry(*row) if row else None

    def put_event(self, tenant: int, entry: PlanEntry) -> PlanEntry:
        """Store an event over the revision it says; its revision goes up."""
        c = plan_event.c
        saved = replace(entry, revision=entry.revision + 1)
        if entry.revision == 0:
            if self.event(tenant, entry.name) is not None:
                raise _stale()
            self._db.execute(insert(plan_event).values(tenant=tenant, **asdict(saved)))
            return saved
        changed = self._db.execute(
            update(plan_event)
            .where(c.tenant == tenant, c.name == entry.name, c.revision == entry.revision)
            .values(asdict(saved))
        )
        if not changed.rowcount:
            raise _stale()
        return saved

    def remove_event(self, tenant: int, name: str, revision: int) -> None:
        """Forget an event of that revision."""
        c = plan_event.c
        gone = self._db.execute(
            delete(plan_event).where(c.tenant == tenant, c.name == name, c.revision == revision)
        )
        if not gone.rowcount:
            raise _stale()

    def settings(self, tenant: int) -> PlanSettingsEntry:
        """Settings; empty ones where nothing was saved."""
        c = plan_setting.c
        query = select(c.document, c.revision, c.updated_by, c.updated_at)
        row = self._db.execute(query.where(c.tenant == tenant)).one_or_none()
        return PlanSettingsEntry(*row) if row else PlanSettingsEntry()

    def put_settings(self, tenant: int, entry: PlanSettingsEntry) -> PlanSettingsEntry:
        """Store settings over the revision they say; their revision goes up."""
        c = plan_setting.c
        saved = replace(entry, revision=entry.revision + 1)
        if entry.revision == 0:
            if self.settings(tenant).revision:
                raise _stale()
            self._db.execute(insert(plan_setting).values(tenant=tenant, **asdict(saved)))
            return saved
        changed = self._db.execute(
            update(plan_setting)
            .where(c.tenant == tenant, c.revision == entry.revision)
            .values(asdict(saved))
        )
        if not changed.rowcount:
            raise _stale()
        return saved

    def tenants(self) -> Sequence[int]:
        """Tenants that have settings or published a plan."""
        both = union(select(plan_setting.c.tenant), select(plan_version.c.tenant))
        return sorted(int(tenant) for (tenant,) in self._db.execute(both))

    def add_version(self, tenant: int, version: PlanVersion) -> None:
        """Keep a published plan."""
        self._db.execute(insert(plan_version).values(tenant=tenant, **asdict(version)))

    def version(self, tenant: int, number: int | None = None) -> PlanVersion | None:
        """One published plan with its document; None asks for the newest."""
        c = plan_version.c
        query = select(plan_version).where(c.tenant == tenant)
        if number is not None:
            query = query.where(c.version == number)
        row = self._db.execute(query.order_by(c.version.desc()).limit(1)).mappings().one_or_none()
        return _version({**row}) if row else None

    def versions(self, tenant: int, *, before: int | None, limit: int) -> Sequence[PlanVersion]:
        """Newest first, without their documents."""
        c = plan_version.c
        columns = [column for column in c if column is not c.document]
        query = select(*columns).where(c.tenant == tenant)
        if before is not None:
            query = query.where(c.version < before)
        rows = self._db.execute(query.order_by(c.version.desc()).limit(limit)).mappings()
        return [_version({**row}) for row in rows]


def _version(values: dict[str, Any]) -> PlanVersion:
    values.pop("tenant")
    return PlanVersion(**values)


def _stale() -> Conflict:
    return Conflict("the plan was changed meanwhile", code="stale")
