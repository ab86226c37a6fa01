"""The registry's relations: in any batches and any order, what the facts add up to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carloop.app.entities.registry import EntityRegistry, RelationFact
from carloop.core.ports.entities import Relation
from carloop.engines.identity.relations import Fact, intervals
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from tests.support.world import CATALOGUE

TENANTS: Iterator[int] = count(800_000)
KINDS = ("owns", "customer_of")
told = st.builds(
    lambda kind, object, subject, at, ends: RelationFact(
        kind, subject, object, at, f"m{at}{subject}", 7, ends
    ),
    st.sampled_from(KINDS),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(0, 6),
    st.booleans(),
)


def expected(facts: list[RelationFact], kind: str, object: int) -> list[Relation]:
    """All at once, by the pure function."""
    log = [
        Fact(f.at, f.message_id, not f.ends, f.subject, f.source)
        for f in facts
        if (f.kind, f.object) == (kind, object)
    ]
    exclusive = CATALOGUE.relation_types[kind].exclusive
    return [
        Relation(kind, object, i.subject, i.since, i.until, i.source, i.message_id)
        for i in intervals(log, exclusive=exclusive)
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(told, max_size=4), max_size=6))
def test_batches_in_any_order_give_the_intervals_of_all_facts(
    state: SqlState, cipher: VaultCipher, batches: list[list[RelationFact]]
) -> None:
    tenant, registry = next(TENANTS), EntityRegistry(CATALOGUE, cipher)
    so_far: list[RelationFact] = []
    for batch in batches:
        so_far += batch
        with state.write() as tx:
            registry.relate(tx, tenant, batch)
        for kind in KINDS:
            for object in (1, 2):
                with state.read() as tx:
                    stored = tx.entities.relations(tenant, [kind], objects=[object])
                assert sorted(stored, key=str) == sorted(expected(so_far, kind, object), key=str)


def test_nobody_has_no_relations(state: SqlState, cipher: VaultCipher, tenant: int) -> None:
    with state.write() as tx:
        EntityRegistry(CATALOGUE, cipher).relate(
            tx, tenant, [RelationFact("owns", 0, 4, 1, "m"), RelationFact("owns", 4, 0, 1, "m")]
        )
        assert tx.entities.facts_on(tenant, "owns", [0, 4]) == []
