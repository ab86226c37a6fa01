"""How much one source may send: room on the Segment routes, and the bounds of its write keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from carloop.app.access.keys import Keys
from carloop.core.access import AccessKey, KeyKind
from carloop.core.events import SEGMENT_LIMITS, Limits, raised
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller
from carloop.core.sources import EVENT_BYTES, WIRE_BYTES, Source
from carloop.kit.errors import NotFound


class SourceLimits:
    """Shows and changes them; the gateway follows within a second."""

    def __init__(self, state: State, keys: Keys) -> None:
        self._state = state
        self._keys = keys

    def of(self, caller: Caller, source: int) -> Limits:
        """What a batch on the Segment routes may hold.

        Raises:
            NotFound: no such source.
        """
        with self._state.read() as tx:
            return _limits(_found(tx, caller, source))

    def change(self, caller: Caller, source: int, *, event: int, wire: int) -> Limits:
        """Give an event and a batch this many bytes, the usual at least.

        Raises:
            NotFound: no such source.
        """
        with self._state.write() as tx:
            found = _found(tx, caller, source)
            settings = {**found.settings, EVENT_BYTES: event, WIRE_BYTES: wire}
            saved = tx.sources.save(replace(found, settings=settings))
        self._keys.publish()
        return _limits(saved)

    def change_key(
        self,
        caller: Caller,
        source: int,
        id: str,
        *,
        name: str | None,
        origins: Sequence[str] | None,
        rate: int | None,
    ) -> AccessKey:
        """Rename a write key, or change its origins or its rate; what is None stays.

        Raises:
            NotFound: no such key of that source, or revoked.
        """
        with self._state.write() as tx:
            key = tx.access.key(caller.scope.tenant, id)
            if key is None or key.kind is not KeyKind.WRITE or key.source != source:
                raise NotFound("no such key")
            if key.revoked_at is not None:
                raise NotFound("no such key")
            changed = replace(
                key,
                name=key.name if name is None else name,
                origins=key.origins if origins is None else tuple(dict.fromkeys(origins)),
                rate=key.rate if rate is None else rate,
            )
            tx.access.save_key(changed)
        self._keys.publish()
        return changed


def _limits(source: Source) -> Limits:
    event, wire = (int(source.settings.get(name, 0)) for name in (EVENT_BYTES, WIRE_BYTES))
    return raised(SEGMENT_LIMITS, event, wire)


def _found(tx: Tx, caller: Caller, id: int) -> Source:
    source = tx.sources.get(caller.scope.tenant, id)
    if source is None or source.deleted_at is not None:
        raise NotFound("no such source")
    return source
