"""Sources in the state store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from carloop.core.sources import Source, SourceKind, SourceSettings
from carloop.kit.errors import Conflict
from carloop.stores.state.tables.sources import source as t
from carloop.stores.state.tables.sources import source_settings as ts


class SqlSources:
    """The :class:`~carloop.core.ports.sources.SourceRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, source: Source) -> Source:
        """Store a new source; the next free number is given."""
        self._refuse_taken(source)
        top = self._db.scalar(select(func.max(t.c.id)).where(t.c.tenant == source.tenant))
        source = replace(source, id=int(top or 0) + 1)
        self._db.execute(insert(t).values(_values(source)))
        return source

    def save(self, source: Source) -> Source:
        """Store a changed source under optimistic locking."""
        if source.deleted_at is None:
            self._refuse_taken(source)
        saved = replace(source, version=source.version + 1)
        done = self._db.execute(
            update(t)
            .where(t.c.tenant == source.tenant, t.c.id == source.id)
            .where(t.c.version == source.version)
            .values(_values(saved))
        )
        if done.rowcount == 0:
            raise Conflict("the source changed since it was read", code="stale")
        return saved

    def get(self, tenant: int, id: int) -> Source | None:
        """One source by number, removed ones too."""
        found = self._all(t.c.tenant == tenant, t.c.id == id)
        return found[0] if found else None

    def named(self, tenant: int, name: str) -> Source | None:
        """One source by name, removed ones not."""
        found = self._all(t.c.tenant == tenant, t.c.name == name, t.c.deleted_at.is_(None))
        return found[0] if found else None

    def list(self, tenant: int | None = None) -> Sequence[Source]:
        """All sources by number, removed ones too."""
        return self._all() if tenant is None else self._all(t.c.tenant == tenant)

    def add_settings(self, settings: SourceSettings) -> None:
        """Store a further version of a source's settings."""
        newest = self.settings(settings.tenant, settings.source)
        if settings.version != (newest.version if newest else 0) + 1:
            raise Conflict("the settings changed since they were read", code="stale")
        self._db.execute(insert(ts).values(asdict(settings)))

    def settings(self, tenant: int, source: int) -> SourceSettings | None:
        """The settings in force."""
        found = self.settings_versions(tenant, source, 1)
        return found[0] if found else None

    def settings_versions(self, tenant: int, source: int, limit: int) -> Sequence[SourceSettings]:
        """Newest first."""
        query = (
            select(ts)
            .where(ts.c.tenant == tenant, ts.c.source == source)
            .order_by(ts.c.version.desc())
            .limit(limit)
        )
        return [SourceSettings(**row) for row in self._db.execute(query).mappings()]

    def _all(self, *where: Any) -> Sequence[Source]:
        query = select(t).where(*where).order_by(t.c.tenant, t.c.id)
        return [
            Source(**{**row, "kind": SourceKind(row["kind"])})
            for row in self._db.execute(query).mappings()
        ]

    def _refuse_taken(self, source: Source) -> None:
        other = self.named(source.tenant, source.name)
        if other is not None and other.id != source.id:
            raise Conflict("there is a source of that name", code="name_taken", path="name")


def _values(source: Source) -> dict[str, Any]:
    return {**asdict(source), "kind": source.kind.value}
