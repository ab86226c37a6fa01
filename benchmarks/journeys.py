"""Speed of journeys against its limits: entry, steps, outbox, an idle poll, bytes a waiting row.

python benchmarks/journeys.py [--people N] [--store sqlite|postgres|both]

PostgreSQL: ``CARLOOP_TEST_POSTGRES_URL``, or the local one of the tests; each run has a schema of
its own. The load average stands beside each figure: other work on the machine slows it.
"""

from __future__ import annotations

import argparse
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from carloop.app.journeys import Graphs, JourneyEntries, JourneyWorker
from carloop.core.message import SendState
from carloop.core.ports.channels import StoredChannel
from carloop.core.ports.journeys import Journey
from carloop.core.ports.sends import Settled
from carloop.core.ports.tenants import Tenant
from carloop.kit.clock import to_ms
from carloop.stores.state.store import SqlState

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = to_ms(NOW)
DAY = timedelta(days=1)
BATCH = 2_000
POLLS = 1_000
UPDATES = 10
POSTGRES = os.environ.get("CARLOOP_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")
TEMPLATE = '"channel": "c", "template": {"zh": {"text": "hi"}}'
SPLIT = f"""{{"entry": "start", "goal": "bench", "period": {{"from": "2026-01-01T00:00:00Z"}},
"nodes": [{{"id": "start", "kind": "entry_segment", "segment": "s"}},
{{"id": "split", "kind": "split", "percent": 50}},
{{"id": "one", "kind": "send", {TEMPLATE}}}, {{"id": "two", "kind": "send", {TEMPLATE}}},
{{"id": "wait", "kind": "wait", "days": 1}},
{{"id": "fork", "kind": "split", "percent": 50}},
{{"id": "more", "kind": "send", {TEMPLATE}}}, {{"id": "last", "kind": "send", {TEMPLATE}}},
{{"id": "rest", "kind": "wait", "days": 1}}, {{"id": "end", "kind": "exit"}}],
"edges": [{{"from": "start", "to": "split"}}, {{"from": "split", "port": "a", "to": "one"}},
{{"from": "split", "port": "b", "to": "two"}}, {{"from": "one", "to": "wait"}},
{{"from": "two", "to": "wait"}}, {{"from": "wait", "to": "fork"}},
{{"from": "fork", "port": "a", "to": "more"}}, {{"from": "fork", "port": "b", "to": "last"}},
{{"from": "more", "to": "rest"}}, {{"from": "last", "to": "rest"}},
{{"from": "rest", "to": "end"}}]}}"""
LOOP = """{"entry": "start", "goal": "bench", "period": {"from": "2026-01-01T00:00:00Z"},
"nodes": [{"id": "start", "kind": "entry_segment", "segment": "s"},
{"id": "wait", "kind": "wait", "days": 1}],
"edges": [{"from": "start", "to": "wait"}, {"from": "wait", "to": "wait"}]}"""


@dataclass(frozen=True)
class Limits:
    entry_seconds: float
    steps_per_second: float
    bytes_fresh: float
    bytes_updated: float
    outbox_per_second: float = 40_000
    poll_ms: float = 5


LIMITS = {"sqlite": Limits(10, 50_000, 100, 100), "postgres": Limits(30, 30_000, 250, 400)}


@dataclass(frozen=True)
class Change:
    entered: range
    segment: int
    tenant: int = 1
    as_of: int = AT
    entered_by_history: tuple[int, ...] = ()


