"""``python -m tests.screens OUT``: pictures of every page of the console, and contact sheets.

Pages × zh/en × 1280/1920 × full/empty/loading/error, some in the dark and some as a dealer sees
them. The demonstration is loaded once into ``--data`` and kept for the next time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from tests.screens.album import album
from tests.screens.camera import Camera, Look, Shot
from tests.screens.furnish import ADVISOR
from tests.screens.scenes import SCENES, STATES, Scene
from tests.screens.sheet import sheets
from tests.screens.site import Site, empty_site, full_site
from tests.support.browser import browsing

DARK = ("overview", "person", "builder", "funnel", "journey", "live")
DEALER = (*DARK, "persons", "entities", "segments", "segment", "journeys", "imports", "jobs")


def main() -> int:
    given = _arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    scenes = [s for s in SCENES if not given.pages or s.name in given.pages]
    shots: list[Shot] = []
    with browsing() as browser:
        camera = Camera(browser, given.out, given.console)
        if {"full", "loading", "error"} & set(given.states):
            with full_site(given.data / "full") as site:
                if given.docs:
                    for name, size in album(camera, site, given.docs).items():
                        print(f"{name}: {size / 1024:.0f} kB")
                    return 0
                shots += _series(camera, site, scenes, given)
        if "empty" in given.states:
            with empty_site(given.data / "empty") as site:
                shots += _series(camera, site, scenes, given, empty=True)
        made = sheets(browser, shots, given.out)
    odd = [s for s in shots if s.faults]
    for shot in odd:
        print(f"{shot.file.name}: {'; '.join(shot.faults)}")
    print(
        f"{len(shots)} pictures, {len(made)} contact sheets in {given.out}; {len(odd)} look wrong"
    )
    return 1 if odd else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data/screens"))
    parser.add_argument("--console", type=Path, help="a build of the console, if not the installed")
    parser.add_argument("--pages", nargs="*", choices=[s.name for s in SCENES], default=[])
    parser.add_argument("--states", nargs="*", choices=STATES, default=STATES)
    parser.add_argument("--languages", nargs="*", choices=("zh", "en"), default=("zh", "en"))
    parser.add_argument("--widths", nargs="*", type=int, default=(1280, 1920))
    parser.add_argument("--docs", type=Path, help="only the documentation's, into this directory")
    parser.add_argument("--plain", action="store_true", help="neither dark nor as a dealer")
    return parser.parse_args()


def _series(
    camera: Camera, site: Site, scenes: list[Scene], given: argparse.Namespace, empty: bool = False
) -> Iterator[Shot]:
    states = [s for s in given.states if (s == "empty") == empty]
    for state, language, width in product(states, given.languages, given.widths):
        for scene in scenes:
            if state in scene.states:
                yield camera.take(site, scene, state, Look(language, width))
    if given.plain or "full" not in states:
        return
    for language, scene in product(given.languages, scenes):
        if scene.name in DARK:
            yield camera.take(site, scene, "full", Look(language, 1280, theme="dark"))
        if scene.name in DEALER:
            yield camera.take(site, scene, "full", Look(language, 1280, user=ADVISOR))


if __name__ == "__main__":
    sys.exit(main())
