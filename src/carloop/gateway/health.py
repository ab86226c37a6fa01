"""``/readyz`` and ``/metrics``: what the gateway knows, merged with what the engine says."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from carloop.connectors.answers import JSON, problem
from carloop.connectors.protocol import Response
from carloop.gateway.metrics import Metrics
from carloop.gateway.proxy import EngineGone, EngineProxy
from carloop.kit.errors import Unavailable

PROBE_BYTES = 1024 * 1024
PROBE_EVERY_SECONDS = 1.0
ENGINE_SECONDS = 3.0

Gauges = Callable[[], list[tuple[str, str, float]]]


class Health:
    """Readiness and metrics of gateway and engine as one.

    Args:
        probe: a file that is written and synced to see whether the disk takes anything.
        gauges: the journal's own figures for ``/metrics``.
    """

    def __init__(self, engine: EngineProxy, metrics: Metrics, probe: Path, gauges: Gauges) -> None:
        self._engine = engine
        self._metrics = metrics
        self._probe = probe
        self._gauges = gauges
        self._probed: tuple[float, str | None] = (float("-inf"), None)

    async def ready(self) -> Response:
        """200 when events are taken and the engine is ready, else 503; each part with a reason."""
        reason, (engine_ok, engine_reason, inner) = await asyncio.gather(
            self._disk(), self._engine_ready()
        )
        parts: dict[str, Any] = {
            "journal": _part(reason is None, reason),
            "engine": _part(engine_ok, engine_reason),
            **inner,
        }
        ready = all(part.get("ready", True) for part in parts.values())
        body = {"status": "ready" if ready else "not_ready", "parts": parts}
        return Response(200 if ready else 503, _headers(ready), msgspec.json.encode(body))

    async def metrics(self, authorization: str, client: str) -> Response:
        """Both processes' metrics, for callers on this machine or with a token."""
        forwarded = {"x-forwarded-for": client}
        if authorization:
            forwarded["authorization"] = authorization
        try:
            engine = await self._engine.get("/metrics", forwarded, ENGINE_SECONDS)
        except EngineGone:
            if not _local(client):
                return problem(Unavailable("the engine is starting or down", code="engine_down"))
            engine = Response(200, {}, b"")
        if engine.status in (401, 403):
            return Response(
                engine.status,
                {k: v for k, v in engine.headers.items() if k in ("content-type",)},
                engine.body,
            )
        own = self._metrics.text(
            [("engine_up", "Whether the engine answers", float(bool(engine.body))), *self._gauges()]
        )
        body = own.encode() + (engine.body if engine.status == 200 else b"")
        return Response(200, {"content-type": "text/plain; version=0.0.4; charset=utf-8"}, body)

    async def _disk(self) -> str | None:
        at, reason = self._probed
        if time.monotonic() - at >= PROBE_EVERY_SECONDS:
            reason = await asyncio.to_thread(_write_probe, self._probe)
            self._probed = (time.monotonic(), reason)
        return reason

    async def _engine_ready(self) -> tuple[bool, str | None, dict[str, Any]]:
        try:
            answer = await self._engine.get("/readyz", {}, ENGINE_SECONDS)
        except EngineGone:
            return False, "engine_down", {}
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError:
            said = {}
        parts = said.get("parts")
        ok = answer.status == 200
        inner = parts if isinstance(parts, dict) else {}
        return ok, None if ok else "not_ready", inner


def _part(ready: bool, reason: str | None) -> dict[str, Any]:
    return {"ready": ready} if reason is None else {"ready": ready, "reason": reason}


def _headers(ready: bool) -> dict[str, str]:
    headers = {**JSON, "cache-control": "no-store"}
    return headers if ready else {**headers, "retry-after": "2"}


def _local(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _write_probe(path: Path) -> str | None:
    """Why the disk takes nothing, or None when it does."""
    try:
        with path.open("wb") as file:
            file.write(os.urandom(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        path.unlink(missing_ok=True)
        return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_failed"
    return None
