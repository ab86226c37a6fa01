"""What every request passes: an id, safe headers, a size limit, and the question who asks."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from http.cookies import CookieError, SimpleCookie

import structlog
from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carloop.api.errors import from_error, problem
from carloop.app.access.signing_in import Access, SignedIn
from carloop.kit.errors import CarloopError, PermissionDenied, TooLarge, Unauthenticated
from carloop.kit.logging import redact

log = structlog.get_logger(__name__)

COOKIE = "carloop_session"
SECURE_COOKIE = "__Host-carloop_session"
CSRF_HEADER = "x-csrf-token"
MAX_BODY_BYTES = 1024 * 1024
UPLOADS = ("/api/imports",)
"""Paths whose bodies are files; their routes limit and stream them themselves."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}


class RequestContext:
    """Gives the request an id, binds it to the logs, sets headers, answers the unexpected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        status, began = 0, time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except ClientDisconnect:
                log.info("client_left", path=redact(scope["path"]))
            except CarloopError as error:
                if status:
                    raise
                await from_error(error)(scope, receive, send_with_headers)
            except Exception as error:
                log.error("request_failed", error=type(error).__name__, at=_frames(error))
                if status:
                    raise
                answer = problem(
                    500, "internal", "something unexpected happened", request_id=request_id
                )
                await answer(scope, receive, send_with_headers)
            log.debug(
                "request",
                method=scope["method"],
                path=redact(scope["path"]),
                status=status,
                took_ms=round((time.perf_counter() - began) * 1000, 1),
            )


def _frames(error: BaseException) -> list[str]:
    """Where it happened, without the message, which may hold values."""
    stack = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack[-8:]]


class BodyLimit:
    """Reads the body before the routes do, up to a limit; uploads pass by."""

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if (
            scope["type"] != "http"
            or scope["method"] in SAFE_METHODS
            or scope["path"].startswith(UPLOADS)
        ):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > self._max:
                error = TooLarge(f"the body is larger than {self._max} bytes")
                await from_error(error)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        scope["carloop.body"] = bytes(body)
        whole: Message = {"type": "http.request", "body": bytes(body), "more_body": False}
        waiting = [whole]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)


class Authentication:
    """Finds out who asks: an API token, or a session cookie with its CSRF token on changes."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            try:
                signed_in = self._access.recalled(_secret(headers)) or await run_sync(
                    identify, self._access, headers
                )
                if signed_in is not None:
                    _check_csrf(scope, headers, signed_in)
                    scope["carloop.signed_in"] = signed_in
                    scope["carloop.caller"] = signed_in.caller
                    scope["carloop.must_change"] = signed_in.must_change
            except CarloopError as error:
                await from_error(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def identify(access: Access, headers: Headers) -> SignedIn | None:
    """Who sends these headers; None where they hold no credentials, or a session that is over.

    Raises:
        Unauthenticated: ``token_invalid``: a token was sent and does not work.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = access.by_token(token.strip())
        if found is None:
            raise Unauthenticated("the API token does not work", code="token_invalid")
        return found
    cookie = session_cookie(headers)
    return access.by_session(cookie) if cookie else None


def _secret(headers: Headers) -> str:
    """The API token or the session cookie of a request."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else session_cookie(headers)


def session_cookie(headers: Headers) -> str:
    """The session cookie; empty where none was sent."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    for name in (SECURE_COOKIE, COOKIE):
        if name in cookies:
            return cookies[name].value
    return ""


def is_https(headers: Headers) -> bool:
    """Whether the browser came by https, as the gateway says."""
    return headers.get("x-forwarded-proto", "") == "https"


def _check_csrf(scope: Scope, headers: Headers, signed_in: SignedIn) -> None:
    if not signed_in.csrf or scope["method"] in SAFE_METHODS:
        return
    if scope["method"] == "POST" and scope["path"] == "/api/session":
        return
    given = headers.get(CSRF_HEADER, "").encode("latin-1")
    if not secrets.compare_digest(given, signed_in.csrf.encode()):
        raise PermissionDenied("the CSRF token is missing or wrong", code="csrf")
