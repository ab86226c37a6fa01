"""Configured channels over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from carloop.core.ports.channels import StoredChannel
from carloop.kit.errors import Conflict, NotFound
from carloop.stores.state.tables.journeys import channel as table


class SqlChannels:
    """``core.ports.channels.Channels`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, channel: StoredChannel) -> StoredChannel:
        """Store a new channel; returns it with its number."""
        created = self._connection.execute(
            insert(table).values(
                tenant=channel.tenant,
                uuid=channel.uuid,
                kind=channel.kind,
                created_by=channel.created_by,
                created_at=channel.created_at,
                revision=1,
                **_changing(channel),
            )
        )
        assert created.inserted_primary_key is not None
        return replace(channel, id=created.inserted_primary_key[0], revision=1)

    def save(self, channel: StoredChannel) -> StoredChannel:
        """Store a changed channel; ``Conflict`` where somebody changed it meanwhile."""
        changed = self._connection.execute(
            update(table)
            .where(
                table.c.id == channel.id,
                table.c.revision == channel.revision,
                table.c.deleted_at.is_(None),
            )
            .values(revision=channel.revision + 1, **_changing(channel))
        )
        if changed.rowcount == 0:
            raise Conflict("the channel was changed meanwhile", code="stale")
        return replace(channel, revision=channel.revision + 1)

    def get(self, tenant: int, uuid: str) -> StoredChannel:
        """One channel by public id."""
        return self._one(
            table.c.tenant == tenant, table.c.uuid == uuid, table.c.deleted_at.is_(None)
        )

    def numbered(self, id: int) -> StoredChannel:
        """One channel by number, a removed one too."""
        return self._one(table.c.id == id)

    def public(self, uuid: str) -> StoredChannel:
        """One channel by public id alone."""
        return self._one(table.c.uuid == uuid, table.c.deleted_at.is_(None))

    def list(self, tenant: int) -> Sequence[StoredChannel]:
        """All channels of a tenant by number, removed ones not."""
        query = select(table).where(table.c.tenant == tenant, table.c.deleted_at.is_(None))
        return [_channel(row) for row in self._connection.execute(query.order_by(table.c.id))]

    def remove(self, channel: StoredChannel, now: int) -> None:
        """Delete softly."""
        removed = self.save(replace(channel, enabled=False, updated_at=now))
        self._connection.execute(
            update(table).where(table.c.id == removed.id).values(deleted_at=now)
        )

    def _one(self, *where: ColumnElement[bool]) -> StoredChannel:
        row = self._connection.execute(select(table).where(*where)).first()
        if row is None:
            raise NotFound("no such channel", code="channel_unknown")
        return _channel(row)


def _changing(channel: StoredChannel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "enabled": channel.enabled,
        "policy": channel.policy,
        "key": channel.key,
        "settings_enc": channel.settings_enc,
        "updated_at": channel.updated_at,
    }


def _channel(row: Row[Any]) -> StoredChannel:
    return StoredChannel(
        id=row.id,
        tenant=row.tenant,
        uuid=row.uuid,
        kind=row.kind,
        name=row.name,
        enabled=row.enabled,
        policy=row.policy,
        key=bytes(row.key),
        settings_enc=bytes(row.settings_enc),
        revision=row.revision,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
