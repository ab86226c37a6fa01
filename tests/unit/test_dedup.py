"""The seen-ids index answers exactly as a plain set, before and after crashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from carloop.core.ports.pipeline import SeenChunk
from carloop.stores.dedup import DiskSeenIds
from carloop.stores.dedup.runs import words_of, write_run


class Chunks:
    """The truth, as the state store keeps it."""

    def __init__(self) -> None:
        self.rows: list[SeenChunk] = []

    def cursor(self, name: str) -> int:
        return 0

    def move_cursor(self, name: str, value: int) -> None: ...

    def add_seen(self, chunk: SeenChunk) -> None:
        self.rows.append(chunk)

    def seen_after(self, seq: int) -> Iterator[SeenChunk]:
        return (c for c in self.rows if c.seq_to > seq)

    def last_seen(self) -> int:
        return max((c.seq_to for c in self.rows), default=0)

    def forget_seen(self, before_day: int) -> int:
        return 0


def an_id(n: int) -> bytes:
    return hashlib.blake2b(str(n).encode(), digest_size=16).digest()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=40, unique=True), max_size=30),
    st.sets(st.integers(0, 29)),
)
def test_it_equals_a_plain_set_through_reopenings(
    tmp_path_factory: object, batches: list[list[int]], reopen_at: set[int]
) -> None:
    directory = tmp_path_factory.mktemp("dedup")  # type: ignore[attr-defined]
    truth: set[bytes] = set()
    chunks = Chunks()
    index = DiskSeenIds(directory, in_memory=16)
    for n, batch in enumerate(batches):
        if n in reopen_at:
            index = DiskSeenIds(directory, in_memory=16)
            index.catch_up(chunks)
        ids = [an_id(i) for i in batch]
        assert index.known(ids).tolist() == [i in truth for i in ids]
        fresh = [i for i in ids if i not in truth]
        truth.update(fresh)
        chunk = SeenChunk(n + 1, 20_000, b"".join(fresh))
        chunks.add_seen(chunk)
        index.add(chunk)
    everything = [an_id(i) for i in range(301)]
    assert index.known(everything).tolist() == [i in truth for i in everything]


def test_ids_that_share_their_first_half_are_told_apart(tmp_path: Path) -> None:
    ids = [b"AAAAAAAA" + n.to_bytes(8, "big") for n in (5, 1, 9)] + [b"\xff" * 16, b"\0" * 16]
    run = write_run(tmp_path / "1.run", 1, *words_of(b"".join(ids)))
    asked = sorted([*ids, *(b"AAAAAAAA" + n.to_bytes(8, "big") for n in (0, 4, 10))])
    assert run.known(*words_of(b"".join(asked))).tolist() == [i in ids for i in asked]


def test_a_lost_or_older_truth_or_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    chunks = Chunks()
    index = DiskSeenIds(tmp_path, in_memory=4)
    for n in range(10):
        chunk = SeenChunk(n + 1, 20_000, an_id(2 * n) + an_id(2 * n + 1))
        chunks.add_seen(chunk)
        index.add(chunk)
    assert len(list(tmp_path.glob("*.run"))) > 1
    next(tmp_path.glob("*.run")).write_bytes(b"torn")
    (tmp_path / "99999999.run").write_bytes(b"left behind")
    again = DiskSeenIds(tmp_path, in_memory=4)
    assert again.catch_up(chunks) == 20
    assert again.known([an_id(n) for n in range(22)]).tolist() == [True] * 20 + [False] * 2
    del chunks.rows[4:]
    older = DiskSeenIds(tmp_path, in_memory=4)
    older.catch_up(chunks)
    assert older.known([an_id(n) for n in range(20)]).tolist() == [True] * 8 + [False] * 12


def test_days_are_forgotten_and_runs_stay_few(tmp_path: Path) -> None:
    index = DiskSeenIds(tmp_path, in_memory=10)
    for n in range(100):
        index.add(SeenChunk(n + 1, n // 64, b"".join(an_id(10 * n + i) for i in range(10))))
    assert len(list(tmp_path.glob("*.run"))) <= 16
    index.forget(1)
    old, new = [an_id(n) for n in range(640)], [an_id(n) for n in range(640, 1000)]
    assert not index.known(old).any()
    assert np.all(index.known(new))
