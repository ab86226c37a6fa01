"""The loader stores what the journal holds, each event exactly once, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carloop.app.ingest.prepare import Preparer
from carloop.app.pipeline import CURSOR, Pipeline
from carloop.connectors import PROTOCOLS
from carloop.core.events import Received, event_id, seq_of
from carloop.core.fields import Field, FieldClass, FieldType
from carloop.core.identifiers import RawIdentifier
from carloop.core.pack import EntityType, EventType, Pack, Property
from carloop.core.registry import Catalogue
from carloop.core.scope import Scope
from carloop.core.sources import Source, SourceKind
from carloop.kit.errors import Unavailable
from carloop.sql import Query
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.dedup import DiskSeenIds
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys

NOW = 1_795_334_400_000
TITLE = {"zh": "", "en": ""}
SHOP = Pack(
    "bicycles",
    TITLE,
    fields=(Field("nickname", TITLE, cls=FieldClass.IDENTIFYING),),
    entity_types=(EntityType("bike", TITLE), EntityType("shop", TITLE, scope_dimension=True)),
    event_types=(
        EventType(
            "ride",
            TITLE,
            properties=(
                Property("bike", TITLE, required=True, entity="bike"),
                Property("km", TITLE, FieldType.NUMBER),
                Property("called", TITLE, field="nickname"),
            ),
        ),
    ),
)


class Rig:
    def __init__(
        self,
        directory: Path,
        state: SqlState,
        store: ClickHouseStore,
        cipher: VaultCipher,
        keys: DayKeys,
        tenant: int,
    ) -> None:
        self.directory, self.state, self.store = directory, state, store
        self.cipher, self.keys, self.tenant = cipher, keys, tenant
        self.journal = SqliteJournal(directory / "journal.db", keys)
        self.catalogue = Catalogue.of([SHOP])
        store.ensure_tenant(tenant)
        store.delete_after("events", 0)
        self.pipeline = self.open()

    def open(self, store: Any = None) -> Pipeline:
        """A pipeline as after a start of the process."""
        return Pipeline(
            journal=self.journal,
            state=self.state,
            event_store=store or self.store,
            seen=DiskSeenIds(self.directory / "dedup", in_memory=64),
            catalogue=self.catalogue,
            cipher=self.cipher,
            keys=self.keys,
            protocols=PROTOCOLS,
        )

    def send(self, *events: Any, protocol: str = "own", source: int = 3) -> int:
        body = msgspec.json.encode(events)
        [batch] = self.journal.append(
            [
                Received(
                    tenant=self.tenant, source=source, protocol=protocol, received_at=NOW, body=body
                )
            ]
        )
        return batch

    def stored(self, columns: str = "message_id") -> list[Any]:
        query = Query(f"SELECT {columns} FROM events WHERE tenant = {self.tenant} ORDER BY seq")
        rows = self.store.query(query, Scope(self.tenant)).rows
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    def quarantined(self) -> list[tuple[int, str, str]]:
        with self.state.read() as tx:
            return [
                (q.index, q.code, q.path)
                for q in reversed(tx.quarantine.page(self.tenant, limit=100))
            ]


@pytest.fixture
def rig(
    tmp_path: Path,
    sqlite_state: SqlState,
    event_store: ClickHouseStore,
    cipher: VaultCipher,
    day_keys: DayKeys,
    tenant: int,
) -> Iterator[Rig]:
    rig = Rig(tmp_path, sqlite_state, event_store, cipher, day_keys, tenant)
    yield rig
    rig.journal.close()


def ev(message_id: str, event: str = "visit", **more: Any) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "event": event,
        "occurred_at": NOW - 1000,
        "identifiers": {"login_id": "u-" + message_id[-1]},
        **more,
    }


def test_each_event_is_stored_once(rig: Rig) -> None:
    rig.send(ev("a1"), ev("a2"), ev("a1"))
    rig.send(ev("a2"), ev("a3"))
    progress = rig.pipeline.run_once()
    assert (progress.events, progress.stored, progress.duplicates) == (5, 3, 2)
    assert rig.stored() == ["a1", "a2", "a3"]
    rig.send(ev("a3"), ev("a4"))
    assert rig.open().run_once().stored == 1
    assert rig.stored() == ["a1", "a2", "a3", "a4"]
    assert rig.pipeline.run_once().batches == 1


def test_the_row_is_what_was_sent(rig: Rig) -> None:
    batch = rig.send(ev("m1", "ride", properties={"bike": "b7", "km": 3.5, "x": {"y": [1]}}))
    rig.pipeline.run_once()
    [row] = rig.stored(
        "event, fragment, toUnixTimestamp64Milli(occurred_at), toUnixTimestamp64Milli(received_at),"
        "seq, source, toString(event_id), historical, entities, properties.km.:Float64"
    )
    assert row == (
        "ride", 1, NOW - 1000, NOW, batch << 12, 3, str(event_id(rig.tenant, 3, "m1")), 0,
        {"bike": 1}, 3.5,
    )  # fmt: skip


def test_the_fast_event_id_is_the_real_one(cipher: VaultCipher) -> None:
    preparer = Preparer(Catalogue.of(), cipher)
    for message in ("", "m", "消息", "x" * 300):
        assert preparer.event_id(1, 2, message) == event_id(1, 2, message).bytes


def test_bad_events_go_to_quarantine_and_their_neighbours_are_stored(rig: Rig) -> None:
    rig.send(
        ev("g1"),
        {"event": 7},
        ev("b1", "ride"),
        ev("b2", "ride", properties={"bike": "b", "km": "far"}),
        ev("b3", occurred_at=NOW + 86_400_001),
        ev("b4", identifiers={"mobile": "123"}),
        ev("g2", identifiers={"mobile": "123", "login_id": "w"}),
    )
    progress = rig.pipeline.run_once()
    assert rig.stored() == ["g1", "g2"]
    assert sorted(rig.quarantined()) == [
        (1, "invalid_type", "event"),
        (2, "missing_property", "properties.bike"),
        (3, "invalid_type", "properties.km"),
        (4, "time_in_future", "occurred_at"),
        (5, "missing_identifier", "identifiers"),
    ]
    assert (progress.stored, progress.quarantined) == (2, 5)
    assert rig.pipeline.preparer.dropped["placeholder"] == 2


def test_personal_values_never_reach_the_event_store(rig: Rig) -> None:
    rig.send(
        ev(
            "p1",
            "ride",
            properties={
                "bike": "b1",
                "called": "Speedy",
                "phone": "13912345679",
                "note": "ring 13912345679 or a.b@corp.cn",
            },
        )
    )
    rig.pipeline.run_once()
    [text] = rig.stored("toJSONString(properties)")
    for personal in ("13912345679", "a.b@corp.cn", "Speedy"):
        assert personal not in text
    properties = msgspec.json.decode(text)
    assert properties["phone"] in properties["note"]
    assert properties["called"].startswith("tok_")


class Flaky:
    """The event store, failing as told: an adapter around the real one."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store
        self.poison: bytes | None = None
        self.before: Exception | None = None
        self.after: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def insert(self, table: str, rows: bytes) -> None:
        if self.before is not None:
            raise self.before
        if self.poison is not None and self.poison in rows:
            raise ValueError("cannot be inserted")
        self._store.insert(table, rows)
        if self.after is not None:
            error, self.after = self.after, None
            raise error


