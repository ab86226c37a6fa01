"""Every table of the state store. A new ``tables/<noun>.py`` is one line here."""

from __future__ import annotations

from carloop.stores.state.tables import (
    access,
    audit,
    consents,
    entities,
    idempotency,
    identity,
    imports,
    job,
    journeys,
    pipeline,
    profiles,
    projection,
    segments,
    setting,
    sources,
    tenant,
)
from carloop.stores.state.tables.base import metadata

MODULES = (
    access,
    audit,
    consents,
    entities,
    idempotency,
    identity,
    imports,
    job,
    journeys,
    pipeline,
    profiles,
    projection,
    segments,
    setting,
    sources,
    tenant,
)

__all__ = ["MODULES", "metadata"]
