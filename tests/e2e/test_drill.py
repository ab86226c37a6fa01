"""Nothing acknowledged is lost or counted twice when processes are killed at random instants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.drill import Drill


def test_twelve_kills_lose_nothing(tmp_path: Path) -> None:
    report = Drill(tmp_path, kills=12).run()
    print(report)
    assert report.passed, str(report)
    assert sum(report.kills.values()) >= 12


@pytest.mark.deep
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    report = Drill(tmp_path, kills=200).run()
    assert report.passed, str(report)
