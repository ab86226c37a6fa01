"""Sources: the ways in, their write keys, and what came through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from carloop.app.access.keys import Keys
from carloop.app.source_settings import SettingsView, SourceDesk
from carloop.connectors import HOOKS
from carloop.core.access import AccessKey, KeyKind
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller, Scope
from carloop.core.sources import Source, SourceKind
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import NotFound
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What came through a source; ``last_event_at`` is the arrival, epoch ms."""

    events_total: int = 0
    events_24h: int = 0
    rejected_24h: int = 0
    last_event_at: int | None = None


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source with its write keys, its statistics and, where its kind has some, settings."""

    source: Source
    keys: Sequence[AccessKey]
    statistics: SourceStatistics
    settings: SettingsView | None = None


RejectedBySource = Callable[[Tx, int, int], Mapping[int, int]]
"""How many events of each source of a tenant went to quarantine since an instant (epoch ms)."""


class Sources:
    """Creates, changes and lists sources."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        clock: Clock,
        keys: Keys,
        rejected: RejectedBySource,
        desk: SourceDesk,
    ) -> None:
        self._desk = desk
        self._state = state
        self._rejected = rejected
        self._events = event_store
        self._clock = clock
        self._keys = keys

    def list(self, caller: Caller) -> list[SourceView]:
        """All sources that are not removed."""
        scope = caller.scope
        counted = self._counted(scope)
        with self._state.read() as tx:
            return [
                self._view(tx, source, counted)
                for source in tx.sources.list(scope.tenant)
                if source.deleted_at is None
            ]

    def get(self, caller: Caller, id: int) -> SourceView:
        """One source.

        Raises:
            NotFound: no such source, or removed.
        """
        counted = self._counted(caller.scope)
        with self._state.read() as tx:
            return self._view(tx, _found(tx, caller.scope.tenant, id), counted)

    def create(
        self,
        caller: Caller,
        name: str,
        kind: SourceKind,
        *,
        historical: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> Source:
        """Create a source; a kind with settings needs them.

        Raises:
            Conflict: ``name_taken``.
            InvalidInput: a setting is wrong.
        """
        with self._state.write() as tx:
            source = tx.sources.add(
                Source(
                    tenant=caller.scope.tenant,
                    id=0,
                    name=name,
                    kind=kind,
                    historical=historical,
                    created_at=to_ms(self._clock.now()),
                )
            )
            if settings is not None or kind in HOOKS:
                self._desk.put(tx, caller, source, settings or {})
        self._desk.publish()
        return source

    def ensure(self, caller: Caller, name: str, kind: SourceKind) -> Source:
        """The source of that name, created where there is none."""
        with self._state.read() as tx:
            found = tx.sources.named(caller.scope.tenant, name)
        return found or self.create(caller, name, kind)

    def change(
        self,
        caller: Caller,
        id: int,
        version: int | None,
        *,
        name: str | None = None,
        enabled: bool | None = None,
        historical: bool | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Source:
        """Rename, enable, disable, set anew; a disabled source's keys and address stop working.

        Raises:
            NotFound: no such source.
            Conflict: ``stale``, ``name_taken``.
            InvalidInput: a setting is wrong.
        """
        with self._state.write() as tx:
            source = _found(tx, caller.scope.tenant, id)
            saved = tx.sources.save(
                replace(
                    source,
                    version=source.version if version is None else version,
                    name=source.name if name is None else name,
                    enabled=source.enabled if enabled is None else enabled,
                    historical=source.historical if historical is None else historical,
                )
            )
            if settings is not None:
                self._desk.put(tx, caller, saved, settings)
        self._keys.publish()
        self._desk.publish()
        return saved

    def remove(self, caller: Caller, id: int) -> None:
        """Remove a source; its events stay, its keys stop working, its number is never re-used.

        Raises:
            NotFound: no such source.
        """
        with self._state.write() as tx:
            source = _found(tx, caller.scope.tenant, id)
            tx.sources.save(replace(source, enabled=False, deleted_at=to_ms(self._clock.now())))
        self._keys.publish()
        self._desk.publish()

    def _view(self, tx: Tx, source: Source, counted: Mapping[int, SourceStatistics]) -> SourceView:
        keys = [
            key
            for key in tx.access.keys(KeyKind.WRITE, source.tenant)
            if key.source == source.id and key.revoked_at is None
        ]
        statistics = counted.get(source.id, SourceStatistics())
        return SourceView(source, keys, statistics, self._desk.view(tx, source))

    def _counted(self, scope: Scope) -> dict[int, SourceStatistics]:
        since = to_ms(self._clock.now()) - DAY_MS
        params = Params()
        after = params.add(since, "Int64")
        columns = (
            "source, count() AS total, "
            f"countIf(toUnixTimestamp64Milli(received_at) > {after}) AS recent, "
            "toUnixTimestamp64Milli(max(received_at)) AS last"
        )
        text = events(scope, params, columns, group="source")
        rows = self._events.query(Query(text, params.values), scope).rows
        with self._state.read() as tx:
            rejected = self._rejected(tx, scope.tenant, since)
        found = {
            int(source): SourceStatistics(int(total), int(recent), 0, int(last))
            for source, total, recent, last in rows
        }
        for source, number in rejected.items():
            found[source] = replace(found.get(source, SourceStatistics()), rejected_24h=number)
        return found


def _found(tx: Tx, tenant: int, id: int) -> Source:
    source = tx.sources.get(tenant, id)
    if source is None or source.deleted_at is not None:
        raise NotFound("no such source")
    return source
