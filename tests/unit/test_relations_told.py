"""``$relate``: a sender's own word on a relation, through journal and pipeline."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.test_events_of_entities import NOW, VIN, Rig, ev, rig

__all__ = ["rig"]
HOUR = 3_600_000


def told(message_id: str, at: int, **properties: Any) -> dict[str, Any]:
    who = {"identifiers": {"login_id": "u1"}, "entities": {"vehicle": VIN}}
    return {**ev(message_id, "$relate", properties=properties, **who), "occurred_at": at}


def held(rig: Rig, kind: str) -> list[tuple[int, int, int, int | None]]:
    with rig.state.read() as tx:
        found = tx.entities.relations(rig.tenant, [kind], objects=[1])
    return [(r.subject, r.object, r.since, r.until) for r in found]


def test_a_relation_begins_and_ends_as_told_in_any_order(rig: Rig) -> None:
    begins, ends = NOW - 2 * HOUR, NOW - HOUR
    rig.load(told("r2", ends, relation="drives", ended=True))
    rig.load(told("r1", begins, relation="drives"), told("r1", begins, relation="drives"))
    assert rig.kept() == []
    assert held(rig, "drives") == [(1, 1, begins, ends)]


def test_a_relation_between_things_needs_no_person(rig: Rig) -> None:
    entities = {"dealer": "D001", "vehicle": VIN}
    rig.load(ev("r1", "$relate", entities=entities, properties={"relation": "stocked_at"}))
    assert rig.kept() == []
    assert [(s, o) for s, o, _, _ in held(rig, "stocked_at")] == [(1, 1)]


def test_telling_a_relation_shows_nobody_to_a_dealer(rig: Rig) -> None:
    who: dict[str, Any] = {
        "identifiers": {"login_id": "u1"},
        "entities": {"dealer": "D001"},
    }
    rig.load(ev("r1", "$relate", properties={"relation": "customer_of"}, **who))
    assert [(s, o) for s, o, _, _ in held(rig, "customer_of")] == [(1, 1)]
    assert not seen_by_dealer(rig)
    rig.load(ev("r2", "lead_assigned", **who))
    assert seen_by_dealer(rig)


def seen_by_dealer(rig: Rig) -> bool:
    with rig.state.read() as tx:
        return bool(tx.entities.granted(rig.tenant, {"dealer": (1,)}, [1]))


@pytest.mark.parametrize(
    ("event", "code", "path"),
    [
        ({"properties": {}}, "missing_property", "properties.relation"),
        ({"properties": {"relation": 7}}, "invalid_type", "properties.relation"),
        ({"properties": {"relation": "adores"}}, "unknown_relation_type", "properties.relation"),
        ({"properties": {"relation": "owns", "ended": 1}}, "invalid_type", "properties.ended"),
        (
            {"properties": {"relation": "owns"}, "entities": {"dealer": "D1"}},
            *("missing_identifier", "entities"),
        ),
        (
            {"properties": {"relation": "owns"}, "identifiers": {}},
            *("missing_identifier", "identifiers"),
        ),
    ],
)
def test_what_cannot_be_a_relation_is_kept_with_its_reason(
    rig: Rig, event: dict[str, Any], code: str, path: str
) -> None:
    who: dict[str, Any] = {
        "identifiers": {"login_id": "u1"},
        "entities": {"vehicle": VIN},
    }
    rig.load(ev("bad", "$relate", **{**who, **event}), ev("good", **who))
    assert rig.kept() == [(0, code, path)]
    assert [row[0] for row in rig.stored("message_id")] == ["good"]
