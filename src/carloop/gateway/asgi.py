"""The little of ASGI that the gateway needs: reading a body within bounds, sending an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from carloop.connectors.protocol import Response
from carloop.kit.errors import CarloopError, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 30.0
"""A sender has this long to finish a body."""


class Disconnected(Exception):
    """The sender went away before it finished."""


class Slow(CarloopError):
    """The body did not arrive in time."""

    status = 408
    default_code = "request_timeout"


def headers_of(scope: Scope) -> dict[str, str]:
    """Header values by lower-case name; the last wins where one repeats."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The whole body.

    Raises:
        TooLarge: more than ``limit`` bytes on the wire; refused before reading where it is stated.
        Slow: it did not arrive in time.
        Disconnected: the sender went away.
    """
    stated = headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise TooLarge(f"more than {limit} bytes")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(receive, limit)
    except TimeoutError as error:
        raise Slow("the body did not arrive in time") from error


async def _collect(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return _bounded(message.get("body", b""), limit)
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(f"more than {limit} bytes")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise TooLarge(f"more than {limit} bytes")
    return body


async def respond(
    send: Send, response: Response, extra: Mapping[str, str] | None = None, *, head: bool = False
) -> None:
    """Send one whole answer; ``head`` leaves the body out but states its length."""
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
    if extra:
        headers += [(k.encode("latin-1"), v.encode("latin-1")) for k, v in extra.items()]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