def test_torn_rows_are_deleted_and_loaded_again(rig: Rig) -> None:
    store = Flaky(rig.store)
    pipeline = rig.open(store)
    rig.send(ev("a1"))
    pipeline.run_once()
    rig.send(ev("a2"), ev("a3"))
    store.after = Unavailable("the state store is gone")
    with pytest.raises(Unavailable):
        pipeline.run_once()
    assert rig.stored() == ["a1", "a2", "a3"]
    again = rig.open()
    assert again.recover() == 2
    assert rig.stored() == ["a1"]
    assert again.run_once().stored == 2
    assert rig.stored() == ["a1", "a2", "a3"]


def test_a_store_that_is_away_loses_nothing(rig: Rig) -> None:
    store = Flaky(rig.store)
    pipeline = rig.open(store)
    store.before = Unavailable("away")
    rig.send(ev("a1"))
    for _ in range(3):
        with pytest.raises(Unavailable):
            pipeline.run_once()
    store.before = None
    assert pipeline.run_once().stored == 1
    assert rig.stored() == ["a1"]


def test_poison_stands_alone(rig: Rig) -> None:
    store = Flaky(rig.store)
    store.poison = b"bad-apple"
    pipeline = rig.open(store)
    rig.send(*(ev(f"n{i}") for i in range(7)), ev("bad-apple"), *(ev(f"o{i}") for i in range(5)))
    rig.send(ev("last"))
    progress = pipeline.run_once()
    assert rig.stored() == [*(f"n{i}" for i in range(7)), *(f"o{i}" for i in range(5)), "last"]
    assert rig.quarantined() == [(7, "internal_error", "")]
    assert (progress.stored, progress.quarantined) == (13, 1)
    with rig.state.read() as tx:
        assert tx.pipeline.cursor(CURSOR) == progress.cursor
    assert rig.open().run_once().batches == 0


