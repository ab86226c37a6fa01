"""The one read that other systems call for every visitor: a person by identifier.

``GET /api/persons?identifier=…`` of a caller who may, answered as the route of the same path does
(a test compares them) for a third of its cost. Whatever is out of the ordinary goes on to the
route.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from carloop.api.errors import from_error
from carloop.api.services import Services
from carloop.core.scope import Permission
from carloop.kit.errors import CarloopError

PATH = "/api/persons"
THREADS = 2
"""More of them would only wait for each other and for the event loop."""
_SENDABLE = re.compile(r"[^\x00-\x1f\x7f]{1,400}")


class PersonLookup:
    """Answers look-ups by identifier; stands behind authentication."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lookup")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        identifier = _identifier(scope)
        if identifier is None:
            await self._app(scope, receive, send)
            return
        scope["carloop.permission"] = Permission.PERSON_READ
        try:
            persons = self._services.persons
            items = await asyncio.get_running_loop().run_in_executor(
                self._threads, persons.find, scope["carloop.caller"], identifier
            )
        except CarloopError as error:
            await from_error(error)(scope, receive, send)
            return
        body = msgspec.json.encode({"items": items, "next_cursor": None})
        await Response(body, media_type="application/json")(scope, receive, send)


def _identifier(scope: Scope) -> str | None:
    """The only parameter of a plain look-up whose caller may ask it."""
    if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
        return None
    caller = scope.get("carloop.caller")
    if caller is None or scope.get("carloop.must_change"):
        return None
    try:
        sent = parse_qsl(scope["query_string"].decode("ascii"), True, errors="strict")
    except ValueError:
        return None
    if len(sent) != 1 or sent[0][0] != "identifier" or not caller.may(Permission.PERSON_READ):
        return None
    return sent[0][1] if _SENDABLE.fullmatch(sent[0][1]) else None
