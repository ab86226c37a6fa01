"""Every change, reveal and export is in the audit log before its answer leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carloop.api.errors import from_error
from carloop.api.security import SAFE_METHODS
from carloop.app.audit import AuditLog
from carloop.core.ports.state import Closing, Tx
from carloop.core.scope import Permission
from carloop.kit.errors import CarloopError
from carloop.kit.logging import redact

DISCLOSES = frozenset({Permission.PERSON_REVEAL, Permission.PERSON_EXPORT})


@dataclass(slots=True)
class _Request:
    """One request on its way through the routes."""

    scope: Scope
    recorded: bool = False


_request: ContextVar[_Request | None] = ContextVar("request", default=None)


class Auditing:
    """Records what was done by whom, in the transaction that does it.

    What changes no state of ours is recorded when the route has said that it was done. An answer
    that cannot be recorded is withheld: the caller gets the error instead.
    """

    def __init__(self, app: ASGIApp, audit: AuditLog) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, withheld = _Request(scope), False

        async def send_recorded(message: Message) -> None:
            nonlocal withheld
            done = message["type"] == "http.response.start" and message["status"] < 400
            if done and not request.recorded and _changes(scope):
                request.recorded = True
                try:
                    await run_sync(self._record, scope, message["status"])
                except CarloopError as error:
                    withheld = True
                    await from_error(error)(scope, receive, send)
            if not withheld:
                await send(message)

        token = _request.set(request)
        try:
            await self._app(scope, receive, send_recorded)
        finally:
            _request.reset(token)

    def _record(self, scope: Scope, status: int) -> None:
        self._audit.record(scope["carloop.caller"], *_what(scope), status=status)


def within(audit: AuditLog) -> Closing:
    """Appends the request under way to the first transaction that its route commits."""

    def closing(tx: Tx) -> Callable[[], None] | None:
        request = _request.get()
        if request is None or request.recorded or not _changes(request.scope):
            return None
        caller, status = request.scope["carloop.caller"], _promised(request.scope)
        audit.append(tx, caller, *_what(request.scope), status=status)
        return partial(setattr, request, "recorded", True)

    return closing


@contextmanager
def beside() -> Iterator[None]:
    """Transactions in here are not what the request does, and leave no entry."""
    token = _request.set(None)
    try:
        yield
    finally:
        _request.reset(token)


def _changes(scope: Scope) -> bool:
    return is_recorded(scope["method"], scope.get("carloop.permission"))


def _promised(scope: Scope) -> int:
    """The status that the route answers with when all goes well."""
    return getattr(scope.get("route"), "status_code", None) or 200


def _what(scope: Scope) -> tuple[str, str]:
    """The operation and its path."""
    action = getattr(scope.get("route"), "operation_id", None) or scope["method"].lower()
    return action, redact(scope["path"])


def is_recorded(method: str, permission: Permission | None) -> bool:
    """Whether a call changes or discloses something; a POST that only reads does not.

    >>> is_recorded("POST", Permission.SEGMENT_READ), is_recorded("GET", Permission.PERSON_EXPORT)
    (False, True)
    """
    if permission is None:
        return False
    if permission in DISCLOSES:
        return True
    return method not in SAFE_METHODS and not permission.value.endswith(".read")