class NoRules:
    """These journeys ask nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


@contextmanager
def sqlite() -> Iterator[SqlState]:
    with tempfile.TemporaryDirectory() as folder:
        state = SqlState(f"sqlite:///{folder}/state.db")
        state.migrate()
        yield state
        state.close()


@contextmanager
def postgres() -> Iterator[SqlState]:
    name = f"carloop_bench_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {name}")
        state = SqlState(f"{POSTGRES}?options=-csearch_path%3D{name}")
        state.migrate()
        try:
            yield state
        finally:
            state.close()
            server.execute(f"DROP SCHEMA {name} CASCADE")


def size(state: SqlState) -> int:
    """Bytes of everybody under way, indexes included."""
    with state.writer.begin() as db:
        if db.dialect.name == "postgresql":
            return int(db.scalar(text("SELECT pg_total_relation_size('enrol')")) or 0)
        pages = "SELECT (SELECT * FROM pragma_page_count) - (SELECT * FROM pragma_freelist_count)"
        return int(db.scalar(text(pages)) or 0) * 4096


class Bench:
    """One store under measurement."""

    def __init__(self, store: str, state: SqlState, people: int) -> None:
        self.store = store
        self.limits = LIMITS[store]
        self.state = state
        self.people = people
        graphs = Graphs()
        self.entries = JourneyEntries(graphs)
        self.worker = JourneyWorker(state, NoRules(), graphs)
        self.failed = False
        with state.write() as tx:
            tx.tenants.save(Tenant(1, "bench"))
            self.channel = tx.channels.add(
                StoredChannel(
                    tenant=1, uuid="c", kind="webhook", name="c", policy="{}", key=b"",
                    settings_enc=b"", created_by="", created_at=0, updated_at=0,
                )
            ).id  # fmt: skip

    def journey(self, uuid: str, graph: str, segment: int) -> None:
        made = Journey(
            tenant=1, uuid=uuid, name=uuid, draft=graph, created_by="", created_at=0,
            updated_at=0, segment=segment,
        )  # fmt: skip
        with self.state.write() as tx:
            tx.journeys.publish(tx.journeys.add(made), graph, AT, "")

    def enter(self, segment: int) -> None:
        with self.state.write() as tx:
            self.entries.changed(tx, Change(range(1, self.people + 1), segment))
        self.step(NOW)

    def step(self, now: datetime) -> None:
        while self.worker.run_once(now).moved:
            pass

    def update(self, times: int) -> None:
        for n in range(1, times + 1):
            self.step(NOW + n * DAY)
            self.vacuum()

    def vacuum(self) -> None:
        """A day lies between two waits: what PostgreSQL does by itself meanwhile."""
        if self.store == "postgres":
            with psycopg.connect(self.state.url, autocommit=True) as server:
                server.execute("VACUUM enrol")

    def acknowledge(self) -> None:
        while True:
            with self.state.write() as tx:
                claimed = tx.sends.claim(self.channel, AT, AT + 60_000, BATCH)
                tx.sends.attempt(claimed, AT, AT + 60_000)
            if not claimed:
                return
            with self.state.write() as tx:
                tx.sends.settle([Settled(s.key, s.fence, SendState.SENT) for s in claimed], AT)

    def poll(self) -> float:
        """p99 of an idle poll in ms: steps and sends."""
        took = []
        for _ in range(POLLS):
            began = time.perf_counter()
            assert not self.worker.run_once(NOW).moved
            with self.state.read() as tx:
                assert not tx.sends.waiting(AT)
            took.append((time.perf_counter() - began) * 1000)
        return sorted(took)[POLLS * 99 // 100]

    def say(self, what: str, figure: float, unit: str, limit: float, *, most: bool) -> None:
        held = figure <= limit if most else figure >= limit
        self.failed |= not held
        load = os.getloadavg()[0]
        sign, verdict = ("<=" if most else ">="), ("ok" if held else "MISSED")
        print(
            f"{self.store:>8}  {what:<34} {figure:>11,.1f} {unit:<6} {sign} {limit:>9,.0f}"
            f"  {verdict:<6} load {load:.1f}",
            flush=True,
        )

    def run(self) -> None:
        scale = self.people / 1_000_000
        limits = self.limits
        self.journey("loop", LOOP, 8)
        before = size(self.state)
        self.enter(8)
        fresh = (size(self.state) - before) / self.people
        self.say("bytes a waiting row, fresh", fresh, "B", limits.bytes_fresh, most=True)
        self.say("idle poll p99", self.poll(), "ms", limits.poll_ms, most=True)
        took = timed(lambda: self.update(UPDATES))
        rate = UPDATES * self.people / took
        self.say("steps, wait to wait", rate, "/s", limits.steps_per_second, most=False)
        worn = (size(self.state) - before) / self.people
        what = f"bytes a waiting row, {UPDATES} updates"
        self.say(what, worn, "B", limits.bytes_updated, most=True)
        with self.state.write() as tx:
            tx.journeys.stop_all(1, AT)
        self.journey("split", SPLIT, 9)
        took = timed(lambda: self.enter(9))
        what = "entry + split + send + wait"
        self.say(what, took, "s", limits.entry_seconds * scale, most=True)
        rate = self.people / timed(self.acknowledge)
        self.say("outbox, claim + ack", rate, "/s", limits.outbox_per_second, most=False)
        rate = self.people / timed(lambda: self.step(NOW + DAY))
        self.say("steps, split + send + wait", rate, "/s", limits.steps_per_second, most=False)
        rate = self.people / timed(lambda: self.step(NOW + 2 * DAY))
        self.say("steps, exit", rate, "/s", limits.steps_per_second, most=False)
        with self.state.read() as tx:
            sends = {state: n for (state, _), n in tx.sends.counts(1).items()}
        assert sends == {"sent": self.people, "new": self.people}, sends


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--store", choices=("sqlite", "postgres", "both"), default="both")
    asked = parser.parse_args()
    failed = False
    for name, opened in (("sqlite", sqlite), ("postgres", postgres)):
        if asked.store in (name, "both"):
            with opened() as state:
                bench = Bench(name, state, asked.people)
                bench.run()
                failed |= bench.failed
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
