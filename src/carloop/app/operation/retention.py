"""Letting go of events, finished jobs and kept answers by age.

The journal, the quarantine and the seen ids go with the loader, who alone may touch them while it
runs: ``Pipeline.expire``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import InvalidInput
from carloop.sql import Query

EVENT_DAYS = "event_days"
JOB_DAYS = 90
ANSWER_DAYS = 1
COUNT_SECONDS = 300
_OLD = "tenant = {tenant:UInt32} AND occurred_at < {before:DateTime64(3, 'UTC')}"


@dataclass(frozen=True, slots=True)
class Expired:
    """What one run removed."""

    events: int
    jobs: int


class Retention:
    """Removes what is older than a tenant's setting ``event_days`` says; absent: kept for ever."""

    def __init__(self, state: State, event_store: EventStore, clock: Clock) -> None:
        self._state = state
        self._event_store = event_store
        self._clock = clock

    def run(self) -> Expired:
        """One run over all tenants; once a day is enough.

        Raises:
            InvalidInput: ``event_days_invalid``: a tenant's setting is no number of days.
        """
        now = self._clock.now()
        with self._state.read() as tx:
            tenants = tx.tenants.all()
        events = sum(self._expire_events(tenant, now) for tenant in tenants)
        with self._state.write() as tx:
            jobs = tx.jobs.expire(to_ms(now - timedelta(days=JOB_DAYS)))
            tx.idempotency.expire(to_ms(now - timedelta(days=ANSWER_DAYS)))
        return Expired(events, jobs)

    def _expire_events(self, tenant: Tenant, now: datetime) -> int:
        days = tenant.settings.get(EVENT_DAYS)
        if days is None:
            return 0
        if not isinstance(days, int) or isinstance(days, bool) or days < 1:
            raise InvalidInput(
                "event_days must be a whole number of days from 1", code="event_days_invalid"
            )
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        bound = {"tenant": tenant.id, "before": midnight - timedelta(days=days)}
        found = self._event_store.query(
            Query(f"SELECT count() FROM events WHERE {_OLD}", bound),  # noqa: S608
            Scope(tenant.id),
            timeout_seconds=COUNT_SECONDS,
        )
        count = int(found.rows[0][0])
        if count:
            self._event_store.delete("events", _OLD, bound)
        return count
