"""Readiness by part, and the figures that ``/metrics`` shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carloop.kit.errors import CarloopError, Unavailable

Sample = tuple[tuple[str, ...], float]

LEAST_FREE_BYTES = 64 * 1024 * 1024
MOST_LAG_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Part:
    """Whether one part can serve; ``reason`` is a stable code where it cannot."""

    ready: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One family of gauges or counters.

    Attributes:
        name: in the Prometheus convention, with its unit, without the ``carloop_`` prefix.
        labels: names of the labels; each sample gives their values.
        read: takes the samples now.
    """

    name: str
    help: str
    read: Callable[[], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    kind: str = "gauge"


class Health:
    """Asks each part in turn.

    Args:
        probes: by part, a call that raises ``CarloopError`` where the part cannot serve.
        figures: what ``/metrics`` shows.
    """

    def __init__(
        self, probes: Mapping[str, Callable[[], None]], figures: Iterable[Figure] = ()
    ) -> None:
        self._probes = dict(probes)
        self.figures = tuple(figures)

    def parts(self) -> dict[str, Part]:
        """Every part, ready or with a reason."""
        return {name: _ask(probe) for name, probe in self._probes.items()}


def _ask(probe: Callable[[], None]) -> Part:
    try:
        probe()
    except CarloopError as error:
        return Part(False, error.code)
    return Part(True)


def disk_probe(directory: Path, least_free_bytes: int = LEAST_FREE_BYTES) -> Callable[[], None]:
    """A probe that fails (``disk_full``) while less than ``least_free_bytes`` are free."""

    def probe() -> None:
        if shutil.disk_usage(directory).free < least_free_bytes:
            raise Unavailable("the disk is almost full", code="disk_full")

    return probe


def lag_probe(
    lag_seconds: Callable[[], float], most_seconds: float = MOST_LAG_SECONDS
) -> Callable[[], None]:
    """A probe that fails (``loader_behind``) while events wait longer than ``most_seconds``."""

    def probe() -> None:
        if lag_seconds() > most_seconds:
            raise Unavailable("the loader is behind", code="loader_behind")

    return probe
