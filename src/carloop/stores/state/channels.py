"""Configured channels over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import Row, Table

from carloop.core.ports.channels import StoredChannel
from carloop.stores.state.editable import EditableRows
from carloop.stores.state.tables.journeys import channel as table


class SqlChannels(EditableRows[StoredChannel]):
    """``core.ports.channels.Channels`` over SQLAlchemy."""

    table: ClassVar[Table] = table
    noun: ClassVar[str] = "channel"

    def public(self, uuid: str) -> StoredChannel:
        """One channel by public id alone."""
        return self._one(table.c.uuid == uuid, table.c.deleted_at.is_(None))

    def list(self, tenant: int) -> Sequence[StoredChannel]:
        """All channels of a tenant by number, removed ones not."""
        return self._all(table.c.tenant == tenant, table.c.deleted_at.is_(None))

    def remove(self, channel: StoredChannel, now: int) -> None:
        """Delete softly."""
        self._mark_removed(self.save(replace(channel, enabled=False, updated_at=now)).id, now)

    def _fixed(self, it: StoredChannel) -> Mapping[str, Any]:
        names = ("tenant", "uuid", "kind", "created_by", "created_at")
        return {name: getattr(it, name) for name in names}

    def _changing(self, it: StoredChannel) -> Mapping[str, Any]:
        names = ("name", "enabled", "policy", "key", "settings_enc", "updated_at")
        return {name: getattr(it, name) for name in names}

    def _record(self, row: Row[Any]) -> StoredChannel:
        values = dict(row._mapping)
        del values["deleted_at"]
        sealed = {name: bytes(values[name]) for name in ("key", "settings_enc")}
        return StoredChannel(**values | sealed)
