"""Work that goes on in a thread of its own until the engine stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from carloop.kit.errors import CarloopError, Unavailable

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


class Loop:
    """Calls ``step`` again and again; after a failure it waits, longer each time.

    Args:
        name: of the thread, the log lines and the part in ``/readyz``.
        step: one piece of work; True when there may be more at once.
        every_seconds: pause after a step that had nothing more to do.
    """

    def __init__(self, name: str, step: Callable[[], bool], every_seconds: float) -> None:
        self.name = name
        self._step = step
        self._every = every_seconds
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._failed: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 15) -> None:
        """End after the step under way."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def wake(self) -> None:
        """Do not wait for the pause to end."""
        self._wake.set()

    def probe(self) -> None:
        """Raise while the work fails.

        Raises:
            Unavailable: with the code of the last failure.
        """
        if self._failed is not None:
            raise Unavailable(f"{self.name} fails", code=self._failed)

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            self._wake.clear()
            try:
                more = self._step()
            except Exception as error:
                self._failed = error.code if isinstance(error, CarloopError) else "unexpected"
                log.error("work_failed", work=self.name, code=self._failed, **_where(error))
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            self._failed, pause = None, FIRST_PAUSE_SECONDS
            if not more:
                self._wake.wait(self._every)


def _where(error: Exception) -> dict[str, str]:
    """The kind of error and the line it came from, without its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return {"error": type(error).__name__, "at": at}