def test_a_store_that_refuses_everything_empties_nothing_into_quarantine(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carloop.app.pipeline.MOST_POISON", 3)
    store = Flaky(rig.store)
    store.before = ValueError("broken")
    pipeline = rig.open(store)
    rig.send(*(ev(f"n{i}") for i in range(10)))
    with pytest.raises(ValueError, match="broken"):
        pipeline.run_once()
    assert len(rig.quarantined()) == 3
    store.before = None
    assert pipeline.run_once().stored == 7


def test_an_imported_source_is_history(rig: Rig) -> None:
    body = msgspec.json.encode({"historical": True, "events": [ev("h1")]})
    rig.journal.append(
        [Received(tenant=rig.tenant, source=3, protocol="own", received_at=NOW, body=body)]
    )
    rig.pipeline.run_once()
    assert rig.stored("historical") == [1]


def test_age_lets_go_of_loaded_batches_only(rig: Rig) -> None:
    rig.send(ev("a1"))
    rig.pipeline.run_once()
    rig.send(ev("a2"))
    rig.pipeline.expire(NOW + 8 * 86_400_000, journal_days=7)
    assert rig.pipeline.run_once().stored == 1
    assert rig.stored() == ["a1", "a2"]


def test_a_batch_that_is_loaded_in_part_is_not_let_go(rig: Rig) -> None:
    whole = rig.send(ev("a1"))
    begun = rig.send(ev("b1"), ev("b2"), ev("b3"))
    with rig.state.write() as tx:
        tx.pipeline.move_cursor(CURSOR, seq_of(begun, 0))
    rig.pipeline.recover()
    rig.pipeline.expire(NOW + 30 * 86_400_000, journal_days=7)
    assert [batch.id for batch in rig.journal.read(0, 1 << 30)] == [begun]
    assert whole < begun
    assert rig.pipeline.run_once().stored == 2
    assert rig.stored() == ["b2", "b3"]


def test_events_of_the_erased_are_dropped_and_counted(rig: Rig) -> None:
    erased = rig.catalogue.identifiers.normalise(RawIdentifier("login_id", "u-1"))
    with rig.state.write() as tx:
        key = rig.cipher.identifier_key(rig.tenant, erased)
        tx.identity.remember_erased(rig.tenant, [key], NOW)
    shop: dict[str, Any] = {"identifiers": {}, "entities": {"shop": "S1"}}
    old = {"properties": {"bike": "b1", "called": "Speedy"}}
    rig.send(ev("a1", "ride", **old), ev("a2"), ev("a3", **shop))
    progress = rig.pipeline.run_once()
    assert (progress.stored, progress.erased, progress.quarantined) == (2, 1, 0)
    assert rig.stored("message_id, fragment") == [("a2", 1), ("a3", 0)]
    with rig.state.read() as tx:
        assert tx.profiles.attributes(rig.tenant, [0]) == []
    rig.send(ev("a1", "ride", **old))
    assert rig.open().run_once().duplicates == 1


@pytest.mark.parametrize("kind", [SourceKind.FILE, SourceKind.SYSTEM])
def test_a_source_that_repeats_itself_after_its_ids_are_forgotten_stores_nothing_twice(
    rig: Rig, kind: SourceKind
) -> None:
    day = 86_400_000
    with rig.state.write() as tx:
        source = tx.sources.add(
            Source(tenant=rig.tenant, id=0, name="dms", kind=kind, created_at=NOW - 30 * day)
        )
    rig.send(ev("a"), ev("b", occurred_at=NOW - 40 * day), source=source.id)
    rig.pipeline.run_once()
    rig.pipeline.expire(NOW + 20 * day, journal_days=7)
    rig.pipeline = rig.open()
    rig.send(ev("a"), ev("b", occurred_at=NOW - 40 * day), ev("c"), source=source.id)
    progress = rig.pipeline.run_once()
    assert rig.stored() == ["a", "b", "c"]
    assert (progress.stored, progress.duplicates) == (1, 2)
