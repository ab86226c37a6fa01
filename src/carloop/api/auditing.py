"""Every change, reveal and export is in the audit log before its answer leaves."""

from __future__ import annotations

from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carloop.api.errors import from_error
from carloop.api.security import SAFE_METHODS
from carloop.app.audit import AuditLog
from carloop.core.scope import Permission
from carloop.kit.errors import CarloopError
from carloop.kit.logging import redact

DISCLOSES = frozenset({Permission.PERSON_REVEAL, Permission.PERSON_EXPORT})


class Auditing:
    """Records what was done by whom, once the route has said that it was done.

    An answer that cannot be recorded is withheld: the caller gets the error instead.
    """

    def __init__(self, app: ASGIApp, audit: AuditLog) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        withheld = False

        async def send_recorded(message: Message) -> None:
            nonlocal withheld
            done = message["type"] == "http.response.start" and message["status"] < 400
            if done and is_recorded(scope["method"], scope.get("carloop.permission")):
                try:
                    await run_sync(self._record, scope, message["status"])
                except CarloopError as error:
                    withheld = True
                    await from_error(error)(scope, receive, send)
            if not withheld:
                await send(message)

        await self._app(scope, receive, send_recorded)

    def _record(self, scope: Scope, status: int) -> None:
        caller = scope["carloop.caller"]
        action = getattr(scope.get("route"), "operation_id", None) or scope["method"].lower()
        self._audit.record(caller, action, redact(scope["path"]), status=status)


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
