"""A real server in a directory of its own, whose children can be killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.support.stores import stores_of
from tests.support.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """``carloop serve`` as a subprocess."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "server.log"
        self._stores = ExitStack()
        stores = self._stores.enter_context(stores_of(data))
        self.environment = {**os.environ, **stores, **(environment or {})}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "carloop", "serve"),
                    *("--data", str(data), "--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
            )

    def key(self, *options: str) -> str:
        """A fresh key from the command line."""
        made = subprocess.run(
            [
                *(sys.executable, "-m", "carloop", "key", "create", "drill", *options),
                *("--data", str(self.data)),
            ],
            capture_output=True,
            text=True,
            check=True,
            env=self.environment,
        )
        return made.stdout.strip().splitlines()[-1]

    def pid(self, child: str) -> int | None:
        """The process id of ``gateway`` or ``engine``."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                parent = re.search(r"^PPid:\s+(\d+)", (entry / "status").read_text(), re.MULTILINE)
            except OSError:
                continue
            if parent and int(parent[1]) == self._process.pid and child.encode() in command:
                return int(entry.name)
        return None

    def kill(self, children: tuple[str, ...]) -> bool:
        """SIGKILL; False where one of them was not running."""
        pids = [self.pid(child) for child in children]
        for pid in pids:
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        return None not in pids

    def wait_ready(self) -> float:
        """Wait until all parts are there; returns how long it took.

        How far the loader is behind is another matter: under a load that does not let up it stays
        behind after a restart too, and whoever watches ``/readyz`` is told so.
        """
        started = time.monotonic()

        def log() -> str:
            return f"not ready: {self.log.read_text()[-3000:]}"

        def ready() -> bool:
            assert self._process.poll() is None, log()
            return _there(httpx.get(f"{self.url}/readyz", timeout=3))

        until(ready, log, every=0.05, despite=httpx.HTTPError)
        return time.monotonic() - started

    def stop(self) -> None:
        """SIGTERM, as a service manager would; its stores are closed too."""
        try:
            self.halt()
        finally:
            self._stores.close()

    def halt(self) -> None:
        """SIGTERM alone: the stores can still be looked at."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _there(answer: httpx.Response) -> bool:
    """Whether every part is ready, or nothing but the backlog keeps it from being so."""
    parts = answer.json()["parts"]
    wanting = {name for name, part in parts.items() if not part["ready"]}
    return not wanting or wanting == {"engine", "lag"}
