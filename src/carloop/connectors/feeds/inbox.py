"""Messages that a driver's own thread takes in, handed over to whoever reads the feed."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

from carloop.kit.errors import CarloopError

T = TypeVar("T")


class Inbox(Generic[T]):
    """A bounded queue that can also tell that no more will come.

    Args:
        most: messages that wait; the driver's thread pauses beyond, and with it the broker.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[T] = deque()
        self._error: CarloopError | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, message: T) -> None:
        """Add a message; waits for room. After :meth:`close` it is left out."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < self._most or self._closed)
            if not self._closed:
                self._waiting.append(message)
                self._changed.notify_all()

    def fail(self, error: CarloopError) -> None:
        """No more will come, and why; the first reason counts."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def take(self, most: int, seconds: float, quiet: float = 0.02) -> list[T]:
        """What is there, and what follows within ``quiet`` seconds of silence.

        Raises:
            CarloopError: given to :meth:`fail`, as soon as it is known: what came before may be
                handed out again by the broker.
        """
        ends = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting or self._error), seconds)
            held = 0
            while held < len(self._waiting) < most and not self._error:
                held = len(self._waiting)
                self._changed.wait(min(quiet, max(ends - time.monotonic(), 0)))
            if self._error is not None:
                raise self._error
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Nobody takes any more; a waiting driver goes on."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
