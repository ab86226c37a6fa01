"""Everything that is not ingest goes to the engine over its Unix socket, streamed both ways."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11

from carloop.connectors.answers import problem
from carloop.connectors.protocol import Response
from carloop.gateway.asgi import Disconnected, Receive, Scope, Send, headers_of, respond
from carloop.kit.errors import Unavailable

HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_FORGED = frozenset(
    {b"forwarded", b"x-real-ip", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"}
)
IDLE_SECONDS = 3.0
"""Shorter than the engine's own keep-alive, so that a pooled connection is seldom stale."""
MOST_IDLE = 32
_READ = 64 * 1024


class EngineGone(Exception):
    """The engine does not answer, or stopped in the middle."""


@dataclass(slots=True)
class _Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    used: bool = False
    idle_since: float = 0.0

    async def send(self, event: Any) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def next_event(self) -> Any:
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.http.receive_data(await self.reader.read(_READ))


class EngineProxy:
    """Forwards requests to the engine; keeps a few connections alive.

    Args:
        socket: the engine's Unix socket.
        clock: a monotonic clock, seconds.
    """

    def __init__(self, socket: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._socket = str(socket)
        self._clock = clock
        self._idle: list[_Wire] = []

    async def close(self) -> None:
        """Let go of the connections kept alive."""
        while self._idle:
            writer = self._idle.pop().writer
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the engine's answer; 503 while the engine is away."""
        started = False

        async def tracking(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._exchange(scope, receive, tracking)
        except (EngineGone, OSError, h11.ProtocolError) as error:
            if started:
                raise ConnectionError("the engine stopped in the middle of an answer") from error
            away = Unavailable(
                "the engine is starting or down", code="engine_down", retry_after_seconds=2
            )
            await respond(send, problem(away), head=scope["method"] == "HEAD")
        except Disconnected:
            return

    async def get(self, path: str, headers: dict[str, str], timeout: float) -> Response:
        """A small whole answer to ``GET path``.

        Raises:
            EngineGone: the engine did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout), self._wire() as wire:
                raw = [(b"host", b"engine"), *_encoded(headers)]
                await wire.send(h11.Request(method="GET", target=path, headers=raw))
                await wire.send(h11.EndOfMessage())
                head = await _head(wire)
                parts: list[bytes] = []
                while isinstance(event := await wire.next_event(), h11.Data):
                    parts.append(bytes(event.data))
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise EngineGone from error
        found = {k.decode("latin-1"): v.decode("latin-1") for k, v in head.headers}
        return Response(head.status_code, found, b"".join(parts))

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, has_body = _request_headers(scope)
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        target = path + b"?" + query if query else path
        async with self._wire() as wire:
            await wire.send(h11.Request(method=scope["method"], target=target, headers=headers))
            upload = asyncio.create_task(_upload(wire, receive, has_body))
            try:
                head = await _while_connected(_head(wire), upload)
                await send(
                    {
                        "type": "http.response.start",
                        "status": head.status_code,
                        "headers": [(k, v) for k, v in head.headers if k not in HOP_BY_HOP],
                    }
                )
                while True:
                    event = await _while_connected(wire.next_event(), upload)
                    if not isinstance(event, h11.Data):
                        break
                    await send(
                        {"type": "http.response.body", "body": bytes(event.data), "more_body": True}
                    )
                if not isinstance(event, h11.EndOfMessage):
                    raise EngineGone
                await send({"type": "http.response.body", "body": b""})
            finally:
                upload.cancel()
                with contextlib.suppress(asyncio.CancelledError, Disconnected, OSError):
                    await upload

    @contextlib.asynccontextmanager
    async def _wire(self) -> AsyncIterator[_Wire]:
        wire = self._pooled()
        if wire is None:
            reader, writer = await asyncio.open_unix_connection(self._socket)
            wire = _Wire(reader, writer)
        try:
            yield wire
            if wire.http.our_state is h11.DONE and wire.http.their_state is h11.DONE:
                wire.http.start_next_cycle()
                wire.idle_since = self._clock()
                if len(self._idle) < MOST_IDLE:
                    self._idle.append(wire)
                    wire = None
        finally:
            if wire is not None:
                wire.writer.close()

    def _pooled(self) -> _Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if self._clock() - wire.idle_since < IDLE_SECONDS and not wire.reader.at_eof():
                return wire
            wire.writer.close()
        return None


async def _head(wire: _Wire) -> h11.Response:
    while True:
        event = await wire.next_event()
        if isinstance(event, h11.Response):
            return event
        if not isinstance(event, h11.InformationalResponse):
            raise EngineGone


async def _upload(wire: _Wire, receive: Receive, has_body: bool) -> None:
    """Stream the body up, then wait for the sender to leave."""
    more = True
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        if not more:
            continue
        body = message.get("body", b"")
        if body and has_body:
            await wire.send(h11.Data(data=body))
        more = bool(message.get("more_body"))
        if not more:
            await wire.send(h11.EndOfMessage())


async def _while_connected(work: Any, upload: asyncio.Task[None]) -> Any:
    """``work``'s result, unless the sender leaves or the body cannot be sent first."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, upload}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() or (upload.done() and task.cancelled()):
            failed = upload.exception()
            raise failed if failed is not None else EngineGone()
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _request_headers(scope: Scope) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Headers for the engine, and whether a body follows."""
    sent = headers_of(scope)
    named = {
        name.strip().lower().encode("latin-1")
        for name in sent.get("connection", "").split(",")
        if name.strip()
    }
    dropped = HOP_BY_HOP | _FORGED | named | {b"expect"}
    headers = [(k, v) for k, v in scope["headers"] if k not in dropped]
    client = scope.get("client")
    if client:
        headers.append((b"x-forwarded-for", client[0].encode("latin-1")))
    headers.append((b"x-forwarded-proto", scope.get("scheme", "http").encode("latin-1")))
    if not any(k == b"host" for k, _ in headers):
        headers.append((b"host", b"localhost"))
    chunked = "transfer-encoding" in sent
    if chunked:
        headers = [(k, v) for k, v in headers if k != b"content-length"]
        headers.append((b"transfer-encoding", b"chunked"))
    return headers, chunked or sent.get("content-length", "0") != "0"


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
