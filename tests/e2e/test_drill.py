"""Nothing acknowledged is lost or counted twice when processes are killed at random instants.

The drill opens the stopped server's stores to count; a process can open one event store only, so
it runs in one of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def drill(kills: int, seconds: float) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.drill", "--kills", str(kills)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    print(ran.stdout)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr[-4000:]}"


def test_twelve_kills_lose_nothing() -> None:
    drill(12, seconds=600)


@pytest.mark.deep
def test_two_hundred_kills_lose_nothing() -> None:
    drill(200, seconds=5400)
