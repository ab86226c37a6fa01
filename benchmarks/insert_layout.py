"""What the type of event properties costs: JSON against Map and String, to insert and to read.

Every layout gets the same batches, interleaved, through the same path as the loader; times are CPU
seconds of the process, and every figure is a ratio to JSON in the same run.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from uuid import UUID

from carloop.stores.clickhouse import open_event_store
from carloop.stores.clickhouse.store import ClickHouseStore

LAYOUTS = {
    "JSON": ("JSON", "properties.price::Float64", "properties.series::String"),
    "Map": (
        "Map(LowCardinality(String), String)",
        "toFloat64OrNull(properties['price'])",
        "properties['series']",
    ),
    "String": (
        "String",
        "JSONExtractFloat(properties, 'price')",
        "JSONExtractString(properties, 'series')",
    ),
}
READS = {
    "sum of a number": "SELECT sum({number}) FROM {table} WHERE event = 'e3'",
    "group by a text": "SELECT {text} AS k, count() FROM {table} GROUP BY k ORDER BY k",
}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(work: Callable[[], object]) -> float:
    before = cpu_seconds()
    work()
    return cpu_seconds() - before


def batch(rng: random.Random, first: int, rows: int) -> list[dict[str, object]]:
    return [
        {
            "tenant": 1,
            "event": f"e{rng.randrange(30)}",
            "fragment": rng.randrange(100_000),
            "occurred_at": f"{1_777_507_200 + rng.randrange(30 * 86_400)}.123",
            "received_at": "1777507200.123",
            "seq": seq,
            "source": 1,
            "event_id": str(UUID(int=rng.getrandbits(128))),
            "message_id": str(seq),
            "historical": 0,
            "entities": {"dealer": rng.randrange(500)},
            "properties": {
                "series": f"S{rng.randrange(20)}",
                "price": rng.randrange(10_000_000) / 100,
                "page": f"/model/{rng.randrange(200)}",
                "channel": f"c{rng.randrange(9)}",
                "city": rng.randrange(400),
            },
        }
        for seq in range(first, first + rows)
    ]


def encode(rows: list[dict[str, object]], layout: str) -> bytes:
    def line(row: dict[str, object]) -> str:
        properties = row["properties"]
        assert isinstance(properties, dict)
        if layout == "Map":
            row = row | {"properties": {k: str(v) for k, v in properties.items()}}
        if layout == "String":
            row = row | {"properties": json.dumps(properties)}
        return json.dumps(row)

    return "\n".join(map(line, rows)).encode()


def build(store: ClickHouseStore) -> None:
    client = store.writer()
    (ddl,) = client.query("SHOW CREATE TABLE events").result_rows[0]
    for layout, (type_, _, _) in LAYOUTS.items():
        text = ddl.replace("default.events", f"events_{layout}")
        client.command(text.replace("`properties` JSON", f"`properties` {type_}"))


def insert_costs(store: ClickHouseStore, batches: int, rows: int) -> dict[str, list[float]]:
    """CPU microseconds a row, per layout and batch."""
    rng = random.Random(7)
    costs: dict[str, list[float]] = {name: [] for name in LAYOUTS}
    for n in range(batches):
        events = batch(rng, n * rows, rows)
        for layout, spent in costs.items():
            insert = partial(store.insert, f"events_{layout}", encode(events, layout))
            spent.append(measured(insert) / rows * 1e6)
    return costs


def read_costs(store: ClickHouseStore, text: str) -> dict[str, list[float]]:
    """CPU milliseconds, per layout and repetition."""
    client = store.writer()
    costs: dict[str, list[float]] = {name: [] for name in LAYOUTS}
    for _ in range(7):
        for layout, (_, number, label) in LAYOUTS.items():
            sql = text.format(number=number, text=label, table=f"events_{layout}")
            costs[layout].append(measured(partial(client.query, sql)) * 1000)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        store = open_event_store(f"chdb://{directory}/events")
        store.migrate()
        build(store)
        costs = {"insert, us/row": insert_costs(store, options.batches, options.rows)}
        for title, text in READS.items():
            costs[f"{title}, ms"] = read_costs(store, text)
        size = "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active GROUP BY table"
        sizes = dict(store.writer().query(size).result_rows)
        store.close()
    costs["on disk, MB"] = {name: [sizes[f"events_{name}"] / 1e6] for name in LAYOUTS}
    print(f"{options.batches * options.rows} events, CPU time, median; ratio to JSON")
    for title, by_layout in costs.items():
        base = statistics.median(by_layout["JSON"])
        figures = {name: statistics.median(values) for name, values in by_layout.items()}
        shown = ", ".join(f"{name} {v:.1f} ({v / base:.2f} x)" for name, v in figures.items())
        print(f"{title}: {shown}")


if __name__ == "__main__":
    main()
