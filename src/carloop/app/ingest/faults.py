"""Counts what ingest left out of events, for data quality: in the loader's own transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from carloop.app.ingest.prepare import Prepared
from carloop.core.ports.pipeline import QuarantinedEvent
from carloop.core.ports.quality import IngestFault
from carloop.core.ports.state import Tx
from carloop.core.ports.tenants import DEFAULT_ZONE
from carloop.kit.clock import from_ms
from carloop.kit.errors import NotFound

_Place = tuple[int, int, int, str, str, str, bool]
"""Tenant, source, time of occurrence (ms), event, path, code, whether it was refused."""


def count_faults(
    tx: Tx, events: Iterable[Prepared], quarantined: Sequence[QuarantinedEvent]
) -> None:
    """Add the unusable identifiers and keys of these events to what is counted per day.

    Args:
        tx: the transaction that stores them, so that each is counted once.
        events: stored now; what was left out of them.
        quarantined: refused now; what was wrong with them.
    """
    met: list[_Place] = [
        (e.tenant, e.source, e.occurred_at, e.event, fault.path, fault.code, False)
        for e in events
        if e.faults
        for fault in e.faults
    ]
    met += [
        (q.tenant, q.source, q.occurred_at, q.event, path, code, True)
        for q in quarantined
        for path, code in q.faults
    ]
    for tenant in {place[0] for place in met}:
        zone = _zone(tx, tenant)
        counted: Counter[tuple[str, int, str, str, str]] = Counter()
        refused: Counter[tuple[str, int, str, str, str]] = Counter()
        for of, source, at, event, path, code, was_refused in met:
            if of == tenant:
                day = from_ms(at).astimezone(zone).date().isoformat()
                key = (day, source, event[:200], path[:200], code[:64])
                counted[key] += 1
                refused[key] += was_refused
        tx.quality.add_faults(
            tenant, [IngestFault(*key, number, refused[key]) for key, number in counted.items()]
        )


def _zone(tx: Tx, tenant: int) -> ZoneInfo:
    try:
        return ZoneInfo(tx.tenants.get(tenant).zone)
    except NotFound:
        return ZoneInfo(DEFAULT_ZONE)
