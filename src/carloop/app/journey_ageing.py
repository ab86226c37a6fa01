"""Letting go of sends and ended enrolments by age; as events and as counts they stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from carloop.app.channels import read_policy
from carloop.core.ports.state import State, Tx
from carloop.core.ports.tenants import Tenant
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput

SEND_DAYS = "send_days"
WINDOW = 20_000
"""Enrolments looked at per transaction."""


@dataclass(frozen=True, slots=True)
class Aged:
    """What one run removed."""

    sends: int
    enrolments: int


class JourneyAgeing:
    """Removes what is older than a tenant's setting ``send_days`` says; absent: kept for ever.

    A send goes once it came to an end, became an event and no cap of a channel counts it any more;
    an enrolment once it ended and none of its sends is left. What keeps a person from entering a
    journey a second time (``once``) stays as long as the journey.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def run(self, now: datetime) -> Aged:
        """One run over all tenants; once a day is enough.

        Raises:
            InvalidInput: ``send_days_invalid``: a tenant's setting is no number of days.
        """
        with self._state.read() as tx:
            oldest = {t.id: _days(tx, t) for t in tx.tenants.all()}
            newest = tx.enrolments.newest()
        sends = enrolments = 0
        for tenant, days in oldest.items():
            if days is None:
                continue
            before = to_ms(now - timedelta(days=days))
            for after in range(0, newest, WINDOW):
                with self._state.write() as tx:
                    sends += tx.sends.age(tenant, before, after, after + WINDOW)
                    enrolments += tx.enrolments.age(tenant, before, after, after + WINDOW)
        return Aged(sends, enrolments)


def _days(tx: Tx, tenant: Tenant) -> int | None:
    """How long sends are kept: never shorter than the longest cap looks back."""
    days = tenant.settings.get(SEND_DAYS)
    if days is None:
        return None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 36_500:
        raise InvalidInput(
            "send_days must be a whole number of days from 1 to 36500", code="send_days_invalid"
        )
    policies = [read_policy(channel.policy) for channel in tx.channels.list(tenant.id)]
    return max([days, *(policy.cap.days for policy in policies if policy.cap)])
