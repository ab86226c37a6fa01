"""``carloop serve``: keeps gateway and engine running; holds nothing itself.

Children are fresh processes, never forks. Each ends when the pipe to its standard input closes, so
that none outlives the supervisor however that one ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import structlog

from carloop.bootstrap.files import Ownership
from carloop.bootstrap.settings import Settings
from carloop.kit.errors import Conflict
from carloop.kit.logging import configure

log = structlog.get_logger(__name__)

CHILDREN = ("engine", "gateway")
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
STEADY_SECONDS = 2.0
"""A child that ran this long starts again at once."""
LOOK_SECONDS = 0.1
STOP_SECONDS = 20.0


@dataclass(slots=True)
class Child:
    """One child process and when to start it again."""

    name: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    starts: int = field(default=0)

    def tend(self, now: float) -> None:
        """Start it when it is due; note when it has died."""
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            if now - self.started_at >= STEADY_SECONDS:
                self.pause = FIRST_PAUSE_SECONDS
            log.warning("child_died", child=self.name, code=code, again_in_seconds=self.pause)
            self._forget()
            self.start_at = now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        if self.process is None and now >= self.start_at:
            self._start(now)

    def stop(self) -> None:
        """Ask it to finish what is under way and end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, until: float) -> None:
        """Wait for its end; kill it when the time is over."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._forget()

    def _start(self, now: float) -> None:
        command = [sys.executable, "-m", "carloop.bootstrap.run", self.name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, env=self.environment)
        self.started_at = now
        self.starts += 1

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def supervise(settings: Settings, then: Sequence[str] = ()) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code.

    Args:
        settings: what to serve, and where.
        then: a command to run once everything answers; it ends with the server.

    Raises:
        Conflict: ``data_in_use`` or ``port_in_use``.
    """
    configure(settings.log_level, "supervisor", settings.log_format)
    ownership = Ownership(settings.run / "supervisor.lock")
    try:
        _check_port(settings)
        environment = _environment(settings)
        children = [Child(name, environment) for name in CHILDREN]
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        ready = threading.Thread(target=_when_ready, args=(settings, stopping, then))
        ready.start()
        try:
            while not stopping.wait(LOOK_SECONDS):
                for child in children:
                    child.tend(time.monotonic())
        finally:
            stopping.set()
            ready.join()
            _stop(children)
    finally:
        ownership.release()
    return 0


def _stop(children: list[Child]) -> None:
    """The gateway first, so that nothing more is acknowledged; then the engine."""
    until = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.stop()
        child.wait(until)


def _environment(settings: Settings) -> dict[str, str]:
    told = {
        f"CARLOOP_{field.name.upper()}": str(getattr(settings, field.name))
        for field in fields(settings)
    }
    return {**os.environ, **told, "CARLOOP_CHILD": "1"}


def _check_port(settings: Settings) -> None:
    """Say at once when the port is taken, instead of restarting for ever."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"cannot listen on {settings.host}:{settings.port}", code="port_in_use"
            ) from error


def _when_ready(settings: Settings, stopping: threading.Event, then: Sequence[str]) -> None:
    """Say where to go once both children answer, then run the command, if any."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    base = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    while not _answers(f"{base}/readyz"):
        if stopping.wait(LOOK_SECONDS):
            return
    _say(f"ready at {base}/console/")
    if settings.admin_password_file.exists():
        password = settings.admin_password_file.read_text("utf-8").strip()
        _say(f"first sign-in: user admin, password {password} (to be changed at once)")
    if then:
        _accompany(then, stopping)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            json.load(answer)
    except (OSError, ValueError):
        return False
    return True


def _accompany(command: Sequence[str], stopping: threading.Event) -> None:
    """Run a command in a session of its own: an interrupt from the keyboard is for the server."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not stopping.wait(LOOK_SECONDS):
        continue
    if process.poll() is None:
        process.terminate()
        process.wait()
    elif process.returncode:
        log.warning("command_failed", code=process.returncode)


def _say(line: str) -> None:
    sys.stdout.write(f"carloop: {line}\n")
    sys.stdout.flush()
