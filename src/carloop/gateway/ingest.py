"""One ingest request, from its first byte to a durable answer."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import structlog

from carloop.connectors.answers import problem
from carloop.connectors.hook import Incoming
from carloop.connectors.protocol import IngestProtocol, Request, Response
from carloop.connectors.transport import header_key
from carloop.core.events import Decoded, Limits, Received, with_room
from carloop.core.ports.journal import Journal
from carloop.core.vocabulary import Vocabulary
from carloop.gateway.asgi import Disconnected, Receive, Scope, Send, headers_of, read_body, respond
from carloop.gateway.hooks import Called, HookRing
from carloop.gateway.keys import KeyRing
from carloop.gateway.metrics import Metrics
from carloop.kit.errors import CarloopError, TooLarge, Unauthenticated, Unavailable

log = structlog.get_logger(__name__)

MOST_IN_FLIGHT = 2000
"""Requests beyond this are told to come back."""

_NOT_PREFIXES = ("/api/", "/console/")


class Ingest:
    """The ingest routes over one journal.

    Args:
        protocols: their routes are served; paths are exact, except that ``tails`` answer under
            any prefix.
        clock: seconds since the epoch.
        vocabulary: the names that identify; without it the pipeline alone tells who is nameless.
        hooks: sources that are called by an address of their own.
    """

    def __init__(
        self,
        protocols: Iterable[IngestProtocol],
        journal: Journal,
        keys: KeyRing,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
        vocabulary: Vocabulary | None = None,
        hooks: HookRing | None = None,
    ) -> None:
        protocols = tuple(protocols)
        self._routes = {route: p for p in protocols for route in p.routes}
        self._tails = {tail for p in protocols for tail in p.tails}
        self._paths = {path for _, path in self._routes}
        self._journal = journal
        self._keys = keys
        self._metrics = metrics
        self._clock = clock
        self._vocabulary = vocabulary
        self._hooks = hooks

    def protocol(self, method: str, path: str) -> IngestProtocol | Called | None:
        """What answers ``method path``, if it is an ingest route."""
        found = self._routes.get((method, self._known(path)))
        if found is None and self._hooks is not None:
            return self._hooks.called(method, path)
        return found

    def preflight(self, path: str) -> bool:
        """Whether ``path`` is one that browsers send to."""
        return self._known(path) in self._paths

    def _known(self, path: str) -> str:
        if path in self._paths or path.startswith(_NOT_PREFIXES):
            return path
        tail = path[path.rfind("/") :]
        return tail if tail in self._tails else path

    async def allow(self, scope: Scope, send: Send) -> None:
        """Answer a CORS preflight."""
        headers = headers_of(scope)
        origin = headers.get("origin", "")
        if not origin or not self._keys.welcomes(origin, self._clock()):
            await respond(send, Response(403, {}, b""))
            return
        allow = {
            "access-control-allow-methods": "GET, POST, OPTIONS",
            "access-control-allow-headers": headers.get(
                "access-control-request-headers", "authorization, content-type, x-write-key"
            ),
            "access-control-max-age": "600",
        }
        await respond(send, Response(204, allow, b""), _cors(origin))

    async def answer(
        self, protocol: IngestProtocol | Called, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request; whatever goes wrong is answered in the protocol's own form."""
        metrics = self._metrics
        started = time.perf_counter()
        request = _request(scope, self._known(scope["path"]))
        metrics.in_flight += 1
        closing: dict[str, str] = {}
        try:
            if self._metrics.in_flight > MOST_IN_FLIGHT:
                raise Unavailable(
                    "too many requests at once", code="overloaded", retry_after_seconds=1
                )
            if isinstance(protocol, Called):
                response = await self._take_called(protocol, request, receive)
            else:
                response = await self._take(protocol, request, receive)
            metrics.took(time.perf_counter() - started)
        except Disconnected:
            return
        except CarloopError as error:
            metrics.refused[protocol.name, error.code] += 1
            response = protocol.refused(request, error)
            closing = {"connection": "close"} if error.status in (408, 413) else {}
        except Exception as error:
            trace = "".join(traceback.format_tb(error.__traceback__, limit=-6))
            log.error(
                "ingest_failed", protocol=protocol.name, error=type(error).__name__, trace=trace
            )
            metrics.refused[protocol.name, "internal"] += 1
            response = problem(CarloopError("an error of ours; nothing was kept"))
        finally:
            metrics.in_flight -= 1
        metrics.requests[protocol.name, response.status] += 1
        origin = request.headers.get("origin", "")
        await respond(send, response, {**closing, **(_cors(origin) if origin else {})})

    async def _take(self, protocol: IngestProtocol, request: Request, receive: Receive) -> Response:
        now = self._clock()
        origin = _origin(request.headers)
        sent_key = protocol.credentials(request)
        key = self._keys.check(sent_key, origin, now) if sent_key else None
        limits = self._keys.room(protocol.limits, key)
        request = await self._whole(request, receive, limits)
        unwrapped = protocol.unwrap(request, limits)
        if key is None:
            key = self._keys.check(protocol.credentials_in(unwrapped.body), origin, now)
            limits = self._keys.room(protocol.limits, key)
            _within(limits, request.body, unwrapped.body)
        received = Received(
            tenant=key.tenant,
            source=key.source,
            protocol=protocol.name,
            received_at=int(now * 1000),
            body=unwrapped.body,
            hint=unwrapped.hint,
        )
        decoded = self._judged(protocol.decode(received, limits))
        if not unwrapped.check_only:
            await self._keep(with_room(received, protocol.limits, limits), decoded)
        return protocol.accepted(request, decoded)

    async def _take_called(self, called: Called, request: Request, receive: Receive) -> Response:
        """A source with settings: its signature, or a write key of that very source."""
        assert self._hooks is not None
        now = self._clock()
        protocol, place = called.protocol, called.place
        settings = self._hooks.settings(called, now)
        if settings.key_needed:
            sent = header_key(request) or request.query.get("write_key", "")
            key = self._keys.check(sent, _origin(request.headers), now)
            if (key.tenant, key.source) != (place.tenant, place.source):
                raise Unauthenticated("no write key of this source", code="key_invalid")
        request = await self._whole(request, receive, protocol.limits)
        incoming = protocol.receive(request, settings, int(now * 1000))
        if not isinstance(incoming, Incoming):
            return incoming
        received = Received(
            tenant=place.tenant,
            source=place.source,
            protocol=protocol.name,
            received_at=int(now * 1000),
            body=incoming.body,
            hint=incoming.hint,
        )
        decoded = self._judged(protocol.decode(received, protocol.limits))
        await self._keep(received, decoded)
        return incoming.answer or protocol.accepted(request, decoded)

    async def _whole(self, request: Request, receive: Receive, limits: Limits) -> Request:
        body = await read_body(receive, request.headers, limits.wire)
        self._metrics.bytes_in += len(body)
        return replace(request, body=body)

    def _judged(self, decoded: Decoded) -> Decoded:
        return decoded if self._vocabulary is None else self._vocabulary.judge(decoded)

    async def _keep(self, received: Received, decoded: Decoded) -> None:
        await asyncio.wrap_future(self._journal.submit(received))
        self._count(received.protocol, decoded)

    def _count(self, protocol: str, decoded: Decoded) -> None:
        self._metrics.accepted[protocol] += len(decoded.events)
        for bad in decoded.rejected:
            self._metrics.rejected[protocol, bad.code] += 1


def _within(limits: Limits, sent: bytes, unpacked: bytes) -> None:
    if len(sent) > limits.wire:
        raise TooLarge(f"more than {limits.wire} bytes")
    if len(unpacked) > limits.unpacked:
        raise TooLarge(f"more than {limits.unpacked} bytes unpacked", code="too_large_unpacked")


def _request(scope: Scope, path: str) -> Request:
    query: dict[str, str] = {}
    raw = scope["query_string"].decode("latin-1")
    if raw:
        for name, value in parse_qsl(raw, keep_blank_values=True):
            query.setdefault(name, value)
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=path,
        query=query,
        headers=headers_of(scope),
        client_ip=client[0] if client else "",
    )


def _origin(headers: Mapping[str, str]) -> str:
    """The page's origin; image requests have none, but mostly a referrer."""
    origin = headers.get("origin", "")
    if origin or "referer" not in headers:
        return origin
    try:
        parts = urlsplit(headers["referer"])
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _cors(origin: str) -> dict[str, str]:
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }
