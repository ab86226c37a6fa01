"""The suppression list as people keep it: shown masked, added to, lifted with a reason.

What is kept of an address is a keyed hash, the same as its identifier's key: an address that
belongs to somebody is shown masked, one that belongs to nobody (any more) as its hash alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carloop.app.audit import AuditLog
from carloop.app.persons.lookup import Persons
from carloop.app.persons.views import PersonSummary
from carloop.core.masks import mask
from carloop.core.ports.consents import Suppression
from carloop.core.ports.identity import Fragment
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, NotFound, PermissionDenied

BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """One address; ``type``, ``address`` (masked) and ``person`` where the caller may see them."""

    entry: Suppression
    type: str | None
    address: str | None
    person: PersonSummary | None


class SuppressionDesk:
    """The use cases behind ``/api/suppressions``."""

    def __init__(
        self, state: State, cipher: Cipher, persons: Persons, audit: AuditLog, clock: Clock
    ) -> None:
        self._state = state
        self._cipher = cipher
        self._persons = persons
        self._audit = audit
        self._clock = clock

    def page(
        self, caller: Caller, *, before: tuple[int, bytes] | None, limit: int
    ) -> Sequence[SuppressionView]:
        """Newest first.

        Raises:
            PermissionDenied: ``scope_limited``: the caller sees only some people.
        """
        _whole(caller)
        with self._state.read() as tx:
            found = tx.suppressions.page(caller.scope.tenant, before=before, limit=limit)
        return self._views(caller, found)

    def find(self, caller: Caller, address: str) -> Sequence[SuppressionView]:
        """The entry of an address ``type:value``, if it is on the list.

        Raises:
            InvalidIdentifier: not a usable address.
            PermissionDenied: ``scope_limited``.
        """
        _whole(caller)
        tenant = caller.scope.tenant
        key = self._cipher.identifier_key(tenant, self._persons.parse(address))
        with self._state.read() as tx:
            entry = tx.suppressions.get(tenant, key)
        return self._views(caller, [entry] if entry else [])

    def add(self, caller: Caller, address: str, reason: str) -> SuppressionView:
        """Put an address on the list, known to us or not; audited with the reason.

        Raises:
            InvalidIdentifier: not a usable address.
            Conflict: ``suppressed_already``.
            PermissionDenied: ``scope_limited``.
        """
        _whole(caller)
        tenant = caller.scope.tenant
        key = self._cipher.identifier_key(tenant, self._persons.parse(address))
        entry = Suppression(key, BY_HAND, to_ms(self._clock.now()))
        with self._state.write() as tx:
            if tx.suppressions.get(tenant, key) is not None:
                raise Conflict("the address is on the list", code="suppressed_already")
            tx.suppressions.add(tenant, key, entry.reason, entry.at)
            self._audit.append(tx, caller, "suppression.add", key.hex(), why=reason)
        return self._views(caller, [entry])[0]

    def lift(self, caller: Caller, id: str, reason: str) -> None:
        """Take an address off the list; consent that was withdrawn stays so. Audited.

        Raises:
            NotFound: ``suppression_unknown``.
            PermissionDenied: ``scope_limited``.
        """
        _whole(caller)
        with self._state.write() as tx:
            if not tx.suppressions.lift(caller.scope.tenant, bytes.fromhex(id)):
                raise NotFound("no such address on the list", code="suppression_unknown")
            self._audit.append(tx, caller, "suppression.lift", id, why=reason)

    def _views(self, caller: Caller, entries: Sequence[Suppression]) -> list[SuppressionView]:
        if not caller.may(Permission.PERSON_READ):
            return [SuppressionView(it, None, None, None) for it in entries]
        tenant = caller.scope.tenant
        with self._state.read() as tx:
            known = {f.key: f for f in tx.identity.by_keys(tenant, [it.key for it in entries])}
            values = self._persons.clear(tx, tenant, list(known.values()))
        summaries = self._persons.summaries(caller, sorted({f.person for f in known.values()}))
        people = {it.number: it for it in summaries}
        return [_view(it, known.get(it.key), values, people) for it in entries]


def _view(
    entry: Suppression,
    fragment: Fragment | None,
    values: dict[int, str],
    people: dict[int, PersonSummary],
) -> SuppressionView:
    if fragment is None or fragment.person not in people:
        return SuppressionView(entry, None, None, None)
    shown = mask(fragment.type, values[fragment.number])
    return SuppressionView(entry, fragment.type, shown, people[fragment.person])


def _whole(caller: Caller) -> None:
    if caller.scope.limited:
        raise PermissionDenied("journeys reach all people", code="scope_limited")
