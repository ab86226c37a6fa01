"""A website of somebody's, on another origin than carloop, and a browser that visits it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import FLAGS, STATIC, chromium
from tests.support.server import Server
from tests.support.waiting import until

SDK = STATIC.parents[1] / "sdk" / "carloop.js"
DOMAIN = "shop.example"
"""The browser finds it, and whatever is below it, on this machine."""


@dataclass
class Website:
    """Pages by path, with the headers they are served with."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def origin(self, host: str = f"www.{DOMAIN}") -> str:
        """As the browser names it."""
        return f"http://{host}:{self.port}"


@contextmanager
def website() -> Iterator[Website]:
    """A website on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            path = urlsplit(self.path).path
            text = "" if path == "/favicon.ico" else site.pages.get(path)
            body = (text or "").encode()
            self.send_response(404 if text is None else 200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Website(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def visiting() -> Iterator[Browser]:
    """A headless Chromium that finds :data:`DOMAIN` here."""
    path = chromium()
    if not SDK.is_file():
        pytest.skip("the tracker is not built")
    rules = f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1, MAP {DOMAIN} 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, rules, "--no-proxy-server"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Source:
    """A source of a server with a key of its own, and what it has stored."""

    server: Server
    token: str
    name: str
    key: str
    id: int

    @classmethod
    def make(cls, server: Server, token: str, name: str, *origins: str) -> Source:
        """With a fresh write key that these origins may use."""
        with server.client(token) as client:
            made = client.post("/api/sources", json={"name": name, "kind": "web"})
            assert made.status_code == 201, made.text
            id_ = made.json()["id"]
            body = {"name": "default", "origins": origins}
            key = client.post(f"/api/sources/{id_}/keys", json=body)
            assert key.status_code == 201, key.text
        return cls(server, token, name, key.json()["write_key"], id_)

    def events(self) -> list[dict[str, Any]]:
        """Everything stored, oldest first."""
        with self.server.client(self.token) as client:
            answer = client.get("/api/events", params={"source": self.id, "limit": 200})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return sorted(items, key=lambda event: str(event["occurred_at"]))

    def wait(self, *names: str, when: Callable[[list[str]], bool] | None = None) -> list[Any]:
        """The events, once those named are among them (as often as they are named)."""
        found: list[Any] = []
        told: list[str] = []

        def here() -> bool:
            found[:] = self.events()
            told[:] = [event["event"] for event in found]
            return when(told) if when else all(told.count(n) >= names.count(n) for n in names)

        until(here, lambda: told, every=0.2)
        return found
