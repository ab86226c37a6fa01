"""API tokens and write keys: issued once in clear, stored as a hash, published to the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from carloop.app.access.callers import Callers
from carloop.app.access.signing_in import Access
from carloop.core.access import (
    AccessKey,
    KeyKind,
    fingerprint,
    new_token,
    new_write_key,
    random_text,
)
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller, Role
from carloop.core.sources import EVENT_BYTES, WIRE_BYTES
from carloop.core.write_keys import WriteKey
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import InvalidInput, NotFound

Publish = Callable[[Sequence[WriteKey]], None]


class Keys:
    """Issues, rotates and revokes keys.

    Args:
        publish: replaces what the gateway reads; called after every change and at start.
    """

    def __init__(
        self, state: State, clock: Clock, callers: Callers, access: Access, publish: Publish
    ) -> None:
        self._state = state
        self._clock = clock
        self._callers = callers
        self._access = access
        self._publish = publish

    def tokens(self, caller: Caller) -> Sequence[AccessKey]:
        """The API tokens of the tenant, oldest first."""
        with self._state.read() as tx:
            return tx.access.keys(KeyKind.TOKEN, caller.scope.tenant)

    def create_token(
        self,
        caller: Caller,
        name: str,
        roles: Sequence[Role],
        dims: Mapping[str, Sequence[str]],
        expires_at: int | None = None,
    ) -> tuple[AccessKey, str]:
        """Issue an API token; the clear text is returned this once.

        Raises:
            InvalidInput: ``role_missing``, ``dimension_…``, ``expired``.
        """
        self._callers.check(roles, dims)
        id = random_text(12)
        clear = new_token(id)
        key = AccessKey(
            tenant=caller.scope.tenant,
            id=id,
            kind=KeyKind.TOKEN,
            name=name,
            hash=fingerprint(clear),
            hint=clear[-4:],
            roles=tuple(dict.fromkeys(roles)),
            dims={n: tuple(k) for n, k in dims.items()},
            created_at=self._now(),
            expires_at=self._in_future(expires_at),
        )
        with self._state.write() as tx:
            tx.access.add_key(key)
        return key, clear

    def create_write_key(
        self,
        caller: Caller,
        source: int,
        name: str,
        *,
        origins: Sequence[str] = (),
        rate: int = 0,
        expires_at: int | None = None,
    ) -> tuple[AccessKey, str]:
        """Issue a write key of a source; older ones go on working until revoked.

        Raises:
            NotFound: no such source.
            InvalidInput: ``expired``.
        """
        clear = new_write_key()
        key = AccessKey(
            tenant=caller.scope.tenant,
            id=random_text(12),
            kind=KeyKind.WRITE,
            name=name,
            hash=fingerprint(clear),
            hint=clear[-4:],
            source=source,
            origins=tuple(dict.fromkeys(origins)),
            rate=rate,
            created_at=self._now(),
            expires_at=self._in_future(expires_at),
        )
        with self._state.write() as tx:
            found = tx.sources.get(caller.scope.tenant, source)
            if found is None or found.deleted_at is not None:
                raise NotFound("no such source")
            tx.access.add_key(key)
        self.publish()
        return key, clear

    def revoke(
        self,
        caller: Caller,
        kind: KeyKind,
        id: str,
        *,
        source: int | None = None,
        after_ms: int = 0,
    ) -> None:
        """Make a key stop working, at once or ``after_ms`` from now (so that senders can rotate).

        Raises:
            NotFound: no such key of that kind and source.
        """
        with self._state.write() as tx:
            key = tx.access.key(caller.scope.tenant, id)
            if key is None or key.kind != kind or key.source != source:
                raise NotFound("no such key")
            now = self._now()
            if after_ms:
                ends = min(now + after_ms, key.expires_at or now + after_ms)
                tx.access.save_key(replace(key, expires_at=ends))
            elif key.revoked_at is None:
                tx.access.save_key(replace(key, revoked_at=now))
        self._access.forget()
        if kind is KeyKind.WRITE:
            self.publish()

    def publish(self) -> None:
        """Tell the gateway which write keys work now."""
        with self._state.read() as tx:
            keys = _working(tx, self._now())
        self._publish(keys)

    def _in_future(self, expires_at: int | None) -> int | None:
        if expires_at is not None and expires_at <= self._now():
            raise InvalidInput("the key would be expired", code="expired", path="expires_at")
        return expires_at

    def _now(self) -> int:
        return to_ms(self._clock.now())


def _working(tx: Tx, now: int) -> list[WriteKey]:
    open_sources = {
        (source.tenant, source.id): source.settings
        for source in tx.sources.list()
        if source.enabled and source.deleted_at is None
    }
    found = []
    for key in tx.access.keys(KeyKind.WRITE):
        if key.source is None or not key.works_at(now):
            continue
        settings = open_sources.get((key.tenant, key.source))
        if settings is None:
            continue
        made = WriteKey(
            hash=key.hash.hex(),
            tenant=key.tenant,
            source=key.source,
            origins=key.origins,
            rate=key.rate,
            expires_at=key.expires_at,
            event_bytes=int(settings.get(EVENT_BYTES, 0)),
            wire_bytes=int(settings.get(WIRE_BYTES, 0)),
        )
        found.append(made)
    return found
