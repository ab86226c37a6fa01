"""A behaviour segment: shared three times in 90 days, and drove, and did not order.

python benchmarks/segment.py --events 5000000
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from table import EVENTS, TENANT, opened

from carloop import rules
from carloop.core.scope import Scope
from carloop.rules.compiler import Context, count_query
from carloop.rules.history import UTC_ZONE

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def main() -> None:
    shared, drove, ordered = EVENTS[:3]
    rule = rules.parse(
        {"kind": "all", "rules": [
            {"kind": "performed", "event": shared, "count": {"op": ">=", "n": 3},
             "window": {"days": 90}},
            {"kind": "performed", "event": drove},
            {"kind": "not", "rule": {"kind": "performed", "event": ordered}},
        ]}
    )  # fmt: skip
    query = count_query(rule, Context(Scope(TENANT), NOW, UTC_ZONE))
    floor = f"SELECT count() FROM events WHERE tenant = {TENANT} AND event IN {EVENTS[:3]}"
    with opened() as table:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            count = table.store.query(query, Scope(TENANT)).rows[0][0]
            times.append(time.perf_counter() - started)
        rows = table.ask(floor)
        took = sorted(times)[2]
        print(f"events {table.events:,}  persons {table.persons:,}  1 % merged")
        print(f"behaviour segment: {count:,} persons of {rows:,} rows in {took:.3f} s")
        print(f"per 100 million events: {took * 1e8 / table.events:.2f} s  (target <= 1 s)")


if __name__ == "__main__":
    main()
