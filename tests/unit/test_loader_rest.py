"""After a load the loader lets go of its caches once, and reads of the store obey their limit."""

from __future__ import annotations

import os
from datetime import timedelta

from carloop.app.pipeline import Progress
from carloop.app.workers import REST_AFTER_MS, Loader
from carloop.kit.clock import ManualClock
from carloop.stores.clickhouse import Limits


class Journal:
    """A pipeline that loads what it is told."""

    def __init__(self) -> None:
        self.batches, self.rests = 0, 0

    def run_once(self) -> Progress:
        loaded, self.batches = self.batches, 0
        return Progress(loaded, loaded, loaded, 0, 0, 0, 0.0)

    def rest(self) -> None:
        self.rests += 1

    def expire(self, now_ms: int, journal_days: int) -> None:
        pass


def test_the_loader_rests_once_after_each_load(clock: ManualClock) -> None:
    pipeline, given = Journal(), list[int]()
    loader = Loader(pipeline, clock, 7, lambda: given.append(1))  # type: ignore[arg-type]
    after = timedelta(milliseconds=REST_AFTER_MS)

    def wait(time: timedelta) -> int:
        clock.advance(time)
        loader.step()
        return pipeline.rests

    assert [wait(after), wait(after)] == [0, 0]
    pipeline.batches = 1
    assert loader.step() is True
    assert wait(after - timedelta(milliseconds=1)) == 0
    assert wait(timedelta(milliseconds=1)) == 1
    assert wait(after) == 1
    pipeline.batches = 1
    assert wait(after) == 1
    assert wait(after) == len(given) == 2


def test_a_query_may_use_what_the_setting_says_and_never_more_than_half_of_the_machine() -> None:
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    assert Limits.of_this_machine() == Limits(half, half // 2)
    assert Limits.of_this_machine(64) == Limits(64 * 1024 * 1024, 32 * 1024 * 1024)
    assert Limits.of_this_machine(1 << 40).memory_bytes == half
