"""A whole carloop in processes of its own, as ``carloop serve`` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.stores import stores_of
from tests.support.waiting import PATIENCE_SECONDS, until


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def carloop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, on the stores of the directory that ``--data`` names."""
    with ExitStack() as held:
        stores: Mapping[str, str] = {}
        if "--data" in arguments:
            data = Path(arguments[arguments.index("--data") + 1])
            stores = held.enter_context(stores_of(data))
        return subprocess.run(
            [sys.executable, "-m", "carloop", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            env={**os.environ, **stores, **environment},
        )


@dataclass
class Server:
    """A running server and its data directory."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    stores: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def token(self, name: str = "test", role: str = "admin") -> str:
        """A fresh API token."""
        return self.run("key", "create", name, "--admin", "--role", role)

    def write_key(self, source: str = "web") -> str:
        """A fresh write key."""
        return self.run("key", "create", source)

    def run(self, *arguments: str) -> str:
        """What a command prints, on this server's directory."""
        done = carloop(*arguments, "--data", str(self.data))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def client(self, token: str = "") -> httpx.Client:
        """A client, with or without a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def send(self, key: str, events: list[dict[str, Any]]) -> None:
        """Send events and wait until they are loaded and projected."""
        with self.client() as client:
            answer = client.post("/api/events", json=events, headers={"X-Write-Key": key})
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == [], answer.text
        self.settle()

    def kill(self, child: str) -> None:
        """``kill -9`` of the ``engine`` or the ``gateway``; the supervisor starts it again."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == self.process.pid and child.encode() in command:
                os.kill(int(entry.name), signal.SIGKILL)
                return
        raise AssertionError(f"no {child} runs")

    def settle(self) -> None:
        """Wait until everything acknowledged can be queried."""
        token = (self.data / "run" / "local.token").read_text("ascii")
        with self.client(token) as client:

            def loaded() -> bool:
                tiles = client.get("/api/overview").json()
                return bool(tiles["loaded_batches"] >= tiles["accepted_batches"])

            until(loaded, "the loader did not catch up")
        time.sleep(2.0)


@contextmanager
def serving(
    data: Path,
    *,
    log: Path | None = None,
    state: str | None = None,
    event_store: str | None = None,
    port: int | None = None,
    **environment: str,
) -> Iterator[Server]:
    """A server on ``data``, ready, its output in ``log``; stopped on leaving.

    Args:
        data: its directory.
        log: file of its output; None: nowhere.
        state, event_store: stores other than the chosen ones (see ``tests.support.stores``).
        port: where it listens; None: on a free one.
        environment: further ``CARLOOP_*``.
    """
    port = port or free_port()
    with stores_of(data, state=state, event_store=event_store) as stores:
        with Path(log or os.devnull).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "carloop", "serve", *where(data, port)],
                stdout=output,
                stderr=output,
                env={**os.environ, **stores, **environment},
            )
        server = Server(data, port, process, stores)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def where(data: Path, port: int) -> list[str]:
    """The options of a server."""
    return ["--data", str(data), "--port", str(port)]


def _wait_until_ready(server: Server) -> None:
    with server.client() as client:

        def ready() -> bool:
            assert server.process.poll() is None, "the server died"
            return client.get("/readyz").status_code == 200

        until(ready, "the server did not become ready", despite=httpx.TransportError)
