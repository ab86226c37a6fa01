"""``python -m tests.drill --kills 12``: prints what was killed, acknowledged and found."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.drill.drill import RESTART_SECONDS, Drill
from tests.drill.journeys import Campaign
from tests.support.provider import provider
from tests.support.stores import stores_of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--limit", type=float, default=RESTART_SECONDS, help="of a restart, s")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--state", choices=("sqlite", "postgres"), default=None)
    parser.add_argument("--event-store", choices=("chdb", "http"), default=None)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="carloop-drill-") as directory,
        stores_of(Path(directory) / "data", state=given.state, event_store=given.event_store),
        provider() as receiver,
    ):
        report = Drill(
            Path(directory),
            kills=given.kills,
            clients=given.clients,
            seed=given.seed,
            limit=given.limit,
            campaign=Campaign(receiver),
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        ).run()
    print(report)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
