"""Waiting in tests: patiently, for what must happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 300.0
"""How long a test waits for something that must happen; long, because a slow machine is no failure.

What must *not* happen, or within a promised time, has a limit of its own where it is tested.
"""
BROWSER_MS = 60_000
"""The same for one step in Chromium, in which many follow one another."""


def until(
    asked: Callable[[], T | Literal[False] | None],
    what: str | Callable[[], object] = "it did not happen in time",
    *,
    seconds: float = PATIENCE_SECONDS,
    every: float = 0.1,
    despite: type[Exception] | tuple[type[Exception], ...] = (),
) -> T:
    """Ask again and again; the first answer that is true.

    Args:
        asked: what must become true.
        what: the failure, in words; called only when there is one, to tell what was last seen.
        seconds: for how long; it is asked at least once.
        every: seconds between two questions.
        despite: exceptions that mean *not yet*.

    Raises:
        AssertionError: it did not happen; from the last of those exceptions, if one came last.
    """
    ends = time.monotonic() + seconds
    while True:
        trouble: Exception | None = None
        try:
            if answer := asked():
                return answer
        except despite as error:
            trouble = error
        if time.monotonic() >= ends:
            raise AssertionError(what() if callable(what) else what) from trouble
        time.sleep(every)
