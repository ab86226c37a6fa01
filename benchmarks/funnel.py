"""Exact funnel beside ClickHouse's windowFunnel on the same table with the same aliases.

python benchmarks/funnel.py --events 5000000
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from pydantic import TypeAdapter
from table import EVENTS, TENANT, Table, opened

from carloop.core.scope import Scope
from carloop.engines.analytics import Funnel
from carloop.engines.analytics.funnel import Params
from carloop.rules.compiler import Context
from carloop.rules.history import UTC_ZONE
from carloop.sql import Query
from carloop.sql.scope import person

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STEPS = EVENTS[:4]
ROUNDS = 9
WINDOW_MS = 7 * 86_400_000


def main() -> None:
    with opened() as table:
        exact, peer = compare(table)
        print(f"events {table.events:,}  persons {table.persons:,}  1 % merged")
        for name, (wall, cpu) in (("exact, 4 steps, 7 days", exact), ("windowFunnel", peer)):
            print(f"{name:<24} {wall:.3f} s, {cpu:.3f} s of CPU")
        print(f"ratio of the CPU times   {exact[1] / peer[1]:.2f}  (target <= 1.10)")


def compare(table: Table) -> tuple[tuple[float, float], tuple[float, float]]:
    """Medians of (elapsed, CPU) seconds, ours and the peer's, asked by turns."""
    params = TypeAdapter(Params).validate_python(
        {"steps": [{"event": name} for name in STEPS], "window": {"days": 7}}
    )
    context = Context(Scope(TENANT), NOW, UTC_ZONE)
    ours = Funnel().to_queries(params, context)["total"]
    steps = ", ".join(f"event = '{name}'" for name in STEPS)
    names = ", ".join(f"'{name}'" for name in STEPS)
    levels = (
        f"SELECT windowFunnel({WINDOW_MS})(toUInt64(toUnixTimestamp64Milli(occurred_at)), {steps})"
        f" AS level FROM events WHERE tenant = {TENANT} AND fragment != 0 AND event IN ({names})"
        f" GROUP BY {person(TENANT)}"
    )
    counts = ", ".join(f"countIf(level >= {k})" for k in range(1, 5))
    theirs = Query(f"SELECT {counts} FROM ({levels})")
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        for name, query in (("ours", ours), ("theirs", theirs)):
            wall, cpu = time.perf_counter(), time.process_time()
            table.store.query(query, Scope(TENANT), timeout_seconds=300)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return _middle(times["ours"]), _middle(times["theirs"])


def _middle(times: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(cpu)


if __name__ == "__main__":
    main()
