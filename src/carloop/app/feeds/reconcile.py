"""Do the source and the store agree? Records here are told apart by the key in their message id."""

from __future__ import annotations

from dataclasses import dataclass

from carloop.core.ports.event_store import EventStore
from carloop.core.ports.feeds import StoredFeed
from carloop.core.ports.state import State
from carloop.core.scope import Scope
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

KEY_LENGTH = 32
"""Characters of a message id that name the record: see ``records.RecordsProtocol``."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Figures of one moment; a source that goes on writing differs by what is under way.

    Attributes:
        at_source: records at the source; None where it cannot tell.
        landed: distinct records of which an event is stored.
        quarantined: entries in quarantine that nobody has settled.
    """

    at_source: int | None
    landed: int
    quarantined: int

    @property
    def missing(self) -> int | None:
        """Records neither stored nor in quarantine (unused ones among them); None: unknown."""
        if self.at_source is None:
            return None
        return self.at_source - self.landed - self.quarantined


def reconcile(
    state: State,
    event_store: EventStore,
    feed: StoredFeed,
    scope: Scope,
    at_source: int | None,
) -> Reconciliation:
    """Count what landed of a feed."""
    params = Params()
    source = params.add(feed.source, "UInt32")
    length = params.add(KEY_LENGTH, "UInt8")
    text = events(
        scope,
        params,
        f"uniqExact(substring(message_id, 1, {length})) AS landed",
        where=[f"source = {source}"],
    )
    rows = event_store.query(Query(text, params.values), scope).rows
    with state.read() as tx:
        open_ = sum(c.count for c in tx.quarantine.summary(feed.tenant) if c.source == feed.source)
    return Reconciliation(at_source, int(rows[0][0]), open_)
