"""The routers in force, one per noun. A new one is one import and one line in the tuple."""

from fastapi import APIRouter

from carloop.api.routers import (
    audit,
    channels,
    consents,
    imports,
    jobs,
    journeys,
    keys,
    overview,
    quarantine,
    receipts,
    session,
    sources,
    system,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    users.router,
    keys.router,
    sources.router,
    overview.router,
    jobs.router,
    imports.router,
    journeys.router,
    channels.router,
    consents.router,
    receipts.router,
    quarantine.router,
    audit.router,
    system.router,
)
