"""Nothing acknowledged is lost or counted twice when processes are killed at random instants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.drill import Drill
from tests.drill.journeys import Campaign
from tests.support.provider import provider


def test_twelve_kills_lose_nothing(tmp_path: Path) -> None:
    with provider() as receiver:
        report = Drill(tmp_path, kills=12, campaign=Campaign(receiver)).run()
    print(report)
    assert report.passed, str(report)
    assert sum(report.kills.values()) >= 12


@pytest.mark.deep
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    with provider() as receiver:
        report = Drill(tmp_path, kills=200, campaign=Campaign(receiver)).run()
    assert report.passed, str(report)
