"""Events that name a vehicle or a dealer and nobody: kept for it, and never for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carloop.app.audit import AuditLog
from carloop.app.entities.lookup import EntityLookup
from carloop.app.entities.story import EntityStory
from carloop.app.events import Events
from carloop.app.persons.lookup import Persons
from carloop.app.pipeline import Pipeline
from carloop.app.projector import Projector
from carloop.connectors import PROTOCOLS
from carloop.core.events import OWN_LIMITS, Decoded, Received
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission, Scope
from carloop.core.vocabulary import Vocabulary
from carloop.kit.clock import ManualClock, from_ms
from carloop.kit.errors import NotFound
from carloop.packs.automotive import PACK
from carloop.sql import Query
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.dedup import DiskSeenIds
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from tests.support.world import NoHead

NOW = 1_795_334_400_000
VIN = "1M8GDM9AXKP042788"
"""The worked example of 49 CFR 565, with a right check digit."""
OTHER = "5GZCZ43D13S812715"
TYPO = "1M8GDM9AXKP042789"
CATALOGUE = Catalogue.of([PACK])
Send = Callable[..., None]


class Rig:
    def __init__(
        self, directory: Path, state: SqlState, store: ClickHouseStore, cipher: VaultCipher,
        keys: DayKeys, tenant: int,
    ) -> None:  # fmt: skip
        self.state, self.store, self.tenant = state, store, tenant
        self.journal = SqliteJournal(directory / "journal.db", keys)
        store.ensure_tenant(tenant)
        store.delete_after("events", 0)
        self.pipeline = Pipeline(
            journal=self.journal, state=state, event_store=store, cipher=cipher, keys=keys,
            seen=DiskSeenIds(directory / "dedup", in_memory=64), catalogue=CATALOGUE,
            protocols=PROTOCOLS,
        )  # fmt: skip

    def load(self, *events: Any, protocol: str = "own") -> None:
        """Through the journal and the pipeline."""
        body = msgspec.json.encode(events)
        one = Received(tenant=self.tenant, source=3, protocol=protocol, received_at=NOW, body=body)
        self.journal.append([one])
        self.pipeline.run_once()

    def stored(self, columns: str = "message_id, fragment, entities") -> list[Any]:
        text = f"SELECT {columns} FROM events WHERE tenant = {self.tenant} ORDER BY seq"
        return [tuple(row) for row in self.store.query(Query(text), Scope(self.tenant)).rows]

    def kept(self) -> list[tuple[int, str, str]]:
        with self.state.read() as tx:
            page = tx.quarantine.page(self.tenant, limit=100)
            return sorted((q.index, q.code, q.path) for q in page)

    def persons(self) -> int:
        with self.state.read() as tx:
            return len(tx.identity.by_numbers(self.tenant, range(1, 50)))


@pytest.fixture
def rig(
    tmp_path: Path, sqlite_state: SqlState, event_store: ClickHouseStore, cipher: VaultCipher,
    day_keys: DayKeys, tenant: int,
) -> Iterator[Rig]:  # fmt: skip
    it = Rig(tmp_path, sqlite_state, event_store, cipher, day_keys, tenant)
    yield it
    it.journal.close()


def ev(message_id: str, event: str = "seen", **more: Any) -> dict[str, Any]:
    return {"message_id": message_id, "event": event, "occurred_at": NOW - 1000, **more}


def test_an_identifier_of_an_entity_names_the_entity_and_nobody(rig: Rig) -> None:
    rig.load(
        ev("v1", identifiers={"vin": VIN}),
        ev("v2", identifiers=[{"type": "VIN", "value": f" {VIN.lower()} "}]),
        ev("d1", identifiers={"dealer_code": "d001"}),
        ev("a1", identifiers={"advisor_code": "A7", "dealer_code": "D001"}),
        ev("p1", properties={"vin": VIN, "x": 1}),
        ev("b1", identifiers={"login_id": "u1", "vin": VIN}),
    )
    assert rig.kept() == []
    assert rig.stored() == [
        ("v1", 0, {"vehicle": 1}),
        ("v2", 0, {"vehicle": 1}),
        ("d1", 0, {"dealer": 1}),
        ("a1", 0, {"advisor": 1, "dealer": 1}),
        ("p1", 0, {"vehicle": 1}),
        ("b1", 1, {"vehicle": 1}),
    ]
    assert rig.persons() == 1
    assert VIN not in str(rig.stored("toJSONString(properties)"))


def test_an_owner_is_not_the_sender_of_what_the_vehicle_reports(rig: Rig) -> None:
    bought = {"properties": {"vin": VIN, "dealer": "D1"}, "identifiers": {"login_id": "owner"}}
    rig.load(ev("o1", "vehicle_delivered", **bought))
    service = {"vin": VIN, "dealer": "D1", "odometer_km": 9}
    rig.load(ev("s1", "service_checked_in", identifiers={"vin": VIN}, properties=service))
    assert rig.stored("message_id, fragment") == [("o1", 1), ("s1", 0)]
    with rig.state.read() as tx:
        brought = tx.entities.relations(rig.tenant, ["brings_in"], objects=[1])
    assert brought == []


@pytest.mark.parametrize("named", [{"identifiers": {"vin": VIN}}, {"entities": {"vehicle": VIN}}])
def test_a_required_entity_may_be_named_by_its_identifier(rig: Rig, named: dict[str, Any]) -> None:
    planned = [
        e for e in PACK.event_types if any(p.name == "vin" and p.required for p in e.properties)
    ]
    rest = {"dealer": "D1"}
    rig.load(ev("r1", "service_checked_in", properties=rest, **named))
    assert "service_checked_in" in {e.name for e in planned}
    assert rig.kept() == []
    assert rig.stored() == [("r1", 0, {"dealer": 1, "vehicle": 1})]


def test_what_names_nothing_says_precisely_why_and_spares_its_neighbours(rig: Rig) -> None:
    rig.load(
        ev("g1", identifiers={"login_id": "u1"}),
        ev("b1", identifiers={"moblie": "13912345679"}),
        ev("b2", identifiers={"vin": TYPO}),
        ev("b3", entities={"spaceship": "S1"}),
        ev("b4", identifiers={"plate": "沪A12345"}),
        ev("b5", identifiers={"mobile": "123"}),
        ev("b6", identifiers={"moblie": "13912345679", "dealer_code": "D1"}),
        ev("b7", identifiers={"13912345679": "mobile"}),
        ev("b8", identifiers={"vin": VIN}, profile={"set": {"name": "王芳"}}),
        ev("b9", "service_checked_in", identifiers={"vin": TYPO}, properties={"dealer": "D1"}),
        ev("c1", properties={"colour": "red"}),
        ev("g2", identifiers={"moblie": "13912345679", "login_id": "u2"}),
        ev("g3", identifiers={"mobile": "123", "vin": VIN}),
    )
    assert rig.kept() == [
        (1, "unknown_identifier_type", "identifiers.moblie"),
        (2, "entity_checksum", "identifiers.vin"),
        (3, "unknown_entity_type", "entities.spaceship"),
        (4, "entity_not_by_this", "identifiers.plate"),
        (5, "missing_identifier", "identifiers"),
        (6, "unknown_identifier_type", "identifiers.moblie"),
        (7, "unknown_identifier_type", "identifiers"),
        (8, "missing_identifier", "profile"),
        (9, "entity_checksum", "identifiers.vin"),
        (10, "missing_identifier", "identifiers"),
    ]
    assert [(m, f > 0) for m, f, _ in rig.stored()] == [("g1", True), ("g2", True), ("g3", False)]
    assert rig.pipeline.preparer.dropped["unknown_identifier_type"] == 4


def test_an_id_that_repeats_the_vin_is_the_vehicle(rig: Rig) -> None:
    rig.load(
        ev("o1", identifiers={"login_id": VIN.lower()}, properties={"vin": VIN}),
        ev("o2", identifiers={"login_id": "D1"}, properties={"dealer": "D1"}),
    )
    assert rig.stored() == [("o1", 0, {"vehicle": 1}), ("o2", 1, {"dealer": 1})]


def test_segment_calls_about_a_vehicle(rig: Rig) -> None:
    call = {"type": "track", "event": "mileage", "timestamp": "2026-11-22T07:59:00Z"}
    rig.load(
        {**call, "messageId": "s1", "properties": {"vin": VIN, "km": 7}},
        {**call, "messageId": "s2", "userId": "u1", "properties": {"vin": VIN}},
        {**call, "messageId": "s3", "properties": {"km": 7}},
        {**call, "messageId": "s4"},
        {**call, "messageId": "s5", "anonymousId": VIN, "properties": {"vin": VIN}},
        protocol="segment",
    )
    assert rig.stored() == [
        ("s1", 0, {"vehicle": 1}),
        ("s2", 1, {"vehicle": 1}),
        ("s5", 0, {"vehicle": 1}),
    ]
    assert [(index, code) for index, code, _ in rig.kept()] == [
        (2, "missing_identifier"),
        (3, "missing_identifier"),
    ]


def test_sensors_records_about_a_vehicle(rig: Rig) -> None:
    record = {"type": "track", "event": "mileage", "time": NOW - 1000, "properties": {"km": 7}}
    rig.load(
        {**record, "distinct_id": VIN, "identities": {"vin": VIN}},
        {**record, "identities": {"vin": VIN}},
        {**record, "identities": {"$identity_tribe": "x"}},
        {**record, "distinct_id": "u1", "identities": {"$identity_tribe": "x"}},
        protocol="sensors",
    )
    assert rig.stored("fragment, entities") == [
        (0, {"vehicle": 1}),
        (0, {"vehicle": 1}),
        (1, {}),
    ]
    assert rig.kept() == [(2, "unknown_identifier_type", "identifiers.$identity_tribe")]


def answer(*events: Any, protocol: str = "own") -> Decoded:
    one = Received(
        tenant=1, source=1, protocol=protocol, received_at=NOW, body=msgspec.json.encode(events)
    )
    return Vocabulary(CATALOGUE).judge(PROTOCOLS[protocol].decode(one, OWN_LIMITS))


def test_the_sender_is_told_at_once_what_the_pipeline_will_say(rig: Rig) -> None:
    events = [
        ev("g1", identifiers={"login_id": "u1"}),
        ev("b1", identifiers={"moblie": "13912345679"}),
        ev("v1", identifiers={"vin": VIN}),
        ev("b2", identifiers={"moblie": "x", "vin": VIN}),
        ev("b3", properties={"colour": "red", "phone": ""}),
        ev("b4"),
        ev("g2", identifiers={"moblie": "x"}, properties={"phone": "13912345679"}),
        ev("g3", identifiers={"moblie": "x"}, profile={"set": {"mobile": "13912345679"}}),
        ev("p1", properties={"dealer": "D1"}),
    ]
    decoded = answer(*events)
    told = [(bad.index, bad.code, bad.path) for bad in decoded.rejected]
    assert told == [
        (1, "unknown_identifier_type", "identifiers.moblie"),
        (3, "unknown_identifier_type", "identifiers.moblie"),
        (4, "missing_identifier", "identifiers"),
        (5, "missing_identifier", "identifiers"),
    ]
    assert [e.message_id for e in decoded.events] == ["g1", "v1", "g2", "g3", "p1"]
    rig.load(*events)
    assert rig.kept() == told
    assert [row[0] for row in rig.stored()] == ["g1", "v1", "g2", "g3", "p1"]


def test_what_is_not_refused_is_answered_unchanged() -> None:
    decoded = answer(ev("g1", identifiers={"login_id": "u1"}))
    assert decoded.rejected == []
    call = {"type": "track", "event": "x", "properties": {"a": 1}}
    assert [bad.code for bad in answer(call, protocol="segment").rejected] == ["missing_identifier"]


def test_a_vehicles_page_tells_its_events_within_the_callers_scope(
    rig: Rig, cipher: VaultCipher
) -> None:
    rig.load(
        ev("o1", "vehicle_delivered", identifiers={"login_id": "owner"},
           properties={"vin": VIN, "dealer": "D1"}),
        ev("t1", "mileage", identifiers={"vin": VIN}, properties={"km": 7}),
        ev("s1", "mileage", identifiers={"vin": VIN, "dealer_code": "D1"}),
        ev("s2", "mileage", identifiers={"vin": VIN, "dealer_code": "D2"}),
        ev("x1", "mileage", identifiers={"vin": OTHER, "dealer_code": "D1"}),
    )  # fmt: skip
    Projector(rig.state, rig.store, CATALOGUE, cipher).drain()
    rig.store.reload_persons(rig.tenant)
    clock = ManualClock(from_ms(NOW))
    audit = AuditLog(rig.state, clock, b"k" * 32, NoHead())
    persons = Persons(rig.state, rig.store, CATALOGUE, cipher, audit)
    lookup = EntityLookup(rig.state, CATALOGUE, cipher, persons)
    events = Events(rig.state, rig.store, CATALOGUE, cipher, persons)
    story = EntityStory(rig.store, lookup, events)

    def caller(**dims: int) -> Caller:
        scope = Scope(rig.tenant, {name: frozenset({n}) for name, n in dims.items()})
        return Caller("user", "u", frozenset({Permission.PERSON_READ}), scope)

    [vehicle] = lookup.find(caller(), "vehicle", VIN)
    whole = story.timeline(caller(), "vehicle", str(vehicle.id), 10)
    assert whole.total == len(whole.events) == 4
    assert {(e.event, e.person > 0) for e in whole.events} == {
        ("mileage", False),
        ("vehicle_delivered", True),
    }
    first = story.timeline(caller(), "vehicle", str(vehicle.id), 3)
    rest = story.timeline(caller(), "vehicle", str(vehicle.id), 3, first.place)
    assert [e.id for e in (*first.events, *rest.events)] == [e.id for e in whole.events]
    assert (first.total, rest.total, rest.place) == (4, 4, None)
    assert story.timeline(caller(), "vehicle", str(vehicle.id), 9, event="mileage").total == 3
    own = story.timeline(caller(dealer=1), "vehicle", str(vehicle.id), 10)
    assert [dict((n.type, n.key) for n in e.entities).get("dealer") for e in own.events] == [
        "D1",
        "D1",
    ]
    with pytest.raises(NotFound):
        story.timeline(caller(dealer=2), "vehicle", str(vehicle.id), 10)
