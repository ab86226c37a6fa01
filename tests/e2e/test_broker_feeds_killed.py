"""The engine dies by kill -9 while it consumes from every broker; each message counts once."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.drill.server import Server
from tests.scenarios.test_broker_feeds import ROWS, telemetry
from tests.support.brokers import BROKERS, broker
from tests.support.waiting import until

ROUNDS = 3
EACH = 300
"""Messages a round; a broker keeps a thousand for a session whose listener is away."""
COUNT = """
import json, os, pathlib, sys
from carloop.bootstrap.engine import build_engine
from carloop.bootstrap.settings import Settings
from carloop.core.scope import Scope
from carloop.sql import Query
engine = build_engine(Settings.from_env(os.environ, data=pathlib.Path(sys.argv[1])))
query = Query(
    "SELECT toUInt32(source), count(), uniqExact(occurred_at) FROM events"
    " WHERE event = 'telemetry_read' GROUP BY source ORDER BY source"
)
print(json.dumps([list(row) for row in engine.stores.event_store.query(query, Scope(1)).rows]))
engine.close()
"""
"""In a process of its own: one process holds one embedded event store."""


def test_final_events_are_those_published_once_each(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ExitStack() as stack:
        brokers = [stack.enter_context(broker(name)) for name in BROKERS]
        server = Server(data, {"CARLOOP_ALLOWED_HOSTS": "127.0.0.1"})
        stack.callback(server.stop)
        server.wait_ready()
        feeds = {}
        for name, served in zip(BROKERS, brokers, strict=True):
            body = {
                "name": name, "kind": served.kind, "settings": served.settings,
                "mapping": ROWS, "schedule": "continuous",
            }  # fmt: skip
            made = ask(server, "POST", "/api/feeds", body)
            feeds[made["id"]] = made["source"]
        for turn in range(ROUNDS):
            for served in brokers:
                served.publish([telemetry(turn * EACH + n) for n in range(EACH)])
            assert server.kill(("engine",))
            server.wait_ready()
        _until_landed(server, list(feeds), ROUNDS * EACH)
        server.halt()
        counted = subprocess.run(
            [sys.executable, "-c", COUNT, str(data)],
            capture_output=True, text=True, check=True, env=server.environment,
        )  # fmt: skip
    assert json.loads(counted.stdout.splitlines()[-1]) == [
        [source, ROUNDS * EACH, ROUNDS * EACH] for source in sorted(feeds.values())
    ]


def ask(server: Server, method: str, path: str, body: Any = None) -> Any:
    """An answer of the API, with the token of the engine that runs now."""
    token = (server.data / "run" / "local.token").read_text("ascii")
    answer = httpx.request(
        method, server.url + path, json=body, headers={"Authorization": f"Bearer {token}"},
        timeout=30, trust_env=False,
    )  # fmt: skip
    assert answer.status_code < 300, answer.text
    return answer.json()


def _until_landed(server: Server, feeds: list[str], wanted: int) -> None:
    def landed() -> list[int]:
        return [ask(server, "GET", f"/api/feeds/{f}/reconciliation")["landed"] for f in feeds]

    until(
        lambda: min(landed()) >= wanted,
        lambda: f"landed {landed()} of {wanted}",
        every=0.5,
    )
