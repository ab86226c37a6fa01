"""Sends of unknown outcome: listed across journeys, settled by hand, never sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from carloop.app.audit import AuditLog
from carloop.app.persons.lookup import Persons
from carloop.app.persons.views import PersonSummary
from carloop.core.message import SendKey, SendState
from carloop.core.ports.state import State
from carloop.core.ports.unknown_sends import UnknownSend
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, NotFound, PermissionDenied

SETTLED = "settled_by_hand"
_LARGEST = 2**63 - 1


class SettledOutcome(StrEnum):
    """What somebody found out about a send."""

    DELIVERED = "delivered"
    FAILED = "failed"


_STATES = {
    SettledOutcome.DELIVERED: SendState.SENT,
    SettledOutcome.FAILED: SendState.FAILED,
}


@dataclass(frozen=True, slots=True)
class UnknownSendView:
    """One such send; ``person`` is None for callers who may not see that person."""

    send: UnknownSend
    person: PersonSummary | None


class UnknownSendDesk:
    """The use cases behind ``/api/sends/unknown``."""

    def __init__(self, state: State, persons: Persons, audit: AuditLog, clock: Clock) -> None:
        self._state = state
        self._persons = persons
        self._audit = audit
        self._clock = clock

    def page(
        self, caller: Caller, *, before: SendKey | None, limit: int
    ) -> Sequence[UnknownSendView]:
        """Newest enrolment first.

        Raises:
            PermissionDenied: ``scope_limited``: the caller sees only some people.
        """
        _whole(caller)
        with self._state.read() as tx:
            found = tx.unknown_sends.page(caller.scope.tenant, before=before, limit=limit)
        known = shown_people(self._state, self._persons, caller, [it.person for it in found])
        return [UnknownSendView(it, known.get(it.person)) for it in found]

    def settle(self, caller: Caller, key: str, outcome: SettledOutcome, reason: str) -> None:
        """Say what became of a send; audited with the reason.

        A receipt that comes later still has the last word.

        Raises:
            NotFound: ``send_unknown``: no such send.
            Conflict: ``send_settled``: its outcome is known.
            PermissionDenied: ``scope_limited``.
        """
        _whole(caller)
        try:
            parsed = SendKey.parse(key)
        except ValueError as error:
            raise NotFound("no such send", code="send_unknown") from error
        if not (0 <= parsed.enrolment <= _LARGEST and 0 <= parsed.visit < 2**31):
            raise NotFound("no such send", code="send_unknown")
        tenant, now = caller.scope.tenant, to_ms(self._clock.now())
        state = _STATES[outcome]
        with self._state.write() as tx:
            if not tx.unknown_sends.settle(tenant, parsed, state, SETTLED, now):
                if tx.unknown_sends.exists(tenant, parsed):
                    raise Conflict("its outcome is known", code="send_settled")
                raise NotFound("no such send", code="send_unknown")
            self._audit.append(
                tx, caller, "send.settle", str(parsed), outcome=outcome.value, why=reason
            )


def shown_people(
    state: State, persons: Persons, caller: Caller, numbers: Sequence[int]
) -> Mapping[int, PersonSummary]:
    """The people of some sends by the number kept there, as far as the caller may see them."""
    if not caller.may(Permission.PERSON_READ):
        return {}
    with state.read() as tx:
        fragments = tx.identity.by_numbers(caller.scope.tenant, set(numbers))
    now = {it.number: it.person for it in fragments}
    found = {it.number: it for it in persons.summaries(caller, sorted(set(now.values())))}
    return {old: found[person] for old, person in now.items() if person in found}


def _whole(caller: Caller) -> None:
    if caller.scope.limited:
        raise PermissionDenied("journeys reach all people", code="scope_limited")
