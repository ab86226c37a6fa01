"""The dearest event: three identifiers nobody has seen. CPU time of the loader for each of them.

Printed beside the CPU time of inserting one such identifier's row into a bare SQLite table with the
same indexes, measured in the same run: a slow or busy machine shows in both.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from pathlib import Path

import msgspec

from carloop.app.pipeline import Pipeline
from carloop.bootstrap.memory import collect_seldom
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import open_stores
from carloop.connectors import PROTOCOLS
from carloop.core.events import Received

BATCH = 100


def body(start: int, now: int) -> Received:
    """A hundred visitors who sign up at once with phone, openid and cookie."""
    events = [
        {
            "message_id": f"new-{n:012d}",
            "event": "page_viewed",
            "occurred_at": now - 1000 - n % 1000,
            "identifiers": {
                "mobile": f"139{n * 7919 % 10**8:08d}",
                "openid": {"namespace": "wx12", "value": f"oABCDEFGHIJKLMNOPQR{n:09d}"},
                "anonymous_id": f"cookie-{n:020d}",
            },
            "properties": {"series": "C5", "channel": "app", "os": "ios", "page": n % 500},
        }
        for n in range(start, start + BATCH)
    ]
    return Received(
        tenant=1, source=1, protocol="own", received_at=now, body=msgspec.json.encode(events)
    )


def loader(directory: Path, events: int) -> float:
    """CPU seconds of all threads for each event."""
    now = int(time.time() * 1000)
    stores = open_stores(Settings.from_env({}, data=directory))
    try:
        pipeline = Pipeline(
            journal=stores.journal,
            state=stores.state,
            event_store=stores.event_store,
            seen=stores.seen,
            catalogue=load_catalogue(),
            cipher=stores.cipher,
            keys=stores.day_keys,
            protocols=PROTOCOLS,
        )
        collect_seldom()
        stores.journal.append([body(n, now) for n in range(50_000_000, 50_005_000, BATCH)])
        while pipeline.run_once().batches:
            continue
        stores.journal.append([body(n, now) for n in range(0, events, BATCH)])
        started, stored = time.process_time(), 0
        while (progress := pipeline.run_once()).batches:
            stored += progress.stored
        return (time.process_time() - started) / stored
    finally:
        stores.close()


def bare_row(directory: Path, rows: int = 60_000) -> float:
    """CPU seconds for each row of a table as wide and as indexed as ``identifier``."""
    db = sqlite3.connect(directory / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA cache_size = -65536")
    db.execute("CREATE TABLE t (a, n, k, u, p, v, s, PRIMARY KEY (a, n))")
    for columns in ("a, k", "a, u"):
        db.execute(f"CREATE UNIQUE INDEX i{columns[-1]} ON t ({columns})")
    db.execute("CREATE INDEX ip ON t (a, p)")
    values = [(1, n, os.urandom(16), os.urandom(16), n, None, b"s" * 40) for n in range(rows)]
    started = time.process_time()
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    db.execute("COMMIT")
    taken = time.process_time() - started
    db.close()
    return taken / rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as name:
        directory = Path(name)
        ours, bare = loader(directory / "data", given.events), bare_row(directory)
    print(
        f"event with 3 new identifiers {ours * 1e6:.0f} us of CPU (target 60);"
        f" {ours / bare / 3:.1f} x three bare rows ({bare * 1e6:.1f} us each);"
        f" load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
