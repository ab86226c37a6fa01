"""Is this machine fit to run carloop? Each check with a line that says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from carloop.kit.errors import CarloopError

LEAST_PYTHON = (3, 11)
LEAST_FREE_GIB = 2.0
SLOW_FSYNC_MS = 50.0
FSYNCS = 20
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LEAST_NODE = 20


class Status(StrEnum):
    """How a check came out: a warning still lets carloop run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; ``fix`` says what to do and is empty where all is well."""

    name: str
    status: Status
    found: str
    fix: str = ""


def healthy(checks: Iterable[Check]) -> bool:
    """Whether nothing failed; warnings do not count."""
    return all(check.status is not Status.FAILED for check in checks)


def machine_checks(
    data: Path, host: str, port: int, now: datetime, *, serving: bool
) -> Sequence[Check]:
    """What can be told without opening a store.

    ``serving``: a carloop is running on this directory, so that the port is rightly taken.
    """
    return [
        check_python(sys.version_info[:3]),
        check_disk(data),
        check_fsync(data),
        check_port(host, port, serving=serving),
        check_clock(now),
        check_master_key(data / "secret" / "master.key"),
        check_fonts(),
        check_node(),
    ]


def check_python(version: tuple[int, ...]) -> Check:
    """Python is new enough."""
    found = ".".join(map(str, version))
    if tuple(version[:2]) >= LEAST_PYTHON:
        return Check("python", Status.OK, found)
    return Check("python", Status.FAILED, found, "install Python 3.11 or newer")


def check_disk(data: Path) -> Check:
    """There is room under the data directory."""
    free = shutil.disk_usage(_existing(data)).free / 2**30
    found = f"{free:.1f} GiB free"
    if free >= LEAST_FREE_GIB:
        return Check("disk", Status.OK, found)
    return Check("disk", Status.FAILED, found, f"free {LEAST_FREE_GIB:g} GiB on the disk of {data}")


def check_fsync(data: Path) -> Check:
    """The disk makes writes durable, and how fast; every acknowledgement waits for it."""
    probe = _existing(data) / f".doctor-{os.getpid()}"
    took: list[float] = []
    try:
        with probe.open("wb") as file:
            for _ in range(FSYNCS):
                began = time.perf_counter()
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
                took.append((time.perf_counter() - began) * 1000)
    except OSError as error:
        fix = f"make {data} writable and free space on its disk"
        return Check("fsync", Status.FAILED, os.strerror(error.errno or 0), fix)
    finally:
        probe.unlink(missing_ok=True)
    median = sorted(took)[FSYNCS // 2]
    found = f"{median:.1f} ms"
    if median <= SLOW_FSYNC_MS:
        return Check("fsync", Status.OK, found)
    return Check("fsync", Status.WARNING, found, "put the data directory on a faster local disk")


def check_port(host: str, port: int, *, serving: bool) -> Check:
    """The port can be listened on, or carloop already does."""
    if serving:
        return Check("port", Status.OK, f"{port}: carloop is running")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            found = f"{host}:{port}: {os.strerror(error.errno or 0)}"
            return Check("port", Status.FAILED, found, "choose another with --port")
    return Check("port", Status.OK, f"{port} is free")


def check_clock(now: datetime) -> Check:
    """The clock is not obviously wrong: events are judged by it."""
    found = now.isoformat(timespec="seconds")
    if now >= EARLIEST:
        return Check("clock", Status.OK, found)
    return Check(
        "clock", Status.FAILED, found, "set the machine's clock (timedatectl set-ntp true)"
    )


def check_master_key(path: Path) -> Check:
    """The master key, where there is one, is its owner's alone."""
    if os.environ.get("CARLOOP_MASTER_KEY"):
        return Check("master_key", Status.OK, "from the environment")
    if not path.exists():
        return Check("master_key", Status.OK, "made at the first start")
    mode = path.stat().st_mode & 0o777
    if mode & 0o077 == 0:
        return Check("master_key", Status.OK, f"mode {mode:04o}")
    return Check("master_key", Status.FAILED, f"mode {mode:04o}", f"chmod 600 {path}")


def check_fonts() -> Check:
    """A Chinese font, for screenshots made on this machine."""
    listed = _output("fc-list", ":lang=zh", "family")
    if listed:
        return Check("fonts", Status.OK, "a Chinese font is installed")
    fix = "only for screenshots: install fonts-noto-cjk"
    return Check("fonts", Status.WARNING, "no Chinese font found", fix)


def check_node() -> Check:
    """Node.js, to build the console from source; a wheel needs none."""
    version = (_output("node", "--version") or "").strip()
    major = version.removeprefix("v").partition(".")[0]
    if major.isdigit() and int(major) >= LEAST_NODE:
        return Check("node", Status.OK, version)
    fix = f"only to build the console: install Node.js {LEAST_NODE} or newer"
    return Check("node", Status.WARNING, version or "not found", fix)


def probe(name: str, work: Callable[[], str], fix: str) -> Check:
    """The check that ``work`` succeeds; it tells what it found."""
    try:
        return Check(name, Status.OK, work())
    except CarloopError as error:
        return Check(name, Status.FAILED, f"{error.message} ({error.code})", fix)


def _existing(directory: Path) -> Path:
    while not directory.exists():
        directory = directory.parent
    return directory


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
