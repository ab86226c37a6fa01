"""The loader's rhythm: load what is there, and once an hour let go of what is too old."""

from __future__ import annotations

from carloop.app.pipeline import Pipeline
from carloop.kit.clock import Clock, to_ms

EXPIRE_EVERY_MS = 3_600_000


class Loader:
    """The steps of the loader thread, which alone may use the pipeline.

    Args:
        journal_days: how long received bodies are kept.
    """

    def __init__(self, pipeline: Pipeline, clock: Clock, journal_days: int) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._journal_days = journal_days
        self._expired_at = 0

    def step(self) -> bool:
        """One cycle; True when there may be more to load at once."""
        progress = self._pipeline.run_once()
        now = to_ms(self._clock.now())
        if not progress.batches and now - self._expired_at >= EXPIRE_EVERY_MS:
            self._pipeline.expire(now, self._journal_days)
            self._expired_at = now
        return progress.batches > 0
