"""Profile reads: one person by any identifier over HTTP, at a fixed rate.

Beside it, from the same run: bare point reads of the same rows in SQLite. A request that could not
start in time counts from when it should have started.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.drill.server import Server

BATCH = 500
CONNECTIONS = 32


def identifiers(person: int) -> dict[str, str]:
    return {"login_id": f"member-{person}", "mobile": f"1391{person + 2_500_000:07d}"}


def fill(url: str, key: str, people: int) -> None:
    """People with two identifiers, a name and a city, all loaded when it returns."""
    now = int(time.time() * 1000)
    for start in range(0, people, BATCH):
        events = [
            {
                "message_id": f"profile-{n}",
                "event": "account_registered",
                "occurred_at": now,
                "identifiers": identifiers(n),
                "profile": {"set": {"name": f"王芳{n}", "city": "杭州", "gender": "female"}},
            }
            for n in range(start, min(people, start + BATCH))
        ]
        headers = {"x-write-key": key}
        body = msgspec.json.encode(events)
        httpx.post(f"{url}/api/events", content=body, headers=headers).raise_for_status()
    while "carloop_load_lag_batches 0" not in httpx.get(f"{url}/metrics", timeout=30).text:
        time.sleep(0.2)


async def ask(url: str, token: str, people: int, rate: float, seconds: float) -> list[float]:
    """Latencies (seconds) of look-ups started at ``rate`` a second."""
    host, port = url.removeprefix("http://").split(":")
    who = np.random.default_rng(1).integers(0, people, int(rate * seconds))
    turns = iter(range(len(who)))
    latencies: list[float] = []
    begin = time.perf_counter() + 0.5

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for turn in turns:
            due = begin + turn / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            kind = ("mobile", "login_id")[turn % 2]
            value = identifiers(int(who[turn]))[kind]
            writer.write(
                f"GET /api/persons?identifier={kind}:{value} HTTP/1.1\r\nhost: {host}\r\n"
                f"authorization: Bearer {token}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200") or b'"items":[{' not in body:
                raise RuntimeError(f"{head.splitlines()[0]!r}")
            latencies.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return latencies


def bare(database: Path, reads: int) -> list[float]:
    """Latencies (seconds) of finding the person of a key in the same table."""
    with closing(sqlite3.connect(database)) as db:
        keys = db.execute("SELECT key FROM identifier LIMIT ?", (reads,)).fetchall()
        found = []
        for key in keys:
            started = time.perf_counter()
            query = "SELECT person FROM identifier WHERE tenant = 1 AND key = ?"
            db.execute(query, key).fetchall()
            found.append(time.perf_counter() - started)
        return found


def cpu_seconds(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rate", type=float, nargs="+", default=[100.0, 300.0, 1000.0])
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as name:
        server = Server(Path(name) / "data")
        try:
            server.wait_ready()
            fill(server.url, server.key(), given.people)
            token = server.key("--admin")
            time.sleep(3)
            p50, p99 = np.percentile(bare(Path(name) / "data" / "state.db", 10_000), [50, 99])
            print(f"limit: bare SQLite point read p50 {p50 * 1e6:.0f} µs, p99 {p99 * 1e6:.0f} µs")
            children = [server.pid(child) for child in ("gateway", "engine")]
            for number, rate in zip(count(1), given.rate, strict=False):
                before = [cpu_seconds(pid) for pid in children]
                started = time.perf_counter()
                latencies = asyncio.run(ask(server.url, token, given.people, rate, given.seconds))
                took = time.perf_counter() - started - 0.5
                gateway, engine = (
                    (cpu_seconds(pid) - was) / len(latencies) * 1000
                    for pid, was in zip(children, before, strict=True)
                )
                low, high = np.percentile(latencies, [50, 99]) * 1000
                print(
                    f"{number}. {rate:,.0f} asked/s, {len(latencies) / took:,.0f} answered/s:"
                    f" p50 {low:.1f} ms, p99 {high:.1f} ms; CPU a request: gateway"
                    f" {gateway:.2f} ms, engine {engine:.2f} ms; p99 is"
                    f" {high / 1000 / p99:,.0f} × the bare read"
                )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
