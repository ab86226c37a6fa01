"""Wires readiness and the figures of ``/metrics``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from carloop.app.operation.health import Figure, Health, Sample, disk_probe, lag_probe
from carloop.app.operation.lag import Lag
from carloop.bootstrap.background import Loop
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import TENANT, Stores
from carloop.core.ports.state import Tx
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, to_ms
from carloop.sql import Query

PARTS = Query("SELECT table, count() FROM system.parts WHERE active GROUP BY table ORDER BY table")


def wire_health(
    settings: Settings,
    stores: Stores,
    loops: Sequence[Loop],
    lag: Callable[[], Lag],
    clock: Clock,
    more: Sequence[Figure] = (),
) -> Health:
    """What ``/readyz`` asks and ``/metrics`` shows."""

    def state() -> None:
        with stores.state.read() as tx:
            tx.tenants.get(TENANT)

    probes: dict[str, Callable[[], None]] = {
        "state_store": state,
        "event_store": stores.event_store.ping,
        "disk": disk_probe(settings.data),
        "lag": lag_probe(lambda: lag().seconds),
        **{loop.name: loop.probe for loop in loops},
    }
    return Health(probes, [*_loading(lag), *more, *_stored(stores, clock)])


def segments_of(tx: Tx, tenant: int) -> int:
    """How many segments a tenant has."""
    return len(tx.segments.all(tenant))


def sends_of(tx: Tx, tenant: int) -> Mapping[str, int]:
    """Sends of a tenant by state."""
    counted: Counter[str] = Counter()
    for (state, _), number in tx.sends.counts(tenant).items():
        counted[state] += number
    return counted


def _loading(lag: Callable[[], Lag]) -> list[Figure]:
    return [
        Figure(
            "load_lag_seconds",
            "Age of the oldest event not loaded yet.",
            lambda: [((), lag().seconds)],
        ),
        Figure(
            "load_lag_batches",
            "Acknowledged batches not loaded yet.",
            lambda: [((), float(lag().batches))],
        ),
    ]


def _stored(stores: Stores, clock: Clock) -> list[Figure]:
    def quarantined() -> list[Sample]:
        with stores.state.read() as tx:
            groups = tx.quarantine.summary(TENANT)
        counted: Counter[str] = Counter()
        for group in groups:
            counted[group.code] += group.count
        return [((code,), float(number)) for code, number in counted.items()]

    def sends() -> list[Sample]:
        with stores.state.read() as tx:
            return [((state,), float(n)) for state, n in sends_of(tx, TENANT).items()]

    def segment_ages() -> list[Sample]:
        now, ages = to_ms(clock.now()), list[Sample]()
        with stores.state.read() as tx:
            for segment in tx.segments.all(TENANT):
                snapshot = tx.segments.snapshot(TENANT, segment.id)
                if snapshot is not None:
                    ages.append(((segment.uuid,), max(0, now - snapshot.refreshed_at) / 1000))
        return ages

    def parts() -> list[Sample]:
        rows = stores.event_store.query(PARTS, Scope(TENANT)).rows
        return [((str(table),), float(number)) for table, number in rows]

    return [
        Figure("quarantine_open", "Events in quarantine, by reason.", quarantined, ("code",)),
        Figure("sends", "Sends, by state.", sends, ("state",)),
        Figure(
            "segment_age_seconds", "Time since a segment's refresh.", segment_ages, ("segment",)
        ),
        Figure("event_store_parts", "Active parts, by table.", parts, ("table",)),
    ]
