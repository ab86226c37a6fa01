"""The journal keeps what it acknowledged, in order, encrypted, and lets go by age alone."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from carloop.core.events import Received
from carloop.kit.errors import Unavailable
from carloop.stores.journal import SqliteJournal
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import MasterKey

DAY = 86_400_000
T0 = 1_763_769_600_000


class DictKeys:
    """Daily keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}

    def key(self, day: str) -> bytes:
        return self.keys.setdefault(day, bytes([len(self.keys) + 1]) * 32)

    def find(self, day: str) -> bytes | None:
        return self.keys.get(day)

    def destroy_before(self, day: str) -> int:
        old = [d for d in self.keys if d < day]
        for d in old:
            del self.keys[d]
        return len(old)


def received(body: bytes, at: int = T0) -> Received:
    return Received(tenant=1, source=2, protocol="own", received_at=at, body=body, hint="h")


@pytest.fixture
def keys() -> DictKeys:
    return DictKeys()


def test_what_was_appended_is_read_back_in_order(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys)
    ids = journal.append([received(b"a"), received(b"b" * 100_000), received(b"")])
    assert ids == sorted(ids)
    assert journal.last_id() == ids[-1]
    assert [(b.id, b.received.body) for b in journal.read(0, 1 << 30)] == list(
        zip(ids, [b"a", b"b" * 100_000, b""], strict=True)
    )
    assert [b.id for b in journal.read(ids[0], 1)] == [ids[1]]
    assert journal.received_at(ids[-1]) is None
    journal.close()


def test_a_second_process_opens_the_same_journal(tmp_path: Path, keys: DictKeys) -> None:
    one = SqliteJournal(tmp_path / "j.db", keys)
    two = SqliteJournal(tmp_path / "j.db", keys)
    bodies = [str(n).encode() for n in range(200)]
    threads = [
        threading.Thread(target=lambda j=j, n=n: [j.append([received(b)]) for b in bodies[n::2]])
        for n, j in enumerate((one, two))
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    read = [b for b in one.read(0, 1 << 30)]
    assert sorted(b.received.body for b in read) == sorted(bodies)
    assert [b.id for b in read] == list(range(1, 201))
    one.close()
    two.close()


def test_bodies_are_unreadable_on_disk(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys)
    journal.append([received(b"canary-13912345678")])
    journal.close()
    assert b"13912345678" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())


def test_expiry_removes_by_age_but_never_beyond_the_cursor(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys)
    ids = journal.append(
        [received(b"x", T0), received(b"y", T0 + DAY), received(b"z", T0 + 2 * DAY)]
    )
    assert journal.expire(T0 + 2 * DAY, through=ids[0]) == 1
    assert set(keys.keys) == {"2025-11-23", "2025-11-24"}
    assert journal.expire(T0 + 2 * DAY, through=ids[2]) == 1
    assert [b.received.body for b in journal.read(0, 1 << 30)] == [b"z"]
    journal.append([received(b"w", T0 + 3 * DAY)])
    assert journal.last_id() == 4
    journal.close()


def test_a_batch_whose_key_is_gone_or_altered_is_left_out(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys)
    journal.append([received(b"x", T0), received(b"y", T0 + DAY), received(b"z", T0 + DAY)])
    journal.close()
    keys.destroy_before("2025-11-23")
    with sqlite3.connect(tmp_path / "j.db") as db:
        db.execute("UPDATE batch SET tenant = 9 WHERE id = 2")
    db.close()
    again = SqliteJournal(tmp_path / "j.db", keys)
    assert [b.received.body for b in again.read(0, 1 << 30)] == [b"z"]
    again.close()


def test_a_full_queue_refuses_and_a_closed_journal_too(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys, queue_bytes=10)
    blocker = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    first = journal.submit(received(b"12345678"))
    with pytest.raises(Unavailable) as full:
        journal.submit(received(b"12345678"))
    assert (full.value.code, full.value.retry_after_seconds) == ("overloaded", 1)
    blocker.execute("COMMIT")
    blocker.close()
    assert first.result() == 1
    assert journal.pending_bytes == 0
    journal.close()
    with pytest.raises(Unavailable):
        journal.submit(received(b"x"))


def test_a_full_disk_acknowledges_nothing_and_recovers(tmp_path: Path, keys: DictKeys) -> None:
    journal = SqliteJournal(tmp_path / "j.db", keys)
    journal.append([received(b"kept")])
    journal.close()
    small = _Bounded(tmp_path / "j.db", keys)
    with pytest.raises(Unavailable) as full:
        small.append([received(os.urandom(200_000))])
    assert full.value.code == "disk_full"
    small.pages = 10_000
    assert small.append([received(b"after")])
    assert [b.received.body for b in small.read(0, 1 << 30)] == [b"kept", b"after"]
    small.close()


class _Bounded(SqliteJournal):
    """SQLite's own page bound stands in for a full disk: the same SQLITE_FULL."""

    pages = 12

    def _connect(self) -> sqlite3.Connection:
        db = super()._connect()
        db.execute(f"PRAGMA max_page_count = {self.pages}")
        return db


def test_a_clock_that_ran_ahead_and_back_loses_nothing_that_is_acknowledged(tmp_path: Path) -> None:
    """The engine lets go of keys by its clock; the gateway, a process of its own, knew them."""
    cipher = VaultCipher(MasterKey(bytes(range(32))))
    gateway = SqliteJournal(tmp_path / "journal.db", DayKeys(tmp_path / "keys", cipher))
    engine = SqliteJournal(tmp_path / "journal.db", DayKeys(tmp_path / "keys", cipher))
    [first] = gateway.append([received(b"before")])
    assert [b.received.body for b in engine.read(0, 1 << 20)] == [b"before"]
    ahead = T0 + 10 * DAY
    assert engine.expire(ahead - 7 * DAY, through=first) == 1
    assert list((tmp_path / "keys").glob("*.key")) == []
    gateway.append([received(b"after")])
    assert [b.received.body for b in engine.read(first, 1 << 20)] == [b"after"]
    restarted = SqliteJournal(tmp_path / "journal.db", DayKeys(tmp_path / "keys", cipher))
    assert [b.received.body for b in restarted.read(first, 1 << 20)] == [b"after"]
    for journal in (gateway, engine, restarted):
        journal.close()
