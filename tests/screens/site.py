"""The servers that are photographed: one with the demonstration, one with nothing in it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.screens.furnish import ADVISOR, FIRST_PASSWORD, PASSWORD, furnish
from tests.support.server import Server, serving

NOBODY = "00000000-0000-0000-0000-000000000000"
MISSING = {
    "name": "王芳",
    "person": NOBODY,
    "entity_type": "dealer",
    "entity": NOBODY,
    "segment": NOBODY,
    "journey": NOBODY,
    "feed": NOBODY,
}


@dataclass(frozen=True)
class Site:
    """A running server: who may be signed in, and where its best examples are."""

    url: str
    ids: dict[str, str]
    cookies: dict[str, list[Any]]
    """By user name."""


@contextmanager
def empty_site(data: Path) -> Iterator[Site]:
    """A server as on its first day."""
    data.mkdir(parents=True, exist_ok=True)
    with serving(data) as server:
        yield Site(server.url, MISSING, {"admin": sign_in(server, "admin")})


@contextmanager
def full_site(data: Path) -> Iterator[Site]:
    """A server with the demonstration (loaded once) and all that people would add to it."""
    data.mkdir(parents=True, exist_ok=True)
    load = [sys.executable, "-m", "carloop", "demo", "--data", str(data), "--size", "s", "--once"]
    subprocess.run(load, check=True)
    folder = data / "feeds"
    folder.mkdir(exist_ok=True)
    with serving(
        data, CARLOOP_ALLOWED_HOSTS="127.0.0.1", CARLOOP_ALLOWED_FOLDERS=str(folder)
    ) as server:
        cookies = {"admin": sign_in(server, "admin")}
        local = (data / "run" / "local.token").read_text("ascii")
        with server.client(local) as client:
            key = server.write_key("web")
            ids = furnish(client, key, folder)
            server.settle()
        cookies[ADVISOR] = sign_in(server, ADVISOR)
        yield Site(server.url, ids, cookies)


def sign_in(server: Server, username: str) -> list[Any]:
    """The session cookies of a user, whose first password is changed where it must be."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        answer = _session(client, username, PASSWORD)
        if answer.status_code == 401:
            shown = server.data / "run" / "admin-password"
            first = shown.read_text().strip() if username == "admin" else FIRST_PASSWORD
            answer = _session(client, username, first)
            client.headers["X-CSRF-Token"] = answer.raise_for_status().json()["csrf"]
            change = {"old": first, "new": PASSWORD}
            client.post("/api/session/password", json=change).raise_for_status()
        answer.raise_for_status()
        return [
            {"name": name, "value": value, "url": server.url}
            for name, value in client.cookies.items()
        ]


def _session(client: httpx.Client, username: str, password: str) -> httpx.Response:
    while True:
        body = {"username": username, "password": password}
        answer = client.post("/api/session", json=body)
        if answer.status_code != 429:
            return answer
        time.sleep(1)
