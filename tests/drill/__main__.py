"""``python -m tests.drill --kills 12``: prints what was killed, acknowledged and found."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.drill.drill import Drill


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carloop-drill-") as directory:
        drill = Drill(Path(directory), kills=given.kills, clients=given.clients, seed=given.seed)
        report = drill.run()
    print(report)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
