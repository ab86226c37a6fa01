"""The senders: batches of 1 to 80, repeats, lost acknowledgements, late events, merges."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import httpx

DAY_MS = 86_400_000


class Client(threading.Thread):
    """One sender. What it was told is stored is in ``acknowledged``, all it tried in ``sent``."""

    def __init__(self, number: int, url: str, key: str, seed: int, stop: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._number = number
        self._url = url
        self._key = key
        self._random = random.Random(seed)
        self._stop_event = stop
        self._count = 0
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.wrong: list[str] = []
        self.repeats = 0

    def run(self) -> None:
        recent: list[dict[str, Any]] = []
        with httpx.Client(timeout=10) as http:
            while not self._stop_event.is_set():
                batch = [self._event() for _ in range(self._random.randint(1, 80))]
                share = self._random.uniform(0.1, 0.3)
                repeats = [e for e in recent if self._random.random() < share * 0.2]
                self.repeats += len(repeats)
                self._deliver(http, batch + repeats)
                recent = (recent + batch)[-400:]
                time.sleep(self._random.uniform(0.0, 0.05))

    def _deliver(self, http: httpx.Client, batch: list[dict[str, Any]]) -> None:
        """Send until it is acknowledged; now and then forget the answer and send again."""
        ids = {e["message_id"] for e in batch}
        self.sent |= ids
        for _ in range(200):
            try:
                answer = http.post(
                    f"{self._url}/api/events", json=batch, headers={"x-write-key": self._key}
                )
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                if answer.json()["rejected"]:
                    self.wrong.append(answer.text[:200])
                self.acknowledged |= ids
                if self._random.random() < 0.15:
                    self.repeats += len(ids)
                    continue
                return
            if answer.status_code not in (429, 503):
                self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                return
            time.sleep(0.1)
            if self._stop_event.is_set():
                return

    def _event(self) -> dict[str, Any]:
        self._count += 1
        who = self._random.randrange(200)
        late = self._random.random() < 0.1
        ago = self._random.randrange(400 * DAY_MS) if late else self._random.randrange(60_000)
        identifiers: dict[str, Any] = {"anonymous_id": f"device-{self._number}-{who}"}
        profile: dict[str, Any] = {}
        if self._random.random() < 0.05:
            identifiers["login_id"] = f"member-{who % 60}"
            profile = {"profile": {"set": {"level": "member"}}}
        return {
            **profile,
            "message_id": f"c{self._number}-{self._count}",
            "event": self._random.choice(("page_seen", "drill_visit", "drill_order")),
            "occurred_at": int(time.time() * 1000) - ago,
            "identifiers": identifiers,
            "properties": {"client": self._number, "n": self._count},
        }
