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
from pathlib import Path

import httpx


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
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "carloop", "serve"),
                    *("--data", str(data), "--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
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

    def wait_ready(self, seconds: float = 60) -> float:
        """Wait until ``/readyz`` is green; returns how long it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=3).status_code == 200:
                    return time.monotonic() - started
            except httpx.HTTPError:
                pass
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """SIGTERM, as a service manager would."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
