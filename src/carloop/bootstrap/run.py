"""Entry of the child processes: ``python -m carloop.bootstrap.run gateway|engine``.

Settings come from ``CARLOOP_*``, which the supervisor sets. A child ends when its standard input
closes, so that none outlives the supervisor.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from carloop.bootstrap.settings import Settings
from carloop.kit import faults
from carloop.kit.errors import CarloopError
from carloop.kit.logging import configure

GRACE_SECONDS = 5
WATCH_STDIN = "CARLOOP_CHILD"
"""Set by the supervisor: end when standard input closes."""


def main(arguments: list[str]) -> int:
    """Run one child process; returns its exit code."""
    processes: dict[str, Callable[[Settings], None]] = {"gateway": _gateway, "engine": _engine}
    if len(arguments) != 1 or arguments[0] not in processes:
        sys.stderr.write("usage: python -m carloop.bootstrap.run gateway|engine\n")
        return 2
    os.umask(0o077)
    try:
        settings = Settings.from_env()
        configure(settings.log_level, arguments[0], settings.log_format)
        if settings.faults:
            faults.arm(Path(settings.faults))
        processes[arguments[0]](settings)
    except CarloopError as error:
        sys.stderr.write(f"carloop {arguments[0]}: {error.message} ({error.code})\n")
        return 1
    return 0


def _engine(settings: Settings) -> None:
    from carloop.bootstrap.engine import build_engine

    engine = build_engine(settings)
    try:
        engine.start()
        _serve(engine.app(), uds=str(settings.engine_socket))
    finally:
        engine.close()


def _gateway(settings: Settings) -> None:
    from carloop.bootstrap.gateway import build_gateway

    gateway = build_gateway(settings)
    try:
        _serve(gateway.app, host=settings.host, port=settings.port, lifespan="off")
    finally:
        gateway.journal.close()


def _serve(app: Any, **where: Any) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
        **where,
    )
    server = uvicorn.Server(config)
    if os.environ.get(WATCH_STDIN):
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    server.run()


def _end_with_stdin(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1024):
        continue
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
