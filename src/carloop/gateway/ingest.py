"""One ingest request, from its first byte to a durable answer."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

import structlog

from carloop.connectors.answers import problem
from carloop.connectors.protocol import IngestProtocol, Request, Response
from carloop.core.events import Decoded, Received
from carloop.core.ports.journal import Journal
from carloop.gateway.asgi import Disconnected, Receive, Scope, Send, headers_of, read_body, respond
from carloop.gateway.keys import KeyRing
from carloop.gateway.metrics import Metrics
from carloop.kit.errors import CarloopError, Unavailable

log = structlog.get_logger(__name__)

MOST_IN_FLIGHT = 2000
"""Requests beyond this are told to come back."""

_SUFFIXES = ("/sa", "/sa.gif", "/debug")
_NOT_PREFIXES = ("/api/", "/console/")


class Ingest:
    """The ingest routes over one journal.

    Args:
        protocols: those that name routes are served; paths are exact, except that the routes
            ``/sa``, ``/sa.gif`` and ``/debug`` answer under any prefix.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        protocols: Iterable[IngestProtocol],
        journal: Journal,
        keys: KeyRing,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._routes = {route: p for p in protocols for route in p.routes}
        self._paths = {path for _, path in self._routes}
        self._journal = journal
        self._keys = keys
        self._metrics = metrics
        self._clock = clock

    def protocol(self, method: str, path: str) -> IngestProtocol | None:
        """The protocol that answers ``method path``, if it is an ingest route."""
        return self._routes.get((method, self._known(path)))

    def preflight(self, path: str) -> bool:
        """Whether ``path`` is one that browsers send to."""
        return self._known(path) in self._paths

    def _known(self, path: str) -> str:
        if path in self._paths or path.startswith(_NOT_PREFIXES):
            return path
        tail = path[path.rfind("/") :]
        return tail if tail in _SUFFIXES else path

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
        self, protocol: IngestProtocol, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request; whatever goes wrong is answered in the protocol's own form."""
        metrics = self._metrics
        started = time.perf_counter()
        request = _request(scope, self._known(scope["path"]))
        metrics.in_flight += 1
        closing: dict[str, str] = {}
        try:
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
        if self._metrics.in_flight > MOST_IN_FLIGHT:
            raise Unavailable("too many requests at once", code="overloaded", retry_after_seconds=1)
        now = self._clock()
        limits = protocol.limits
        origin = _origin(request.headers)
        sent_key = protocol.credentials(request)
        key = self._keys.check(sent_key, origin, now) if sent_key else None
        body = await read_body(receive, request.headers, limits.wire)
        self._metrics.bytes_in += len(body)
        request = Request(
            request.method, request.path, request.query, request.headers, body, request.client_ip
        )
        unwrapped = protocol.unwrap(request, limits)
        if key is None:
            key = self._keys.check(protocol.credentials_in(unwrapped.body), origin, now)
        received = Received(
            tenant=key.tenant,
            source=key.source,
            protocol=protocol.name,
            received_at=int(now * 1000),
            body=unwrapped.body,
            hint=unwrapped.hint,
        )
        decoded = protocol.decode(received, limits)
        if not unwrapped.check_only:
            await asyncio.wrap_future(self._journal.submit(received))
            self._count(protocol.name, decoded)
        return protocol.accepted(request, decoded)

    def _count(self, protocol: str, decoded: Decoded) -> None:
        self._metrics.accepted[protocol] += len(decoded.events)
        for bad in decoded.rejected:
            self._metrics.rejected[protocol, bad.code] += 1


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
        "vary": "Origin",
    }
