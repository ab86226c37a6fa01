"""What a tenant decides for itself: its name, the zone of its calendar, how long events stay."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from carloop.app.audit import AuditLog
from carloop.app.operation.retention import EVENT_DAYS
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Caller
from carloop.kit.errors import Conflict, InvalidInput, NotFound
from carloop.sql import Query

MOST_DAYS = 36_500
_KNOWN = "SELECT count() FROM system.time_zones WHERE time_zone = {zone:String}"


class TenantSettings:
    """Shows and changes the settings of the caller's tenant."""

    def __init__(self, state: State, event_store: EventStore, audit: AuditLog) -> None:
        self._state = state
        self._events = event_store
        self._audit = audit

    def of(self, tenant: int) -> Tenant:
        """The tenant; with the values that hold by default where nothing was ever saved."""
        with self._state.read() as tx:
            try:
                return tx.tenants.get(tenant)
            except NotFound:
                return Tenant(tenant, "")

    def change(self, caller: Caller, version: int | None, wanted: Mapping[str, Any]) -> Tenant:
        """Set ``name``, ``zone`` or ``event_days``, whichever are in ``wanted``; audited.

        ``event_days`` None keeps events for ever.

        Raises:
            InvalidInput: ``zone_unknown``.
            Conflict: ``stale``.
        """
        if "zone" in wanted:
            self._check_zone(caller, wanted["zone"])
        with self._state.write() as tx:
            try:
                before = tx.tenants.get(caller.scope.tenant)
            except NotFound:
                before = Tenant(caller.scope.tenant, "")
            if version is not None and version != version_of_settings(before):
                raise Conflict("the settings were changed meanwhile", code="stale")
            settings = dict(before.settings)
            if EVENT_DAYS in wanted:
                settings.pop(EVENT_DAYS, None)
                if wanted[EVENT_DAYS] is not None:
                    settings[EVENT_DAYS] = wanted[EVENT_DAYS]
            after = replace(
                before,
                name=wanted.get("name", before.name),
                zone=wanted.get("zone", before.zone),
                settings=settings,
            )
            tx.tenants.save(after)
            was, now = _document(before), _document(after)
            moved = {name: [was[name], now[name]] for name in now if was[name] != now[name]}
            self._audit.append(tx, caller, "settings.change", "/api/settings", changed=moved)
        return after

    def _check_zone(self, caller: Caller, zone: str) -> None:
        """Python, which computes windows, and the engine, which computes days, must know it."""
        known = zone in available_timezones()
        if known:
            found = self._events.query(Query(_KNOWN, {"zone": zone}), caller.scope)
            known = bool(found.rows[0][0])
        if not known:
            raise InvalidInput("no such time zone", code="zone_unknown", path="zone")


def version_of_settings(tenant: Tenant) -> int:
    """A number that differs where the settings differ, for an ETag."""
    return zlib.crc32(json.dumps(_document(tenant), sort_keys=True).encode()) % 1_000_000_000


def _document(tenant: Tenant) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "zone": tenant.zone,
        EVENT_DAYS: tenant.settings.get(EVENT_DAYS),
    }
