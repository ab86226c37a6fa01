"""Events that could not be taken: look at them, and try again once the reason is gone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from carloop.app.audit import AuditLog
from carloop.app.ingest.reading import REPLAY, Replay
from carloop.core.events import Received
from carloop.core.ports.journal import Journal
from carloop.core.ports.pipeline import QuarantineCount, QuarantinedEvent, QuarantineState
from carloop.core.ports.state import State
from carloop.core.scope import Caller

MOST_AT_ONCE = 10_000
_ONE_BODY = 1


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


class Quarantine:
    """Reads and replays quarantine. A replay takes the bytes as received, out of the journal."""

    def __init__(self, state: State, journal: Journal, audit: AuditLog) -> None:
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
        source: int | None = None,
        code: str | None = None,
        state: QuarantineState | None = QuarantineState.OPEN,
    ) -> Sequence[QuarantinedEvent]:
        """Newest first."""
        with self._state.read() as tx:
            return tx.quarantine.page(
                caller.scope.tenant,
                limit=limit,
                before=before,
                source=source,
                code=code,
                state=state,
            )

    def replay(
        self, caller: Caller, *, source: int | None = None, code: str | None = None
    ) -> Replayed:
        """Send open events through the pipeline again, at most 10 000 at once.

        An event that was stored in the meantime is not stored twice; one that fails again comes
        back as a new entry.
        """
        events = self.page(caller, limit=MOST_AT_ONCE + 1, source=source, code=code)
        more, events = len(events) > MOST_AT_ONCE, events[:MOST_AT_ONCE]
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
        self._journal.append(bodies)
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            tx.quarantine.mark(tenant, replayed, QuarantineState.REPLAYED)
            tx.quarantine.mark(tenant, gone, QuarantineState.DROPPED)
            self._audit.append(
                tx, caller, "quarantine.replay", "quarantine",
                source=source, code=code, replayed=len(replayed), gone=len(gone),
            )  # fmt: skip
        return Replayed(len(replayed), len(gone), more)

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
