"""Events of sources that repeat themselves for ever: were they stored before ids were forgotten?

Ids are remembered for about a week. A table that is read whole every night, or a file of customers
that comes every month, says the same for years; so events of such sources, once a source is older
than the memory of ids, are looked for in the event store itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import islice
from uuid import UUID

from carloop.app.ingest.prepare import Prepared
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State
from carloop.core.scope import Scope
from carloop.core.sources import SourceKind
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

REPEATING = (SourceKind.SYSTEM, SourceKind.FILE)
AT_ONCE = 5_000
"""Ids of one query: their text stays within what a ClickHouse server takes in a request."""
DAY_MS = 86_400_000


class Repeats:
    """Finds events that were stored before their ids were forgotten.

    Args:
        days: after which a source may repeat what is no longer remembered.
    """

    def __init__(self, state: State, event_store: EventStore, days: int) -> None:
        self._state = state
        self._event_store = event_store
        self._days = days

    def without(self, fresh: Sequence[Prepared]) -> list[Prepared]:
        """The events that are not stored."""
        groups: dict[tuple[int, int], list[Prepared]] = defaultdict(list)
        for event in fresh:
            groups[event.tenant, event.source].append(event)
        old = self._old(groups) if groups else ()
        stored: set[bytes] = set()
        for place in old:
            rest = iter(groups[place])
            while piece := list(islice(rest, AT_ONCE)):
                stored |= self._stored(*place, piece)
        return [e for e in fresh if e.event_id not in stored] if stored else list(fresh)

    def _old(self, groups: dict[tuple[int, int], list[Prepared]]) -> Collection[tuple[int, int]]:
        """Sources that repeat themselves and are older than the memory of ids."""
        with self._state.read() as tx:
            found = [(place, tx.sources.get(*place)) for place in groups]
        return [
            place
            for place, source in found
            if source is not None
            and source.kind in REPEATING
            and groups[place][-1].received_at - source.created_at > self._days * DAY_MS
        ]

    def _stored(self, tenant: int, source: int, piece: Sequence[Prepared]) -> set[bytes]:
        params = Params()
        times = [event.occurred_at for event in piece]
        ids = params.add([str(UUID(bytes=event.event_id)) for event in piece], "Array(UUID)")
        where = [
            f"source = {params.add(source, 'UInt32')}",
            f"event IN {params.add(sorted({e.event for e in piece}), 'Array(String)')}",
            f"occurred_at >= fromUnixTimestamp64Milli({params.add(min(times), 'Int64')})",
            f"occurred_at <= fromUnixTimestamp64Milli({params.add(max(times), 'Int64')})",
            f"event_id IN {ids}",
        ]
        scope = Scope(tenant)
        text = events(scope, params, "toString(event_id) AS id", where=where)
        rows = self._event_store.query(Query(text, params.values), scope).rows
        return {UUID(id_).bytes for (id_,) in rows}
