"""Delivery: what is taken waits in a buffer, and a thread of its own brings it to the server."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from carloop_client.buffers import Buffer, Waiting
from carloop_client.errors import (
    Closed,
    KeyRefused,
    NotDelivered,
    QueueFull,
    Rejected,
    SpoolFailed,
)
from carloop_client.wire import Answer, Wire, wait_seconds

log = logging.getLogger("carloop_client")

BATCH_BYTES = 1_000_000
"""Well below the 4 MB that the server takes."""
LOOK_AGAIN_S = 0.5
"""How often to look whether another process left the spool to us."""

_open: weakref.WeakSet[Delivery] = weakref.WeakSet()


@dataclass(frozen=True)
class Pace:
    """How much at once and how long; as the arguments of ``Client``."""

    batch_size: int
    flush_after: float
    queue_size: int
    block: float
    exit_timeout: float


class Delivery:
    """Takes encoded events and delivers them. Safe to share between threads, and over ``fork``."""

    def __init__(
        self,
        wire: Wire,
        buffer: Buffer,
        pace: Pace,
        on_rejected: Callable[[Rejected], None] | None,
    ) -> None:
        self._wire = wire
        self._buffer = buffer
        self._pace = pace
        self._on_rejected = on_rejected
        self._closed = False
        self._fresh()
        _open.add(self)
        atexit.register(_at_exit, weakref.ref(self))
        if len(self._buffer):
            self._start()  # What the last process left.

    def _fresh(self) -> None:
        """State of this process alone."""
        self._change = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._hurry = False
        self._stopping = False
        self._failures = 0
        self._not_before = 0.0
        self._refused: str | None = None
        self._trouble = ""

    def take(self, events: Sequence[bytes]) -> None:
        """Take all of these or none.

        Raises:
            QueueFull: too many wait.
            SpoolFailed: the spool cannot be written.
            Closed: it was closed.
        """
        until = time.monotonic() + self._pace.block
        with self._change:
            while True:
                if self._closed:
                    raise Closed("the client was closed")
                try:
                    if self._buffer.add(events, self._pace.queue_size):
                        break
                except sqlite3.Error as error:
                    raise SpoolFailed(str(error)) from error
                left = until - time.monotonic()
                if left <= 0:
                    raise QueueFull(f"{self._pace.queue_size} events wait already")
                self._start()
                self._change.wait(min(left, LOOK_AGAIN_S))
            self._start()
            self._change.notify_all()

    def pending(self) -> int:
        """How many events wait."""
        with self._change:
            return 0 if self._closed else len(self._buffer)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until nothing waits: all that was taken has been acknowledged.

        Raises:
            KeyRefused: the server refuses the key.
            NotDelivered: ``timeout`` seconds were not enough.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._change:
            if self._refused is not None:
                self._not_before, self._refused = 0.0, None
            self._hurry = True
            self._start()
            self._change.notify_all()
            while not self._closed and (waiting := len(self._buffer)):
                if self._refused is not None:
                    raise KeyRefused(self._refused)
                left = LOOK_AGAIN_S if until is None else until - time.monotonic()
                if left <= 0:
                    raise NotDelivered(waiting, self._trouble)
                self._change.wait(min(left, LOOK_AGAIN_S))

    def close(self, timeout: float = 10.0) -> None:
        """Deliver what waits, then stop. A second call does nothing.

        Raises:
            NotDelivered: events in memory could not be delivered in time and are lost; those in a
                spool stay there and nothing is raised.
        """
        with self._change:
            if self._closed:
                return
        try:
            self.flush(timeout)
        except (KeyRefused, NotDelivered) as error:
            self._trouble = str(error)
        with self._change:
            left = len(self._buffer)
            self._closed = self._stopping = True
            self._change.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(1.0, timeout))
        with self._change:
            if thread is None or not thread.is_alive():
                self._buffer.close()
        if left and not self._buffer.durable:
            log.error("%d events were not delivered and are lost", left)
            raise NotDelivered(left, self._trouble)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="carloop-client", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                if not self._once():
                    return
            except Exception:
                log.exception("sending failed; it is tried again")
                time.sleep(LOOK_AGAIN_S)

    def _once(self) -> bool:
        """Wait for a batch and send it; False where the client stops."""
        with self._change:
            batch = self._next_batch()
            if self._stopping:
                return False
        if batch:
            self._deliver(batch)
        with self._change:
            self._change.notify_all()
        return True

    def _next_batch(self) -> list[Waiting]:
        """The next batch, once it is full or has waited long enough and may be sent."""
        waited_since: float | None = None
        while not self._stopping:
            now = time.monotonic()
            waiting = len(self._buffer)
            if not waiting:
                self._hurry = False
                waited_since = None
                self._change.wait()
                continue
            waited_since = now if waited_since is None else waited_since
            due = waited_since + self._pace.flush_after
            if waiting >= self._pace.batch_size or self._hurry:
                due = now
            due = max(due, self._not_before)
            if now < due:
                self._change.wait(due - now)
            elif self._buffer.sends():
                return self._buffer.first(self._pace.batch_size, BATCH_BYTES)
            else:
                self._change.wait(LOOK_AGAIN_S)  # Another process sends what is in the spool.
        return []

    def _deliver(self, batch: list[Waiting]) -> bool:
        """Send a batch; whether its events are settled, one way or the other."""
        answer = self._wire.post([event for _, event in batch])
        if answer.taken:
            self._settled(batch)
            self._report(batch, answer)
            return True
        if not answer.batch_refused:
            self._put_off(answer)
            return False
        if len(batch) == 1:
            self._settled(batch)
            self._reject(batch[0][1], answer.code, str(answer.body.get("path", "")))
            return True
        # One event spoils the batch: find it, so that its neighbours arrive.
        middle = len(batch) // 2
        return self._deliver(batch[:middle]) and self._deliver(batch[middle:])

    def _settled(self, batch: list[Waiting]) -> None:
        with self._change:
            self._failures = 0
            self._refused = None
            self._trouble = ""
            self._buffer.remove([number for number, _ in batch])
            self._change.notify_all()

    def _put_off(self, answer: Answer) -> None:
        with self._change:
            self._failures += 1
            wait = wait_seconds(self._failures, answer.retry_after, time.time())
            self._not_before = time.monotonic() + wait
            self._trouble = answer.code
            self._refused = answer.code if answer.key_refused else None
            self._change.notify_all()
        level = logging.ERROR if answer.key_refused else logging.WARNING
        log.log(level, "not delivered: %s; again in %.1f s", self._trouble, wait)

    def _report(self, batch: list[Waiting], answer: Answer) -> None:
        rejected = answer.body.get("rejected")
        for bad in rejected if isinstance(rejected, list) else []:
            index = bad.get("index") if isinstance(bad, dict) else None
            if isinstance(index, int) and 0 <= index < len(batch):
                self._reject(batch[index][1], str(bad.get("code")), str(bad.get("path", "")))

    def _reject(self, event: bytes, code: str, path: str) -> None:
        if self._on_rejected is None:
            log.error("event rejected: %s %s", code, path)
            return
        try:
            self._on_rejected(Rejected(json.loads(event), code, path))
        except Exception:
            log.exception("on_rejected failed")

    def _before_fork(self) -> None:
        self._change.acquire()
        self._buffer.close()

    def _in_parent(self) -> None:
        self._change.release()

    def _in_child(self) -> None:
        """No thread, lock or file of the parent, which goes on to send what waits in memory."""
        self._fresh()
        self._buffer.forked()


def _at_exit(delivery: weakref.ref[Delivery]) -> None:
    open_one = delivery()
    if open_one is not None:
        try:
            open_one.close(open_one._pace.exit_timeout)
        except NotDelivered as error:
            log.error("at exit: %s", error)


_forking: list[Delivery] = []


def _before_fork() -> None:
    _forking[:] = list(_open)
    for delivery in _forking:
        delivery._before_fork()


def _in_parent() -> None:
    for delivery in _forking:
        delivery._in_parent()
    _forking.clear()


def _in_child() -> None:
    for delivery in _forking:
        delivery._in_child()
    _forking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
