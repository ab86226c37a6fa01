"""Memory of an idle server after a demo load: PSS of all its processes beside the limit."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.drill.server import Server  # noqa: E402

LIMIT_MB = 700


def processes(root: int) -> list[int]:
    """``root`` and everything it started."""
    found = [root]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(pid) for pid in children.read_text().split()]
    return found


def supervisor(server: Server) -> int:
    """The process that started the others."""
    engine = server.pid("engine")
    if engine is None:
        raise RuntimeError("the engine does not run")
    status = Path(f"/proc/{engine}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def pss_mb(pid: int) -> float:
    """Proportional set size of one process in MB (shared pages are divided among their users)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError("no Pss in smaps_rollup")


def show(when: str, root: int) -> float:
    """Print and return the sum."""
    each = [pss_mb(pid) for pid in processes(root)]
    parts = " + ".join(f"{mb:.0f}" for mb in sorted(each, reverse=True))
    print(f"{when:<22} {sum(each):5.0f} MB ({parts}); {sum(each) / LIMIT_MB:.2f} of the limit")
    return sum(each)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="s", help="size of the demo: s, m, l, or a number")
    parser.add_argument("--rest-seconds", type=float, default=45)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carloop-bench-") as name:
        data = Path(name) / "data"
        server = Server(data)
        try:
            server.wait_ready()
            root = supervisor(server)
            show("started", root)
            command = [sys.executable, "-m", "carloop", "demo", "--size", given.people]
            subprocess.run([*command, "--data", str(data)], check=True, stdout=subprocess.DEVNULL)
            show("loaded", root)
            time.sleep(given.rest_seconds)
            show("idle", root)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
