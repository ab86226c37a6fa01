"""Nothing acknowledged is lost or counted twice when processes are killed at random instants.

The drill opens the stopped server's stores to count; a process can open one event store only, so
it runs in one of its own. How soon they are back, ``make drill`` tells, which has the machine to
itself, and kills more often; beside other tests it says nothing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stores import postgres_absent

ROOT = Path(__file__).parents[2]


def drill(kills: int, *options: str, seconds: float) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.drill", "--kills", str(kills), "--limit", "inf", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    print(ran.stdout)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr[-4000:]}"


def test_four_kills_lose_nothing() -> None:
    drill(4, seconds=600)


@pytest.mark.postgres
def test_two_kills_lose_nothing_on_postgresql_and_over_http() -> None:
    if postgres_absent("postgres"):
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    elsewhere = ("--state", "postgres", "--event-store", "http")
    drill(2, "--clients", "2", *elsewhere, seconds=600)
