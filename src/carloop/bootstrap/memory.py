"""How often Python looks for garbage, and when memory goes back to the system."""

from __future__ import annotations

import ctypes
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


def give_back() -> None:
    """Return what was freed to the system; glibc keeps it in its arenas otherwise."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
