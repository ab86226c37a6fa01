"""Throughput of journeys on SQLite, beside the same rows through bare ``sqlite3`` in this very run.

python benchmarks/journeys.py [PEOPLE]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from carloop.app.journeys import Graphs, JourneyEntries, JourneyWorker
from carloop.core.message import SendState
from carloop.core.ports.channels import StoredChannel
from carloop.core.ports.journeys import Journey
from carloop.core.ports.sends import Settled
from carloop.core.ports.tenants import Tenant
from carloop.kit.clock import to_ms
from carloop.stores.state.store import SqlState
from carloop.stores.state.tables import consents, identity, journeys, setting, tenant
from carloop.stores.state.tables.base import metadata

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = to_ms(NOW)
BATCH = 2000
GRAPH = """{"entry": "start", "goal": "bench", "period": {"from": "2026-01-01T00:00:00Z"},
"nodes": [{"id": "start", "kind": "entry_segment", "segment": "s"},
{"id": "hello", "kind": "send", "channel": "c", "template": {"zh": {"text": "hi"}}},
{"id": "end", "kind": "exit"}],
"edges": [{"from": "start", "to": "hello"}, {"from": "hello", "to": "end"}]}"""
TABLES = (consents, identity, journeys, setting, tenant)


@dataclass(frozen=True)
class Change:
    entered: range
    tenant: int = 1
    segment: int = 9
    as_of: int = AT
    entered_by_history: tuple[int, ...] = ()


class NoRules:
    """This journey asks nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ours(folder: Path, people: int) -> dict[str, float]:
    state = SqlState(f"sqlite:///{folder / 'state.db'}")
    metadata.create_all(state.writer)
    graphs = Graphs()
    entries = JourneyEntries(graphs)
    worker = JourneyWorker(state, NoRules(), graphs)
    with state.write() as tx:
        tx.tenants.save(Tenant(1, "bench"))
        channel = tx.channels.add(
            StoredChannel(
                tenant=1, uuid="c", kind="webhook", name="c", policy="{}", key=b"",
                settings_enc=b"", created_by="", created_at=0, updated_at=0,
            )
        )  # fmt: skip
        made = Journey(
            tenant=1, uuid="j", name="j", draft=GRAPH, created_by="", created_at=0,
            updated_at=0, segment=9,
        )  # fmt: skip
        tx.journeys.publish(tx.journeys.add(made), GRAPH, AT, "")

    def enter() -> None:
        with state.write() as tx:
            entries.changed(tx, Change(range(1, people + 1)))

    def step() -> None:
        while worker.run_once(NOW).moved:
            pass

    def acknowledge() -> None:
        while True:
            with state.write() as tx:
                claimed = tx.sends.claim(channel.id, AT, AT + 60_000, BATCH)
                tx.sends.attempt(claimed, AT, AT + 60_000)
            if not claimed:
                return
            with state.write() as tx:
                tx.sends.settle([Settled(s.key, s.fence, SendState.SENT) for s in claimed], AT)

    took = {"entry": timed(enter), "step": timed(step), "claim+ack": timed(acknowledge)}
    with state.read() as tx:
        assert tx.sends.counts(1) == {("sent", ""): people}
    state.close()
    return took


def bare(folder: Path, people: int) -> dict[str, float]:
    """The same rows and transactions with nothing around them."""
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE enrol (id INTEGER PRIMARY KEY, person, ekey, node, seq, due, ended)")
    db.execute("CREATE UNIQUE INDEX u ON enrol (person, ekey)")
    db.execute("CREATE INDEX d ON enrol (due) WHERE due IS NOT NULL")
    db.execute(
        "CREATE TABLE outbox (enrol, node, visit, state, fence, lease,"
        " PRIMARY KEY (enrol, node, visit))"
    )
    db.execute("CREATE INDEX s ON outbox (state)")

    def enter() -> None:
        db.execute("BEGIN IMMEDIATE")
        rows = ((p,) for p in range(1, people + 1))
        db.executemany("INSERT INTO enrol VALUES (NULL, ?, '', 'start', 0, 0, '')", rows)
        db.execute("COMMIT")

    def step() -> None:
        while rows := db.execute("SELECT id FROM enrol WHERE due <= 0 LIMIT 5000").fetchall():
            db.execute("BEGIN IMMEDIATE")
            db.executemany("UPDATE enrol SET due = NULL, node = 'end', seq = 3 WHERE id = ?", rows)
            db.executemany("INSERT INTO outbox VALUES (?, 'hello', 1, 'new', 0, NULL)", rows)
            db.execute("COMMIT")

    def acknowledge() -> None:
        pick = f"SELECT enrol, node, visit FROM outbox WHERE state = 'new' LIMIT {BATCH}"
        here = "WHERE enrol = ? AND node = ? AND visit = ?"
        while keys := db.execute(pick).fetchall():
            for values in ("state = 'attempting', fence = fence + 1, lease = 1", "state = 'sent'"):
                db.execute("BEGIN IMMEDIATE")
                db.executemany(f"UPDATE outbox SET {values} {here}", keys)
                db.execute("COMMIT")

    took = {"entry": timed(enter), "step": timed(step), "claim+ack": timed(acknowledge)}
    db.close()
    return took


def main(people: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mine, limit = ours(Path(folder), people), bare(Path(folder), people)
    print(f"{people} people; per second")
    for name in mine:
        us, them = people / mine[name], people / limit[name]
        print(f"{name:>10}  carloop {us:>9,.0f}  bare sqlite {them:>9,.0f}  ratio {us / them:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
