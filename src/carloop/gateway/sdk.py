"""The tracker's files under ``/sdk/``: what web pages and mini-programs load."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carloop.connectors.answers import problem
from carloop.connectors.protocol import Response
from carloop.kit.errors import NotFound

PREFIX = "/sdk/"
FILES = ("carloop.js", "carloop.mjs", "carloop-mini.cjs")
HEADERS: Mapping[str, str] = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class _File:
    version: int
    tag: str
    plain: bytes
    packed: bytes


class Sdk:
    """Serves the built tracker to any site: public, small, asked for again after an hour.

    Args:
        root: the directory that holds :data:`FILES`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, _File] = {}

    async def get(self, path: str, headers: Mapping[str, str]) -> Response:
        """The answer to ``GET path``; 304 where the asker has the file already."""
        name = path[len(PREFIX) :]
        file = await asyncio.to_thread(self._load, name) if name in FILES else None
        if file is None:
            return problem(NotFound("no such file"))
        packed = "gzip" in headers.get("accept-encoding", "")
        tag = f'"{file.tag}{"-gzip" if packed else ""}"'
        answer = {**HEADERS, "etag": tag}
        if tag in headers.get("if-none-match", ""):
            return Response(304, answer, b"")
        if packed:
            return Response(200, {**answer, "content-encoding": "gzip"}, file.packed)
        return Response(200, answer, file.plain)

    def _load(self, name: str) -> _File | None:
        path = self._root / name
        try:
            version = path.stat().st_mtime_ns
            known = self._files.get(name)
            if known is None or known.version != version:
                plain = path.read_bytes()
                tag = hashlib.sha256(plain).hexdigest()[:16]
                known = _File(version, tag, plain, gzip.compress(plain, 9, mtime=0))
                self._files[name] = known
        except FileNotFoundError:
            return None
        return known
