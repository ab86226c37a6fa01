"""The management API as one FastAPI application."""

from __future__ import annotations

from fastapi import FastAPI

from carloop.api import errors
from carloop.api.routers import ROUTERS
from carloop.api.services import Services
from carloop.kit.version import version


def create_app(services: Services) -> FastAPI:
    """The application over ``services``; the gateway proxies to it."""
    app = FastAPI(
        title="carloop",
        version=version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
    )
    app.state.services = services
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
