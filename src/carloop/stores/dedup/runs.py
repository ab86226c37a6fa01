"""Sorted runs of 16-byte ids: two columns of 64-bit words in one file, memory-mapped."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Run:
    """A sorted run.

    Attributes:
        high: first halves of the ids, ascending.
        low: second halves, in the order of ``high``.
        day: newest day (since the epoch) of any id in it.
    """

    path: Path
    day: int
    high: Words
    low: Words

    def __len__(self) -> int:
        return len(self.high)

    def known(self, high: Words, low: Words) -> npt.NDArray[np.bool_]:
        """Which of the ids are here; ``high`` must ascend, which keeps the look-ups local."""
        found = np.zeros(len(high), dtype=np.bool_)
        at = np.searchsorted(self.high, high)
        open_ = np.flatnonzero(at < len(self.high))
        open_ = open_[self.high[at[open_]] == high[open_]]
        while len(open_):
            here = self.low[at[open_]] == low[open_]
            found[open_[here]] = True
            open_ = open_[~here]
            at[open_] += 1
            open_ = open_[at[open_] < len(self.high)]
            open_ = open_[self.high[at[open_]] == high[open_]]
        return found


def words_of(ids: bytes) -> tuple[Words, Words]:
    """Both halves of concatenated 16-byte ids."""
    pairs = np.frombuffer(ids, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return pairs[:, 0], pairs[:, 1]


def write_run(path: Path, day: int, high: Words, low: Words) -> Run:
    """Sort and store; durable when it returns."""
    order = np.argsort(high, kind="stable")
    with path.open("wb") as file:
        high[order].tofile(file)
        low[order].tofile(file)
        file.flush()
        os.fsync(file.fileno())
    return open_run(path, day)


def open_run(path: Path, day: int) -> Run:
    """A stored run."""
    words = np.memmap(path, dtype=np.uint64, mode="r")
    half = len(words) // 2
    return Run(path, day, words[:half], words[half:])
