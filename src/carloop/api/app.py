"""The management API as one FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.responses import HTMLResponse

from carloop.api import errors, openapi
from carloop.api.auditing import Auditing, within
from carloop.api.deps import public
from carloop.api.idempotency import Idempotency
from carloop.api.lookup import PersonLookup
from carloop.api.routers import ROUTERS
from carloop.api.security import Authentication, BodyLimit, RequestContext
from carloop.api.services import Services
from carloop.kit.version import version

THREADS = 16
"""Requests worked on at a time; each thread keeps its own client of the event store."""


def create_app(services: Services) -> FastAPI:
    """The application over ``services``; the gateway proxies to it.

    With empty services (to write the OpenAPI document) the routes are there and nothing is served.
    """
    app = FastAPI(
        title="carloop",
        version=version(),
        description="Customer data platform for car makers and dealer groups.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        responses=openapi.RESPONSES,
        lifespan=_lifespan,
    )
    app.state.services = services
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)

    @app.get("/docs", include_in_schema=False)
    @public
    def show_docs() -> HTMLResponse:
        return HTMLResponse(openapi.page(app.openapi()))

    if hasattr(services, "access"):
        _guard(app, services)
    return app


def _guard(app: FastAPI, services: Services) -> None:
    """Hang the middleware on ``app``; the last one added is the outermost."""
    app.add_middleware(PersonLookup, services=services)
    app.add_middleware(
        Idempotency,
        state=services.state,
        clock=services.clock,
        secret=services.answer_secret,
    )
    app.add_middleware(Auditing, audit=services.audit)
    services.state.closing = within(services.audit)
    app.add_middleware(Authentication, access=services.access)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestContext)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield
