"""Exact look-up of up to 300 million ids: a set for the newest, sorted runs for the rest.

The truth is in the state store (``seen_chunk``); this is a cache of it under ``DIR/dedup``. A
manifest says which runs hold and up to where; what was committed later is read again at start.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from carloop.core.ports.pipeline import PipelineRepository, SeenChunk
from carloop.stores.dedup.runs import Run, open_run, words_of, write_run

IN_MEMORY = 250_000
FAN_IN = 8
LARGEST_RUN = 16_000_000


class _Entry(msgspec.Struct):
    file: str
    day: int
    count: int


class _Manifest(msgspec.Struct):
    seq_to: int = 0
    next_run: int = 1
    runs: list[_Entry] = []


class DiskSeenIds:
    """``core.ports.pipeline.SeenIds`` in a directory. One owner; not thread-safe.

    Args:
        directory: made when absent; may be removed at any time while nobody has it open.
        in_memory: ids held in memory before they become a run.
    """

    def __init__(self, directory: Path, *, in_memory: int = IN_MEMORY) -> None:
        self._directory = directory
        self._in_memory = in_memory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._manifest = self._load()
        self._runs = [open_run(directory / e.file, e.day) for e in self._manifest.runs]
        self._newest: set[bytes] = set()
        self._waiting: list[SeenChunk] = []
        self._sweep()

    def __len__(self) -> int:
        return len(self._newest) + sum(map(len, self._runs))

    def catch_up(self, chunks: PipelineRepository) -> int:
        """Load what was committed and is not indexed; begin anew where the truth is older."""
        if chunks.last_seen() < self._manifest.seq_to:
            self._runs = []
            self._manifest = _Manifest(next_run=self._manifest.next_run)
        self._newest.clear()
        self._waiting.clear()
        loaded = 0
        for chunk in chunks.seen_after(self._manifest.seq_to):
            self.add(chunk)
            loaded += len(chunk.ids) // 16
        return loaded

    def known(self, ids: Sequence[bytes]) -> npt.NDArray[np.bool_]:
        """Which of these ids were seen before."""
        newest = self._newest
        found = np.fromiter((i in newest for i in ids), dtype=np.bool_, count=len(ids))
        if not self._runs or not len(ids):
            return found
        high, low = words_of(b"".join(ids))
        order = np.argsort(high)
        high, low = high[order], low[order]
        on_disk = np.zeros(len(ids), dtype=np.bool_)
        for run in self._runs:
            on_disk |= run.known(high, low)
        found[order] |= on_disk
        return found

    def add(self, chunk: SeenChunk) -> None:
        """Add the ids of a committed chunk; now and then the newest become a run."""
        ids = chunk.ids
        self._newest.update(ids[at : at + 16] for at in range(0, len(ids), 16))
        self._waiting.append(chunk)
        if len(self._newest) >= self._in_memory:
            self._flush()

    def forget(self, before_day: int) -> None:
        """Drop runs that are wholly older."""
        kept = [run for run in self._runs if run.day >= before_day]
        if len(kept) < len(self._runs):
            self._runs = kept
            self._save(self._manifest.seq_to)

    def _flush(self) -> None:
        high, low = words_of(b"".join(chunk.ids for chunk in self._waiting))
        day = max(chunk.day for chunk in self._waiting)
        self._runs.append(write_run(self._next_path(), day, high, low))
        self._merge()
        self._save(self._waiting[-1].seq_to)
        self._newest.clear()
        self._waiting.clear()

    def _merge(self) -> None:
        """Join the last runs of about one size, so that a look-up visits few."""
        while len(tail := self._mergeable()) >= FAN_IN:
            high = np.concatenate([run.high for run in tail])
            low = np.concatenate([run.low for run in tail])
            merged = write_run(self._next_path(), max(run.day for run in tail), high, low)
            self._runs[-len(tail) :] = [merged]

    def _mergeable(self) -> list[Run]:
        newest = len(self._runs[-1])
        tail = [run for run in self._runs[-FAN_IN:] if len(run) < 2 * newest]
        return tail if sum(map(len, tail)) <= LARGEST_RUN else []

    def _next_path(self) -> Path:
        number = self._manifest.next_run
        self._manifest.next_run = number + 1
        return self._directory / f"{number:08d}.run"

    def _load(self) -> _Manifest:
        """The manifest, if it and all its runs are whole; else an empty one."""
        try:
            found = msgspec.json.decode(
                (self._directory / "manifest.json").read_bytes(), type=_Manifest
            )
        except (FileNotFoundError, msgspec.DecodeError):
            return _Manifest()
        for entry in found.runs:
            path = self._directory / entry.file
            if not path.is_file() or path.stat().st_size != 16 * entry.count:
                return _Manifest(next_run=found.next_run)
        return found

    def _save(self, seq_to: int) -> None:
        self._manifest.seq_to = seq_to
        self._manifest.runs = [_Entry(run.path.name, run.day, len(run)) for run in self._runs]
        draft = self._directory / "manifest.tmp"
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self._manifest))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._directory / "manifest.json")
        self._sweep()

    def _sweep(self) -> None:
        """Remove files that no manifest names."""
        named = {entry.file for entry in self._manifest.runs}
        for path in self._directory.glob("*.run"):
            if path.name not in named:
                path.unlink()
