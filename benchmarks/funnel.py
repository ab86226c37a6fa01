"""Exact funnel beside ClickHouse's windowFunnel on the same table with the same aliases.

python benchmarks/funnel.py --events 5000000
"""

from __future__ import annotations

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
WINDOW_MS = 7 * 86_400_000


def main() -> None:
    with opened() as table:
        exact, peer = compare(table)
        print(f"events {table.events:,}  persons {table.persons:,}  1 % merged")
        print(f"funnel, 4 steps, 7 days, exact       {exact:.3f} s")
        print(f"windowFunnel on the same rows        {peer:.3f} s")
        print(f"ratio                                {exact / peer:.2f}  (target <= 1.10)")


def compare(table: Table) -> tuple[float, float]:
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
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(5):
        for name, query in (("ours", ours), ("theirs", theirs)):
            started = time.perf_counter()
            table.store.query(query, Scope(TENANT), timeout_seconds=300)
            times[name].append(time.perf_counter() - started)
    return sorted(times["ours"])[2], sorted(times["theirs"])[2]


if __name__ == "__main__":
    main()
