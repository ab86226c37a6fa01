"""Freshness: from the acknowledgement of an event until it shows.

In the profile, in the timeline, in a rule counted now, and in the stored size of a segment.
With ``--load`` other events arrive all the time, so that every part is at work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.drill.server import Server

TARGET = 5.0
RULE = {"kind": "attribute", "field": "city", "op": "=", "value": "杭州"}


def event(message_id: str, **more: Any) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {"message_id": message_id, "event": "account_registered", "occurred_at": now, **more}


class Installation:
    """A served installation with one segment."""

    def __init__(self, server: Server) -> None:
        self.writer = httpx.Client(base_url=server.url, headers={"x-write-key": server.key()})
        token = server.key("--admin")
        self.api = httpx.Client(
            base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=30
        )
        made = self.api.post("/api/segments", json={"name": "freshness", "rule": RULE})
        self.segment = made.raise_for_status().json()["id"]

    def send(self, events: list[dict[str, Any]]) -> None:
        self.writer.post("/api/events", json=events).raise_for_status()

    def get(self, path: str, **query: str) -> Any:
        return self.api.get(path, params=query).raise_for_status().json()

    def counted(self) -> int:
        found = self.api.post("/api/segments/count", json={"rule": RULE})
        return int(found.raise_for_status().json()["count"])

    def size(self) -> int:
        return int(self.get(f"/api/segments/{self.segment}")["count"] or 0)

    def once(self, turn: int) -> dict[str, float]:
        """Seconds until the event of a new person shows, by place."""
        counted, size = self.counted(), self.size()
        who = {"login_id": f"fresh-{turn}"}
        self.send([event(f"fresh-{turn}", identifiers=who, profile={"set": {"city": "杭州"}})])
        waiting: dict[str, Callable[[], bool]] = {
            "profile": lambda: self._person(turn).get("city") == "杭州",
            "timeline": lambda: self._timeline(turn),
            "count": lambda: self.counted() > counted,
            "segment": lambda: self.size() > size,
        }
        began, took = time.perf_counter(), {}
        while waiting and time.perf_counter() - began < 60:
            for place in [place for place, shows in waiting.items() if shows()]:
                del waiting[place]
                took[place] = time.perf_counter() - began
            time.sleep(0.02)
        return took | dict.fromkeys(waiting, float("inf"))

    def _person(self, turn: int) -> dict[str, Any]:
        items = self.get("/api/persons", identifier=f"login_id:fresh-{turn}")["items"]
        return dict(items[0]) if items else {}

    def _timeline(self, turn: int) -> bool:
        id = self._person(turn).get("id")
        return id is not None and bool(self.get(f"/api/persons/{id}/timeline")["items"])


def load(installation: Installation, stop: threading.Event) -> None:
    """About 2,000 events a second of 20,000 people."""
    random, number = np.random.default_rng(3), 0
    while not stop.wait(0.1):
        people = random.integers(0, 20_000, 200)
        events = [
            event(f"load-{number + i}", identifiers={"login_id": f"member-{p}"})
            for i, p in enumerate(people)
        ]
        installation.send(events)
        number += len(events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--load", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as name:
        server = Server(Path(name) / "data")
        stop = threading.Event()
        try:
            server.wait_ready()
            installation = Installation(server)
            background = threading.Thread(target=load, args=(installation, stop), daemon=True)
            if given.load:
                background.start()
            taken = [installation.once(turn) for turn in range(given.turns)]
        finally:
            stop.set()
            server.stop()
    for place in taken[0]:
        seconds = np.array([turn[place] for turn in taken])
        verdict = "within" if seconds.max() <= TARGET else "BEYOND"
        print(
            f"{place:>8}: median {np.median(seconds):.2f} s, worst {seconds.max():.2f} s,"
            f" {verdict} {TARGET:.0f} s"
        )


if __name__ == "__main__":
    main()
