"""Every table of the state store. A new ``tables/<noun>.py`` is one line here."""

from __future__ import annotations

from carloop.stores.state.tables import (
    access,
    audit,
    consents,
    entities,
    feeds,
    idempotency,
    identity,
    imports,
    jobs,
    journeys,
    pipeline,
    plan,
    profiles,
    projection,
    quality,
    segments,
    settings,
    sources,
    tenants,
)
from carloop.stores.state.tables.base import metadata

MODULES = (
    access,
    audit,
    consents,
    entities,
    feeds,
    idempotency,
    identity,
    imports,
    jobs,
    journeys,
    pipeline,
    plan,
    profiles,
    projection,
    quality,
    segments,
    settings,
    sources,
    tenants,
)

__all__ = ["MODULES", "metadata"]
