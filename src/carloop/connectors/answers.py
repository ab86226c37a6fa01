"""Answers that several protocols share."""

from __future__ import annotations

import msgspec

from carloop.connectors.protocol import Response
from carloop.core.events import Decoded
from carloop.kit.errors import CarloopError

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b"
)
"""A transparent image of one pixel."""


def gif() -> Response:
    """The one-pixel image that image beacons wait for."""
    return Response(200, {"content-type": "image/gif", "cache-control": "no-store"}, GIF)


def summary(decoded: Decoded, status: int = 200) -> Response:
    """``{accepted, rejected: [{index, code, path}]}``."""
    body = {
        "accepted": len(decoded.events),
        "rejected": [
            {"index": bad.index, "code": bad.code, "path": bad.path} for bad in decoded.rejected
        ],
    }
    return Response(status, JSON, msgspec.json.encode(body))


def problem(error: CarloopError) -> Response:
    """RFC 9457 problem details with ``code`` and ``message``; ``Retry-After`` where it is known."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": error.status,
        "code": error.code,
        "message": error.message,
    }
    if error.path:
        body["path"] = error.path
    headers = dict(PROBLEM)
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(error.retry_after_seconds)
    return Response(error.status, headers, msgspec.json.encode(body))
