"""The console's files under ``/console/``."""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from carloop.connectors.answers import problem
from carloop.connectors.protocol import Response
from carloop.kit.errors import NotFound

PREFIX = "/console/"
SECURITY: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self';"
        " worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}
_TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


class Console:
    """Serves a built single-page application.

    Paths without a file extension are the application's own and get ``index.html``. Files under
    ``assets/`` have a hash in their names and may be kept for ever; the rest is asked for again.

    Args:
        root: the directory that holds ``index.html``.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._packed: dict[tuple[Path, int], bytes] = {}

    async def get(self, path: str, accepts: str) -> Response:
        """The answer to ``GET path``; ``accepts`` is the ``Accept-Encoding`` header."""
        name = path[len(PREFIX) :]
        file = self._file(name)
        if file is None:
            return problem(NotFound("no such file"))
        body = await asyncio.to_thread(file.read_bytes)
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or ""
        headers = {
            **SECURITY,
            "content-type": kind or "application/octet-stream",
            "cache-control": (
                "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
            ),
        }
        if kind.startswith(_TEXT):
            headers["vary"] = "Accept-Encoding"
            if "gzip" in accepts and len(body) > 1024:
                headers["content-encoding"] = "gzip"
                body = await self._gzip(file, body)
        return Response(200, headers, body)

    def _file(self, name: str) -> Path | None:
        if "\x00" in name:
            return None
        wanted = (self._root / name).resolve()
        if not wanted.is_relative_to(self._root):
            return None
        if wanted.is_file():
            return wanted
        index = self._root / "index.html"
        return index if not wanted.suffix and index.is_file() else None

    async def _gzip(self, file: Path, body: bytes) -> bytes:
        key = (file, file.stat().st_mtime_ns)
        packed = self._packed.get(key)
        if packed is None:
            packed = self._packed[key] = await asyncio.to_thread(gzip.compress, body, 6, mtime=0)
        return packed
