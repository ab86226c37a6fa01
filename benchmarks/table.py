"""A table of events made inside ClickHouse, for benchmarks of questions; 1 % of people merged."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from carloop.core.scope import Scope
from carloop.sql import Query
from carloop.stores.clickhouse import ClickHouseStore, open_event_store

TENANT = 1
EVENTS = tuple(f"e{n:02}" for n in range(40))
CHUNK = 2_500_000


@dataclass
class Table:
    store: ClickHouseStore
    events: int
    persons: int

    def ask(self, text: str) -> int:
        return int(self.store.query(Query(text), Scope(TENANT)).rows[0][0])


@contextmanager
def opened() -> Iterator[Table]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--persons", type=int, default=0, help="default: one per 25 events")
    asked = parser.parse_args()
    persons = asked.persons or max(1, asked.events // 25)
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as directory:
        store = open_event_store(f"chdb://{directory}/events")
        store.migrate()
        _fill(store, asked.events, persons)
        store.ensure_tenant(TENANT)
        store.reload_persons(TENANT)
        _settle(store)
        yield Table(store, asked.events, persons)
        store.close()


def _settle(store: ClickHouseStore) -> None:
    """Wait for the merges that the filling began: else the first question includes them."""
    while store.query(Query("SELECT count() FROM system.merges"), Scope(TENANT)).rows[0][0]:
        time.sleep(0.2)


def _fill(store: ClickHouseStore, events: int, persons: int) -> None:
    for start in range(0, events, CHUNK):
        rows = min(CHUNK, events - start)
        store.command(
            Query(
                "INSERT INTO events (tenant, event, fragment, occurred_at, seq, received_at,"
                " source, event_id, message_id, historical, properties) "
                f"SELECT {TENANT}, concat('e', leftPad(toString(intHash32(number) % 40), 2, '0')),"
                f" 1 + cityHash64(number, 'p') % {persons},"
                " toDateTime64('2026-08-24 00:00:00', 3, 'UTC')"
                " + (cityHash64(number, 't') % 7776000000) / 1000,"
                " number, now64(3), 1, generateUUIDv4(), '', 0, '{}' "
                f"FROM numbers({start}, {rows})"
            )
        )
    store.command(
        Query(
            "INSERT INTO fragments (tenant, fragment, person, version) "
            f"SELECT {TENANT}, number + 1, if(number % 100 = 99, number, number + 1), 1 "
            f"FROM numbers({persons})"
        )
    )
