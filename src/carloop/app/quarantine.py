"""Events that could not be taken: look at them, and try again once the reason is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from carloop.app.audit import AuditLog
from carloop.app.feeds.records import NAME as RECORDS
from carloop.app.feeds.records import places_of
from carloop.app.ingest.reading import REPLAY, Replay
from carloop.core.events import Received
from carloop.core.ports.journal import Journal
from carloop.core.ports.pipeline import (
    EVERYTHING,
    QuarantineCount,
    QuarantinedEvent,
    QuarantineFilter,
    QuarantineState,
)
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller

MOST_AT_ONCE = 10_000
_ONE_BODY = 1


Renewed = Callable[[Tx, Received], str]


class Replayed(NamedTuple):
    """What a replay did.

    Attributes:
        replayed: events that go through the pipeline again.
        gone: events whose received bytes have aged out; they are marked dropped.
        more: whether there are further events of this kind; ask again.
    """

    replayed: int
    gone: int
    more: bool


def _as_kept(tx: Tx, received: Received) -> str:
    return received.hint


class Quarantine:
    """Reads and replays quarantine. A replay takes the bytes as received, out of the journal.

    Args:
        renewed: the hint that a body is decoded with today (a mapping that was mended).
    """

    def __init__(
        self, state: State, journal: Journal, audit: AuditLog, renewed: Renewed = _as_kept
    ) -> None:
        self._renewed = renewed
        self._state = state
        self._journal = journal
        self._audit = audit

    def summary(self, caller: Caller) -> Sequence[QuarantineCount]:
        """Open events by source, reason and event name, most first."""
        with self._state.read() as tx:
            return tx.quarantine.summary(caller.scope.tenant)

    def page(
        self,
        caller: Caller,
        *,
        limit: int,
        before: int | None = None,
        only: QuarantineFilter = EVERYTHING,
        state: QuarantineState | None = QuarantineState.OPEN,
    ) -> Sequence[QuarantinedEvent]:
        """Newest first."""
        with self._state.read() as tx:
            return tx.quarantine.page(
                caller.scope.tenant,
                limit=limit,
                before=before,
                only=only,
                state=state,
            )

    def replay(
        self, caller: Caller, only: QuarantineFilter = EVERYTHING, *, most: int = MOST_AT_ONCE
    ) -> Replayed:
        """Send open events through the pipeline again, at most ``most`` at once.

        An event that was stored in the meantime is not stored twice; one that fails again comes
        back as a new entry.
        """
        events = self.page(caller, limit=most + 1, only=only)
        more, events = len(events) > most, events[:most]
        bodies: list[Received] = []
        replayed: list[int] = []
        gone: list[int] = []
        ordered = sorted(events, key=lambda event: (event.batch, event.index))
        for batch, group in groupby(ordered, key=lambda event: event.batch):
            wanted = list(group)
            body = self._again(batch, [event.index for event in wanted])
            if body is not None:
                bodies.append(body)
            (gone if body is None else replayed).extend(event.id for event in wanted)
        self._renew(bodies)
        self._journal.append(bodies)
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            tx.quarantine.mark(tenant, replayed, QuarantineState.REPLAYED)
            tx.quarantine.mark(tenant, gone, QuarantineState.DROPPED)
            self._audit.append(
                tx, caller, "quarantine.replay", "quarantine",
                only=only.told(), replayed=len(replayed), gone=len(gone),
            )  # fmt: skip
        return Replayed(len(replayed), len(gone), more)

    def _renew(self, bodies: Sequence[Received]) -> None:
        """Let the bodies be decoded by today's settings of their sources."""
        with self._state.read() as tx:
            for body in bodies:
                replay = msgspec.msgpack.decode(body.body, type=Replay)
                kept = Received(
                    tenant=body.tenant,
                    source=body.source,
                    protocol=replay.protocol,
                    received_at=body.received_at,
                    body=replay.body,
                    hint=replay.hint,
                )
                hint = self._renewed(tx, kept)
                if hint != replay.hint:
                    replay.hint = hint
                    if replay.protocol == RECORDS:
                        replay.indexes = places_of(replay.indexes, replay.hint)
                    body.body = msgspec.msgpack.encode(replay)

    def _again(self, batch: int, indexes: list[int]) -> Received | None:
        """A journal body that asks for some events of an earlier one; None when that is gone."""
        found = next(self._journal.read(batch - 1, _ONE_BODY), None)
        if found is None or found.id != batch:
            return None
        kept = found.received
        if kept.protocol == REPLAY:
            replay = msgspec.msgpack.decode(kept.body, type=Replay)
            replay.indexes = indexes
        else:
            replay = Replay(kept.protocol, kept.hint, kept.body, indexes)
        return Received(
            tenant=kept.tenant,
            source=kept.source,
            protocol=REPLAY,
            received_at=kept.received_at,
            body=msgspec.msgpack.encode(replay),
        )
