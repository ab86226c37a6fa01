"""Ingest: how fast the gateway acknowledges durably, and how fast events become queryable.

Each figure is printed beside a limit measured in the same run: the disk's own group commit, a bare
decode loop, a raw insert. The load generator runs on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import msgspec
import numpy as np

from carloop.app.pipeline import Pipeline
from carloop.bootstrap.memory import collect_seldom
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores, open_stores
from carloop.connectors import PROTOCOLS
from carloop.core.events import Received
from carloop.core.ports.pipeline import SeenChunk
from carloop.core.scope import Scope
from carloop.sql import Query

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.drill.server import Server  # noqa: E402

BATCH = 100
PEOPLE = 50_000


def bodies(start: int = 0) -> Iterator[bytes]:
    """Batches of 100 believable events, unique for ever."""
    now = int(time.time() * 1000)
    random = np.random.default_rng(start + 1)
    number = start
    while True:
        people = random.integers(0, PEOPLE, BATCH)
        events = [
            {
                "message_id": f"bench-{number + i:012d}",
                "event": ("page_viewed", "app_opened", "content_viewed")[i % 3],
                "occurred_at": now - int(people[i]) - i,
                "identifiers": {"login_id": f"member-{people[i]}"},
                "properties": {"series": "C5", "channel": "app", "os": "ios", "page": i},
            }
            for i in range(BATCH)
        ]
        number += BATCH
        yield msgspec.json.encode(events)


def received(body: bytes) -> Received:
    now = int(time.time() * 1000)
    return Received(tenant=1, source=1, protocol="own", received_at=now, body=body)


def decode_limit(sample: list[bytes]) -> float:
    """Events a second of decoding alone, one core."""
    protocol = PROTOCOLS["own"]
    inputs = [received(body) for body in sample]
    started = time.process_time()
    for one in inputs:
        protocol.decode(one, protocol.limits)
    return len(inputs) * BATCH / (time.process_time() - started)


def disk_limit(directory: Path, sample: list[bytes], seconds: float = 3.0) -> float:
    """Events a second of writing bodies in groups of 16 and waiting for the disk."""
    group = b"".join(sample[:16])
    done = 0
    with (directory / "raw").open("wb") as file:
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            file.write(group)
            file.flush()
            os.fdatasync(file.fileno())
            done += 16 * BATCH
        return done / (time.perf_counter() - started)


async def offer(url: str, key: str, seconds: float, connections: int) -> tuple[int, list[float]]:
    """Keep ``connections`` requests under way; returns acknowledged events and latencies."""
    host, port = url.removeprefix("http://").split(":")
    source = bodies()
    until = time.perf_counter() + seconds
    latencies: list[float] = []
    acknowledged = 0

    async def one() -> None:
        nonlocal acknowledged
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < until:
            body = next(source)
            head = (
                f"POST /api/events HTTP/1.1\r\nhost: {host}\r\nx-write-key: {key}\r\n"
                f"content-length: {len(body)}\r\n\r\n"
            )
            started = time.perf_counter()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if answer.startswith(b"HTTP/1.1 200"):
                acknowledged += BATCH
                latencies.append(time.perf_counter() - started)
            else:
                await asyncio.sleep(0.1)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return acknowledged, latencies


def served(directory: Path, seconds: float, connections: int) -> tuple[float, float, list[float]]:
    """Accepted and sustained events a second of a real server, and latencies of acceptance."""
    server = Server(directory / "data")
    try:
        server.wait_ready()
        key = server.key()
        started = time.perf_counter()
        acknowledged, latencies = asyncio.run(offer(server.url, key, seconds, connections))
        accepted = acknowledged / (time.perf_counter() - started)
        while lag_batches(server.url):
            time.sleep(0.2)
        return accepted, acknowledged / (time.perf_counter() - started), latencies
    finally:
        server.stop()


def lag_batches(url: str) -> float:
    """Batches that wait; infinite while the engine is too busy to tell."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    told = (float(n.split()[-1]) for n in lines if n.startswith("carloop_load_lag_batches"))
    return next(told, math.inf)


def loader(directory: Path, batches: int, known_ids: int) -> tuple[float, float]:
    """Events a second of the loader alone, and of inserting the same rows raw."""
    stores = open_stores(Settings.from_env({}, data=directory / "loader"))
    try:
        preload(stores, known_ids)
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
        source = bodies()
        stores.journal.append([received(next(source)) for _ in range(PEOPLE // BATCH)])
        while pipeline.run_once().batches:
            continue
        stores.journal.append([received(body) for body in islice(source, batches)])
        started, stored = time.perf_counter(), 0
        while (progress := pipeline.run_once()).batches:
            stored += progress.stored
        rate = stored / (time.perf_counter() - started)
        return rate, raw_insert(stores)
    finally:
        stores.close()


def raw_insert(stores: Stores) -> float:
    """Events a second of inserting rows that lie ready."""
    text = "SELECT * EXCEPT (day) FROM events ORDER BY seq LIMIT 20000"
    rows = stores.event_store.query(Query(text), Scope(1)).dicts()
    encoded = b"\n".join(msgspec.json.encode({**row, "tenant": 2}, enc_hook=str) for row in rows)
    started = time.perf_counter()
    for _ in range(5):
        stores.event_store.insert("events", encoded)
    return 5 * len(rows) / (time.perf_counter() - started)


def preload(stores: Stores, known_ids: int) -> None:
    """Fill the index with ids nobody will send."""
    random = np.random.default_rng(7)
    for start in range(0, known_ids, 250_000):
        ids = random.bytes(16 * min(250_000, known_ids - start))
        stores.seen.add(SeenChunk(0, 20_000, ids))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--known-ids", type=int, default=0)
    given = parser.parse_args()
    sample = list(islice(bodies(), 300))
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as name:
        directory = Path(name)
        decode, disk = decode_limit(sample), disk_limit(directory, sample)
        print(f"limit: bare decode {decode:,.0f} events/s; disk group commit {disk:,.0f} events/s")
        rate, raw = loader(directory, given.batches, given.known_ids)
        print(f"loader alone {rate:,.0f} events/s with {given.known_ids:,} ids known;"
              f" {rate / raw:.3f} of a raw insert ({raw:,.0f})")  # fmt: skip
        accepted, sustained, latencies = served(directory, given.seconds, given.connections)
        p50, p99 = np.percentile(latencies, [50, 99]) * 1000
        print(f"gateway accepts {accepted:,.0f} events/s (fsynced, p50 {p50:.0f} ms, p99"
              f" {p99:.0f} ms); {accepted / decode:.3f} of bare decode,"
              f" {accepted / disk:.3f} of the disk")  # fmt: skip
        print(f"end to end {sustained:,.0f} events/s until the backlog was empty;"
              f" {sustained / raw:.3f} of a raw insert")  # fmt: skip


if __name__ == "__main__":
    main()
