"""The OpenAPI document: common refusals, ways to sign in, and the offline page at ``/docs``.

``python -m carloop.api.openapi [FILE]`` writes it; a test fails when the committed file is stale.
"""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from carloop.api.deps import Requires
from carloop.api.errors import MEDIA_TYPE, PROBLEM_SCHEMA
from carloop.api.routers import ROUTERS

REFUSALS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the credentials do not work.",
    403: "The caller may not.",
    404: "No such thing, or not within the caller's scope.",
    409: "It changed since it was read, or exists already.",
    413: "A size limit was exceeded.",
    415: "The media type is not understood.",
    422: "The request is understood but wrong.",
    429: "Too many requests; `Retry-After` says when to come back.",
    502: "A store or channel failed.",
    503: "A part of carloop cannot serve now; `Retry-After` says when to come back.",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in REFUSALS.items()
}
METHODS = ("get", "post", "put", "patch", "delete")


def install(app: FastAPI) -> None:
    """Let ``app`` answer with our document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "carloop_session"},
    }
    schema["security"] = [{"token": []}, {"session": []}]
    for route in api_routes():
        for method in route.methods or ():
            schema["paths"][route.path_format][method.lower()].update(_guarding(route))
    return schema


def api_routes() -> Iterator[APIRoute]:
    """Every route of every router in force."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute), "routers do not nest"
            if route.include_in_schema:
                yield route


def _guarding(route: APIRoute) -> dict[str, Any]:
    """Who may call a route: nobody needs to be known, or the permission it asks for."""
    if getattr(route.endpoint, "carloop_public", False):
        return {"security": []}
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Requires) and dependency.call.permission is not None:
            return {"x-permission": dependency.call.permission.value}
    return {}


def page(schema: dict[str, Any]) -> str:
    """A page that lists every operation, complete in itself: no script, nothing fetched."""
    rows = []
    for path, item in sorted(schema["paths"].items()):
        for method in METHODS:
            if method in item:
                operation = item[method]
                about = html.escape(operation.get("description") or operation.get("summary", ""))
                rows.append(
                    f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
                    f"<td><code>{html.escape(operation['operationId'])}</code></td>"
                    f"<td>{about}</td></tr>"
                )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>carloop API</title><style>'
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#1f2328;background:#fff}"
        "table{border-collapse:collapse}td{border-top:1px solid #d0d7de;padding:.3rem .8rem;"
        "vertical-align:top}</style>"
        f"<h1>carloop API {html.escape(schema['info']['version'])}</h1>"
        '<p>The whole description: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<table>{''.join(rows)}</table></html>"
    )


def main(arguments: list[str]) -> None:
    """Write the document to a file, or to ``openapi.json``."""
    from carloop.api.app import create_app
    from carloop.api.services import Services

    target = Path(arguments[0] if arguments else "openapi.json")
    text = json.dumps(create_app(Services()).openapi(), ensure_ascii=False, indent=1)
    target.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
