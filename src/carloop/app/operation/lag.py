"""How far the events that can be queried are behind those that were acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from carloop.app.pipeline import CURSOR
from carloop.core.events import SEQ_BITS
from carloop.core.ports.state import State
from carloop.kit.clock import Clock, to_ms


class Accepted(Protocol):
    """What the journal tells of acknowledged batches."""

    def last_id(self) -> int:
        """Id of the newest batch, 0 when empty."""
        ...

    def received_at(self, after: int) -> int | None:
        """When the first batch beyond ``after`` was received, epoch ms; None: there is none."""
        ...


class Lag(NamedTuple):
    """``batches`` acknowledged and not loaded yet; the oldest has waited for ``seconds``."""

    accepted: int
    loaded: int
    seconds: float

    @property
    def batches(self) -> int:
        """How many batches wait."""
        return max(0, self.accepted - self.loaded)


def lag_reader(state: State, journal: Accepted, clock: Clock) -> Callable[[], Lag]:
    """A function that tells the lag now."""

    def read() -> Lag:
        with state.read() as tx:
            loaded = tx.pipeline.cursor(CURSOR) >> SEQ_BITS
        oldest = journal.received_at(loaded)
        now = to_ms(clock.now())
        seconds = 0.0 if oldest is None else max(0, now - oldest) / 1000
        return Lag(journal.last_id(), loaded, seconds)

    return read
