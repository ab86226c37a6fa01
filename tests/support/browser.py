"""A real Chromium on a real server: opens console pages and notes everything that goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.stores import stores_of
from tests.support.waiting import BROWSER_MS, until

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
STATIC = ROOT / "src" / "carloop" / "console" / "static" / "index.html"
PASSWORD = "a-quiet-road-at-dawn"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where Chromium is; skips the test where there is none, or no built console."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium")
    if not (STATIC.is_file() and AXE.is_file()):
        pytest.skip("the console is not built")
    return path


@dataclass
class Server:
    """A running carloop under a directory of its own."""

    url: str
    password: str

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client that is signed in as admin and may change things."""
        body = {"username": "admin", "password": PASSWORD}
        with httpx.Client(base_url=self.url, timeout=30) as client:
            session = client.post("/api/session", json=body).raise_for_status().json()
            client.headers["X-CSRF-Token"] = session["csrf"]
            yield client


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """Start ``carloop serve`` on a free port, wait until it is ready; ``settings``: environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "carloop", "serve", "--data", str(data), "--port", str(port)]
    log = (data / "server.log").open("wb")
    stores = ExitStack()
    environment = {**os.environ, **settings, **stores.enter_context(stores_of(data))}
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_until_ready(process, url)
        password = (data / "run" / "admin-password").read_text().strip()
        yield Server(url, password)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        stores.close()
        log.close()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    def ready() -> bool:
        assert process.poll() is None, "the server died"
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200

    until(ready, "the server did not become ready", every=0.2, despite=httpx.TransportError)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium."""
    path = chromium()
    expect.set_options(timeout=BROWSER_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """One browser page that notes console errors, failed requests and refused answers."""

    context: BrowserContext
    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        browser: Browser,
        url: str,
        *,
        language: str = "zh",
        theme: str = "light",
        width: int = 1280,
        cookies: list[Any] | None = None,
    ) -> Visitor:
        """A fresh context in the language and theme given; ``cookies`` carry a session over."""
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        context.set_default_timeout(BROWSER_MS)
        kept = {"carloop.language": language, "carloop.theme": theme}
        lines = [
            f"localStorage.setItem({json.dumps(k)}, {json.dumps(v)});" for k, v in kept.items()
        ]
        context.add_init_script("\n".join(lines))
        if cookies:
            context.add_cookies(cookies)
        visitor = cls(context, context.new_page(), url)
        visitor._listen()
        return visitor

    def _listen(self) -> None:
        page, note = self.page, self.troubles.append
        page.on("pageerror", lambda error: note(f"page error: {error}"))
        page.on(
            "console",
            lambda m: note(f"console: {m.text}") if m.type in ("error", "warning") else None,
        )
        page.on(
            "requestfailed",
            lambda r: (
                None
                if "ERR_ABORTED" in (r.failure or "")
                else note(f"request failed: {r.url} {r.failure}")
            ),
        )
        page.on(
            "response",
            lambda r: note(f"{r.status}: {r.url}") if r.status >= 400 else None,
        )

    def sign_in(self, password: str) -> None:
        """Fill in the sign-in form."""
        self.page.goto(f"{self.url}/console/")
        self.page.locator("input[autocomplete=username]").fill("admin")
        self.page.locator("input[autocomplete=current-password]").fill(password)
        self.page.locator("button[type=submit]").click()

    def choose_password(self, old: str, new: str) -> None:
        """Fill in the forced first change of the password."""
        fresh = self.page.locator("input[autocomplete=new-password]")
        fresh.first.wait_for()
        self.page.locator("input[autocomplete=current-password]").fill(old)
        fresh.nth(0).fill(new)
        fresh.nth(1).fill(new)
        self.page.locator("button[type=submit]").click()

    def visit(self, path: str) -> None:
        """Open a console page and wait until its content stands."""
        self.page.goto(f"{self.url}/console{path}")
        self.page.locator("#main h1").first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until no skeleton is left and fonts are there."""
        self.page.wait_for_function(
            "() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning')"
            " && document.fonts.status === 'loaded'"
        )

    def accessibility(self) -> list[str]:
        """Serious and critical findings of axe, one line each."""
        self.page.locator(".ant-form-show-help-item-leave").wait_for(state="detached")
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "() => axe.run(document, {resultTypes: ['violations']})"
        )
        return [
            f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
            for node in v["nodes"][:3]
        ]

    def tell(self) -> str:
        """Where the page is, what went wrong and what it shows: printed, for a test that fails."""
        shown = self.page.locator("body").inner_text()
        return "\n".join((self.page.url, *self.troubles, shown))

    def close(self) -> None:
        """Close the context."""
        self.context.close()


def admin_session(browser: Browser, server: Server) -> list[Any]:
    """Cookies of the administrator, who has signed in through the forms and chosen a password."""
    first = Visitor.open(browser, server.url)
    first.sign_in(server.password)
    first.choose_password(server.password, PASSWORD)
    first.page.locator("#main h1").first.wait_for()
    cookies = list(first.context.cookies())
    first.close()
    return cookies
