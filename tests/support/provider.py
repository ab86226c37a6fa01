"""A small message provider on a real socket: slow, forgetful, refusing or dropping, as told."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Provider:
    """What it was told to do, and what it did.

    ``script``: one word per request to come, then ``accept`` for ever: ``accept``, ``hang`` (take,
    never answer), ``reset`` (take, cut the line), a status as ``"503"`` or ``"429:2"`` (refuse,
    with Retry-After).
    """

    honours_keys: bool = False
    delay_seconds: float = 0.0
    script: list[str] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    def take(self, key: str) -> None:
        with self.lock:
            if not (self.honours_keys and self.delivered[key]):
                self.delivered[key] += 1

    def next_word(self) -> str:
        with self.lock:
            return self.script.pop(0) if self.script else "accept"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    provider: Provider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed mid-request is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        provider = self.server.provider
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        word = provider.next_word()
        with provider.lock:
            provider.requests.append(json.loads(body))
            provider.headers.append(dict(self.headers.items()))
            provider.bodies.append(body)
        if word in ("accept", "hang", "reset"):
            provider.take(key)
        time.sleep(provider.delay_seconds)
        if word == "hang":
            time.sleep(3)
        elif word == "accept":
            self._answer(200, json.dumps({"id": f"p-{key}"}).encode(), {})
        elif word != "reset":
            status, _, after = word.partition(":")
            self._answer(int(status), b"", {"Retry-After": after} if after else {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def provider(**told: Any) -> Iterator[Provider]:
    """A provider that runs until the block ends."""
    it = Provider(**told)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.provider = it
    it.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
