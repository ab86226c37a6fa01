"""``carloop serve`` takes events while its engine is away, and shares its data with nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.drill.server import Server
from tests.support.waiting import PATIENCE_SECONDS, until

EVENT = {"event": "visit", "identifiers": {"login_id": "u1"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("serve") / "data")
    server.wait_ready()
    yield server
    server.stop()


def lag(server: Server) -> float:
    lines = httpx.get(f"{server.url}/metrics", timeout=10).text.splitlines()
    return next(float(n.split()[-1]) for n in lines if n.startswith("carloop_load_lag_batches"))


def test_ingest_goes_on_while_the_engine_is_away(server: Server) -> None:
    key = server.key()
    headers = {"x-write-key": key}
    assert server.kill(("engine",))
    answer = httpx.post(f"{server.url}/api/events", json=[EVENT], headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    away = httpx.get(f"{server.url}/api/session")
    assert (away.status_code, away.json()["code"]) == (503, "engine_down")
    assert httpx.get(f"{server.url}/livez").status_code == 200
    server.wait_ready()
    until(lambda: lag(server) == 0, "the loader did not catch up")
    assert server.pid("engine") != server.pid("gateway")


def test_a_second_server_is_refused(server: Server) -> None:
    for port, code in ((server.port, "data_in_use"), (server.port + 1, "data_in_use")):
        second = subprocess.run(
            [
                *(sys.executable, "-m", "carloop", "serve"),
                *("--data", str(server.data), "--port", str(port)),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert second.returncode == 1
        assert code in second.stderr


def test_the_gateway_stays_small(server: Server) -> None:
    pid = server.pid("gateway")
    assert pid is not None
    status = Path(f"/proc/{pid}/smaps_rollup").read_text()
    pss_kib = int(next(n.split()[1] for n in status.splitlines() if n.startswith("Pss:")))
    print(f"gateway PSS {pss_kib / 1024:.0f} MiB")
    assert pss_kib < 120 * 1024


def test_children_end_with_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.wait_ready()
    pids = [server.pid("gateway"), server.pid("engine")]
    server._process.kill()
    server.stop()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "a child lives on")
