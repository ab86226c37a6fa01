"""Far more than the machine can take: honest answers, bounded memory, nothing acknowledged lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.support.server import serving
from tests.support.waiting import until

SECONDS = 20.0
SENDERS = 64
EVENTS = 200
MOST_RSS_MB = 1536

pytestmark = pytest.mark.deep


def rss_mb(parent: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue
        if str(parent) in (lines["PPid"].strip(), lines["Pid"].strip()) and "VmRSS" in lines:
            total += int(lines["VmRSS"].split()[0]) / 1024
    return total


def test_an_overload_is_refused_honestly_and_loses_nothing(tmp_path: Path) -> None:
    answers: Counter[int] = Counter()
    acknowledged = 0
    lock = threading.Lock()
    with serving(tmp_path / "data") as server:
        key, ends = server.write_key(), time.monotonic() + SECONDS

        def sender(number: int) -> None:
            nonlocal acknowledged
            count = 0
            with httpx.Client(timeout=60) as client:
                while time.monotonic() < ends:
                    count += 1
                    events = [
                        {"message_id": f"o{number}-{count}-{n}", "event": "page_viewed",
                         "identifiers": {"login_id": f"u{n}"}, "properties": {"pad": "x" * 200}}
                        for n in range(EVENTS)
                    ]  # fmt: skip
                    answer = client.post(
                        f"{server.url}/api/events", json=events, headers={"X-Write-Key": key}
                    )
                    with lock:
                        answers[answer.status_code] += 1
                        acknowledged += EVENTS * (answer.status_code == 200)

        senders = [threading.Thread(target=sender, args=(n,)) for n in range(SENDERS)]
        for thread in senders:
            thread.start()
        most = 0.0
        while any(thread.is_alive() for thread in senders):
            most = max(most, rss_mb(server.process.pid))
            time.sleep(0.5)
        print(dict(answers), f"most {most:.0f} MiB, {acknowledged} acknowledged")
        assert set(answers) <= {200, 429, 503}
        assert answers[200]
        assert most < MOST_RSS_MB
        with server.client(server.token()) as client:

            def caught_up() -> bool:
                tiles = client.get("/api/overview").json()
                return bool(tiles["loaded_batches"] >= tiles["accepted_batches"])

            until(caught_up, "the loader did not catch up", every=0.5)
            text = client.get("/metrics").text
    loaded = {
        line.split()[0]: float(line.split()[1])
        for line in text.splitlines()
        if line.startswith("carloop_loaded_events_total")
    }
    assert loaded['carloop_loaded_events_total{outcome="stored"}'] == acknowledged
