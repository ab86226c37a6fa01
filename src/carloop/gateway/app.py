"""The gateway: owns the port, takes events into the journal, serves files, proxies the rest.

A bare ASGI application with light imports, so that it stays small and starts at once.
"""

from __future__ import annotations

from carloop.connectors.answers import JSON
from carloop.connectors.protocol import Response
from carloop.gateway.asgi import Receive, Scope, Send, headers_of, respond
from carloop.gateway.health import Health
from carloop.gateway.ingest import Ingest
from carloop.gateway.proxy import EngineProxy
from carloop.gateway.sdk import PREFIX as SDK_PREFIX
from carloop.gateway.sdk import Sdk
from carloop.gateway.static import PREFIX, Console


class Gateway:
    """The ASGI application."""

    def __init__(
        self, ingest: Ingest, engine: EngineProxy, console: Console, sdk: Sdk, health: Health
    ) -> None:
        self._ingest = ingest
        self._engine = engine
        self._console = console
        self._sdk = sdk
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        method, path = scope["method"], scope["path"]
        protocol = self._ingest.protocol(method, path)
        if protocol is not None:
            await self._ingest.answer(protocol, scope, receive, send)
        elif method == "OPTIONS" and self._ingest.preflight(path):
            await self._ingest.allow(scope, send)
        elif method in ("GET", "HEAD") and (own := await self._own(scope, path)) is not None:
            await respond(send, own, head=method == "HEAD")
        else:
            await self._engine.forward(scope, receive, send)

    async def _own(self, scope: Scope, path: str) -> Response | None:
        """What the gateway answers itself; None: it is the engine's."""
        if path.startswith(PREFIX):
            return await self._console.get(path, headers_of(scope).get("accept-encoding", ""))
        if path.startswith(SDK_PREFIX):
            return await self._sdk.get(path, headers_of(scope))
        if path in ("/", "/console"):
            return Response(307, {"location": PREFIX}, b"")
        if path == "/livez":
            return Response(200, {**JSON, "cache-control": "no-store"}, b'{"status":"live"}')
        if path == "/readyz":
            return await self._health.ready()
        if path == "/metrics":
            headers = headers_of(scope)
            client = scope.get("client")
            return await self._health.metrics(
                headers.get("authorization", ""), client[0] if client else ""
            )
        return None
