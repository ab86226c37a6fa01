"""Tenants over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from carloop.core.ports.tenants import Tenant
from carloop.kit.errors import NotFound
from carloop.stores.state.tables.tenants import tenant as table


class SqlTenants:
    """``core.ports.tenants.Tenants`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, tenant: Tenant) -> None:
        """Add the tenant, or replace what is known of it."""
        values = {
            "name": tenant.name,
            "zone": tenant.zone,
            "settings": json.dumps(dict(tenant.settings), ensure_ascii=False),
            "created_at": tenant.created_at,
        }
        changed = self._connection.execute(
            update(table).where(table.c.id == tenant.id).values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(table).values(id=tenant.id, **values))

    def get(self, tenant: int) -> Tenant:
        """One tenant; ``NotFound`` where there is none."""
        row = self._connection.execute(select(table).where(table.c.id == tenant)).first()
        if row is None:
            raise NotFound("no such tenant", code="tenant_unknown")
        return _tenant(row)

    def all(self) -> Sequence[Tenant]:
        """Every tenant by number."""
        return [_tenant(r) for r in self._connection.execute(select(table).order_by(table.c.id))]


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(row.id, row.name, row.zone, json.loads(row.settings), row.created_at)
