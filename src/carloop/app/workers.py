"""The loader's rhythm: load what is there, and once an hour let go of what is too old."""

from __future__ import annotations

from collections.abc import Callable

from carloop.app.pipeline import Pipeline
from carloop.kit.clock import Clock, to_ms

EXPIRE_EVERY_MS = 3_600_000
REST_AFTER_MS = 10_000
"""Idle for this long, the loader lets go of what it keeps in memory."""


class Loader:
    """The steps of the loader thread, which alone may use the pipeline.

    Args:
        journal_days: how long received bodies are kept.
        give_back: called once when the loader comes to rest: memory goes back to the system.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        clock: Clock,
        journal_days: int,
        give_back: Callable[[], None] = lambda: None,
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._journal_days = journal_days
        self._give_back = give_back
        self._expired_at = 0
        self._busy_at: int | None = None

    def step(self) -> bool:
        """One cycle; True when there may be more to load at once."""
        progress = self._pipeline.run_once()
        now = to_ms(self._clock.now())
        if progress.batches:
            self._busy_at = now
        elif self._busy_at is not None and now - self._busy_at >= REST_AFTER_MS:
            self._busy_at = None
            self._pipeline.rest()
            self._give_back()
        if not progress.batches and now - self._expired_at >= EXPIRE_EVERY_MS:
            self._pipeline.expire(now, self._journal_days)
            self._expired_at = now
        return progress.batches > 0
