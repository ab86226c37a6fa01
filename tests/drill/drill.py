"""The drill itself: load, kills, a daily roll-up read meanwhile, and the final count."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores, open_stores
from carloop.core.scope import Scope
from carloop.sql import Query
from tests.drill.journeys import ENVIRONMENT, Campaign
from tests.drill.load import Client
from tests.drill.server import Server
from tests.support.stores import stores_of

VICTIMS = (("gateway",), ("engine",), ("gateway", "engine"))
RESTART_SECONDS = 10.0
"""The limit of every restart; the load of the machine is printed beside it."""
STORED = r"SELECT message_id FROM events WHERE tenant = 1 AND event NOT LIKE 'message\_%'"
"""All but what carloop itself says of its messages."""
RAW_DAILY = """SELECT event, toString(toDate(occurred_at, 'UTC')) AS d, uniqExact(event_id)
FROM events WHERE tenant = 1 GROUP BY event, d"""
"""Counts ids, which no projection holds: read from the rows themselves."""
PROJECTED_DAILY = """SELECT event, toString(toDate(occurred_at, 'UTC')) AS d, count()
FROM events WHERE tenant = 1 GROUP BY event, toDate(occurred_at, 'UTC')"""

Check = Callable[[Stores], list[str]]
"""A further count at the end, over the stores of the stopped server: what is wrong, in words."""


@dataclass(slots=True)
class Report:
    """What the drill saw; it passed where ``faults`` is empty."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    sent: int = 0
    repeats: int = 0
    stored: int = 0
    torn_rows: int = 0
    rollup_reads: int = 0
    merged: int = 0
    restarts: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    limit: float = RESTART_SECONDS

    @property
    def passed(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        kills = ", ".join(f"{who} {n}" for who, n in sorted(self.kills.items()))
        slowest = max(self.restarts, default=0.0)
        lines = [
            f"seed {self.seed}",
            f"kills {sum(self.kills.values())} ({kills})",
            f"acknowledged {self.acknowledged} of {self.sent} sent, {self.repeats} repeats",
            f"stored {self.stored}, torn rows deleted {self.torn_rows}",
            f"persons merged {self.merged}, roll-up reads {self.rollup_reads}",
            f"restart: slowest {slowest:.2f} s of {len(self.restarts)}, limit {self.limit} s",
            f"load of the machine at the end {_load()}",
            *(f"FAULT: {fault}" for fault in self.faults),
            "passed" if self.passed else "FAILED",
        ]
        return "\n".join(lines)


class Drill:
    """One run in an empty directory.

    Args:
        checks: further counts at the end.
        campaign: sends messages meanwhile, each at most once.
        pause: seconds between a restart and the next kill, (least, most).
        limit: seconds that a restart may take; infinite where others use the machine too.
        tell: is given a line now and then while the drill runs.
    """

    def __init__(
        self,
        directory: Path,
        *,
        kills: int,
        clients: int = 6,
        seed: int | None = None,
        checks: tuple[Check, ...] = (),
        campaign: Campaign | None = None,
        pause: tuple[float, float] = (0.2, 3.0),
        limit: float = RESTART_SECONDS,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._directory = directory
        self._kills = kills
        self._clients = clients
        self._campaign = campaign
        self._checks = (*checks, campaign.check) if campaign else checks
        self._pause = pause
        self._told = tell
        seed = seed if seed is not None else random.SystemRandom().randrange(10**9)
        self._random = random.Random(seed)
        self._report = Report(seed, limit=limit)
        self._began = time.monotonic()

    def run(self) -> Report:
        """Load and kill, then stop the server and count."""
        data = self._directory / "data"
        server = Server(data, ENVIRONMENT if self._campaign else {})
        stop = threading.Event()
        try:
            server.wait_ready()
            key, token = server.key(), server.key("--admin")
            if self._campaign:
                self._campaign.start(server, token)
            clients = [
                Client(n, server.url, key, self._random.randrange(10**9), stop)
                for n in range(self._clients)
            ]
            reader = threading.Thread(target=self._read_rollups, args=(server, token, stop))
            for thread in (*clients, reader):
                thread.start()
            self._kill(server)
            stop.set()
            for thread in (*clients, reader):
                thread.join(60)
            self._tell("waiting until everything is loaded")
            self._drain(server)
            if self._campaign:
                self._campaign.finish(server, token)
        finally:
            stop.set()
            server.stop()
        self._tell("counting")
        self._count(data, clients, server.log)
        return self._report

    def _kill(self, server: Server) -> None:
        for n in range(self._kills):
            time.sleep(self._random.uniform(*self._pause))
            victims = VICTIMS[n % 3] if n < 3 else self._random.choice(VICTIMS)
            if server.kill(victims):
                self._report.kills["+".join(victims)] += 1
            if self._random.random() < 0.3:
                time.sleep(self._random.uniform(0.0, 1.5))
                server.kill(("engine",))
            took = server.wait_ready()
            self._report.restarts.append(took)
            if took > self._report.limit:
                self._report.faults.append(f"restart took {took:.1f} s, load {_load()}")
            self._tell(f"kill {n + 1} of {self._kills}: {'+'.join(victims)}, back in {took:.1f} s")

    def _tell(self, line: str) -> None:
        self._told(f"{time.monotonic() - self._began:6.0f} s  {line}, load {_load()}")

    def _read_rollups(self, server: Server, token: str, stop: threading.Event) -> None:
        """The overview counts by day; it must answer, or say that the engine is away."""
        headers = {"authorization": f"Bearer {token}"}
        with httpx.Client(timeout=10) as http:
            while not stop.wait(0.5):
                try:
                    answer = http.get(f"{server.url}/api/overview", headers=headers)
                except httpx.HTTPError:
                    continue
                if answer.status_code == 200:
                    self._report.rollup_reads += 1
                elif answer.status_code != 503:
                    self._report.faults.append(f"overview {answer.status_code}")
                    return

    def _drain(self, server: Server, seconds: float = 900) -> None:
        """Wait until all that was acknowledged is loaded."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            text = httpx.get(f"{server.url}/metrics", timeout=10).text
            if any(
                line.startswith("carloop_load_lag_batches") and float(line.split()[-1]) == 0
                for line in text.splitlines()
            ):
                return
            time.sleep(0.2)
        self._report.faults.append("the backlog did not drain")

    def _count(self, data: Path, clients: list[Client], log: Path) -> None:
        report = self._report
        acknowledged = set().union(*(c.acknowledged for c in clients))
        sent = set().union(*(c.sent for c in clients))
        report.acknowledged, report.sent = len(acknowledged), len(sent)
        report.repeats = sum(c.repeats for c in clients)
        report.faults += [f"client was told: {w}" for c in clients for w in c.wrong[:3]]
        report.torn_rows = _torn_rows(log)
        with stores_of(data) as places:
            self._count_in(Settings.from_env(places, data=data), acknowledged, sent)

    def _count_in(self, settings: Settings, acknowledged: set[str], sent: set[str]) -> None:
        stores = open_stores(settings)
        try:
            self._compare(stores, acknowledged, sent)
            for check in self._checks:
                self._report.faults += check(stores)
        finally:
            stores.close()

    def _compare(self, stores: Stores, acknowledged: set[str], sent: set[str]) -> None:
        report, scope = self._report, Scope(1)

        def rows(text: str) -> list[tuple[str, ...]]:
            return [tuple(row) for row in stores.event_store.query(Query(text), scope).rows]

        found = Counter(m for (m,) in rows(STORED))
        report.stored = sum(found.values())
        stored = set(found)
        if lost := acknowledged - stored:
            report.faults.append(f"{len(lost)} acknowledged events are not stored")
        if twice := [m for m, n in found.items() if n > 1]:
            report.faults.append(f"{len(twice)} events are stored more than once")
        if strange := stored - sent:
            report.faults.append(f"{len(strange)} stored events were never sent")
        if sorted(rows(RAW_DAILY)) != sorted(rows(PROJECTED_DAILY)):
            report.faults.append("the daily roll-up differs from the events")
        report.merged = int(rows("SELECT count() FROM fragments FINAL WHERE tenant = 1"
                                 " AND person != fragment")[0][0])  # fmt: skip
        with stores.state.read() as tx:
            quarantined = sum(q.count for q in tx.quarantine.summary(1))
        if quarantined:
            report.faults.append(f"{quarantined} events are in quarantine")


def _load() -> str:
    """Runnable processes over the last minute, beside the cores there are for them."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _torn_rows(log: Path) -> int:
    total = 0
    for line in log.read_text(errors="replace").splitlines():
        if '"torn_rows_deleted"' in line:
            total += int(json.loads(line)["rows"])
    return total
