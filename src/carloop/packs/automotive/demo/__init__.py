"""The demo of a believable car maker: people, fleets, dealers, advisors, vehicles, and time.

Seeded and deterministic: the same size, seed and end give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from carloop.core.demo import DemoBatch
from carloop.packs.automotive.demo.behaviour import Behaviour
from carloop.packs.automotive.demo.lives import Lives
from carloop.packs.automotive.demo.log import Log
from carloop.packs.automotive.demo.render import render
from carloop.packs.automotive.demo.world import make_world

SIZES = {"s": 20_000, "m": 100_000, "l": 500_000}
"""People per size; about 75 events each."""


def demo(size: str, seed: int, end_ms: int) -> Iterator[DemoBatch]:
    """Yield the demo's request bodies in order of occurrence.

    Args:
        size: ``s``, ``m``, ``l``, or a number of people.
        seed: the same seed gives the same world.
        end_ms: "now": nothing happens after it (milliseconds since the epoch).

    Raises:
        ValueError: an unknown size.
    """
    people = SIZES.get(size) or int(size)
    world = make_world(people, seed, end_ms)
    log = Log()
    Lives(world, log).run()
    Behaviour(world, log).run()
    yield from render(world, log)
