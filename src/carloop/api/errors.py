"""Errors → HTTP: every refusal is problem+json (RFC 9457) with a stable ``code``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from carloop.kit.errors import CarloopError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "code", "message"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "message": {"type": "string"},
        "path": {"type": "string", "description": "Where in the request, dotted."},
        "details": {"type": "object"},
        "request_id": {"type": "string"},
    },
}

_CODES = {
    400: "malformed",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def problem(
    status: int,
    code: str,
    message: str,
    *,
    path: str | None = None,
    details: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem+json answer."""
    body: dict[str, Any] = {
        "type": f"urn:carloop:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "message": message,
    }
    extra = {"path": path, "details": dict(details or {}), "request_id": request_id}
    body.update({name: value for name, value in extra.items() if value})
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def from_error(error: CarloopError) -> JSONResponse:
    """The answer to an expected error."""
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif error.status in (429, 503):
        headers["Retry-After"] = "1"
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(
        error.status,
        error.code,
        error.message,
        path=error.path,
        details=error.details,
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Register the handlers on ``app``."""
    app.add_exception_handler(CarloopError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _expected(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CarloopError)
    log.info("request_refused", code=error.code, status=error.status, path=error.path)
    return from_error(error)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "json_invalid":
        return problem(400, "malformed", "the body is not readable JSON")
    return problem(422, "invalid_input", str(first["msg"]), path=".".join(where))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "http_error")
    message = "no such path" if error.status_code == 404 else HTTPStatus(error.status_code).phrase
    return problem(error.status_code, code, message, headers=error.headers)
