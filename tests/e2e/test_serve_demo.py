"""``serve --demo`` loads beside the server, once, and spares the data of others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.server import carloop, free_port, serving
from tests.support.stores import stores_of
from tests.support.waiting import PATIENCE_SECONDS, until


def begun(data: Path) -> dict[str, object]:
    """What the server says of its demo, once there is one."""
    file = data / "run" / "demo.json"
    until(file.exists, "no demo was begun")
    told: dict[str, object] = json.loads(file.read_text())
    return told


def test_the_demo_loads_beside_the_server_and_ends_with_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    where = ("--data", str(data), "--port", str(free_port()))
    command = [sys.executable, "-m", "carloop", "serve", *where, "--demo", "s"]
    with (
        stores_of(data) as stores,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **stores},
        ) as server,
    ):
        demo = begun(data)
        server.send_signal(signal.SIGTERM)
        said, _ = server.communicate(timeout=PATIENCE_SECONDS)
    assert server.returncode == 0
    lines = said.decode().splitlines()
    assert lines[0].startswith("carloop: ready at http://127.0.0.1:")
    password = (data / "run" / "admin-password").read_text().strip()
    assert f"user admin, password {password} " in lines[1]
    assert (demo["size"], demo["done"]) == ("s", False)
    (data / "run" / "demo.json").write_text(json.dumps(demo | {"done": True}))
    again = carloop("demo", "--once", "--data", str(data))
    assert (again.returncode, again.stdout) == (0, "")


def test_no_demo_among_somebodys_own_data(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.send(server.write_key(), [{"event": "visit", "identifiers": {"login_id": "u1"}}])
        assert server.run("demo", "--once", "--size", "m") == ""
    assert not (tmp_path / "data" / "run" / "demo.json").exists()


def test_an_unknown_size_is_said_at_once(tmp_path: Path) -> None:
    done = carloop("serve", "--demo", "xl", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "one of s, m, l" in done.stderr
