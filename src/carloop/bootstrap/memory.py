"""How often Python looks for garbage that refers to itself."""

from __future__ import annotations

import gc

ALLOCATIONS = 50_000


def collect_seldom() -> None:
    """Leave alone what is loaded by now, and look seldom from now on.

    A batch makes hundreds of thousands of objects that die without help; with Python's defaults
    half of the loader's time went into looking through them (``benchmarks/ingest.py``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 50)
