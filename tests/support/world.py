"""The parts around one tenant's persons over real stores, with short ways to tell a story."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from carloop.app.audit import AuditLog, Head
from carloop.app.entities.lookup import EntityLookup
from carloop.app.entities.registry import EntityRegistry, Grant, RelationFact
from carloop.app.erasure import Erasure
from carloop.app.identity import IdentityResolver
from carloop.app.identity_decisions import IdentityDecisions
from carloop.app.persons.lookup import Persons
from carloop.app.persons.profiles import ProfileWrite, ProfileWriter
from carloop.app.persons.story import PersonStory
from carloop.app.projector import Projector
from carloop.core.events import EntityRef, ProfileOp
from carloop.core.evidence import Evidence
from carloop.core.identifiers import RawIdentifier
from carloop.core.pack import EntityType, Pack, RelationType
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller, Permission, Scope
from carloop.kit.clock import ManualClock, from_ms, to_ms
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import attributes, events
from carloop.stores.clickhouse import ClickHouseStore
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher

SHOP = Pack(
    "bicycles",
    {"en": "Bicycle shop"},
    entity_types=(
        EntityType("bicycle", {"en": "Bicycle"}, identifying=True),
        EntityType("shop", {"en": "Shop"}, scope_dimension=True),
    ),
    relation_types=(
        RelationType("owns", {"en": "owns"}, "person", "bicycle", exclusive=True),
        RelationType("customer_of", {"en": "customer of"}, "person", "shop"),
    ),
)
CATALOGUE = Catalogue.of([SHOP])


class NoHead:
    def read(self) -> Head | None:
        return None

    def write(self, head: Head) -> None:
        pass


class World:
    """The parts around one tenant, with the shortest way to tell a story."""

    def __init__(
        self, state: SqlState, store: ClickHouseStore, cipher: VaultCipher, tenant: int
    ) -> None:
        self.state, self.store, self.cipher, self.tenant = state, store, cipher, tenant
        self.clock = ManualClock(from_ms(1_790_000_000_000))
        audit = AuditLog(state, self.clock, b"k" * 32, NoHead())
        self.resolver = IdentityResolver(CATALOGUE, cipher)
        self.writer = ProfileWriter(CATALOGUE, cipher)
        self.registry = EntityRegistry(CATALOGUE, cipher)
        self.projector = Projector(state, store, CATALOGUE, cipher)
        self.persons = Persons(state, store, CATALOGUE, cipher, audit)
        self.story = PersonStory(state, store, CATALOGUE, self.persons, audit)
        self.desk = EntityLookup(state, CATALOGUE, cipher, self.persons)
        self.decisions = IdentityDecisions(
            state, CATALOGUE, self.persons, audit, self.clock, self.resolver.reset
        )
        self.erasure = Erasure(
            state,
            CATALOGUE,
            self.persons,
            audit,
            self.clock,
            reset=self.resolver.reset,
            settle=self.settle,
        )
        self.run_job: Callable[[], bool] | None = None
        self.seq = 0
        store.ensure_tenant(tenant)

    def caller(self, **dims: int) -> Caller:
        limits = {name: frozenset({number}) for name, number in dims.items()}
        return Caller("u", "test", frozenset(Permission), Scope(self.tenant, limits))

    def settle(self) -> None:
        self.projector.drain()
        self.projector.settle()

    def entity(self, type: str, key: str) -> int:
        with self.state.write() as tx:
            return self.registry.resolve(tx, self.tenant, [EntityRef(type, key)])[0]

    def event(
        self,
        *identifiers: str,
        at: int | None = None,
        name: str = "visit",
        set: dict[str, str] | None = None,
        set_once: dict[str, str] | None = None,
        shop: int = 0,
    ) -> int:
        """One event; returns the fragment it is filed under."""
        self.seq += 1
        self.clock.advance(timedelta(seconds=1))
        occurred_at = to_ms(self.clock.now()) if at is None else at
        message = f"m{self.seq}"
        found = tuple(
            CATALOGUE.identifiers.normalise(RawIdentifier(*text.split(":", 1)))
            for text in identifiers
        )
        ops = [ProfileOp("set", field, value) for field, value in (set or {}).items()]
        ops += [ProfileOp("set_once", field, value) for field, value in (set_once or {}).items()]
        with self.state.write() as tx:
            (filed,) = self.resolver.resolve(
                tx, self.tenant, [Evidence(found, occurred_at, message)]
            )
            write = ProfileWrite(filed.fragment, ops, occurred_at, message)
            self.writer.apply(tx, self.tenant, [write])
            if shop:
                self.registry.grant(tx, self.tenant, [Grant("shop", shop, filed.fragment)])
        row = {
            "tenant": self.tenant,
            "event": name,
            "fragment": filed.fragment,
            "occurred_at": from_ms(occurred_at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
            "received_at": from_ms(occurred_at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
            "seq": self.seq,
            "source": 1,
            "event_id": str(uuid4()),
            "message_id": message,
            "historical": 0,
            "entities": {"shop": shop} if shop else {},
            "properties": {"page": name},
        }
        self.store.insert("events", json.dumps(row).encode())
        return filed.fragment

    def relate(self, kind: str, subject: int, object: int, at: int, *, ends: bool = False) -> None:
        with self.state.write() as tx:
            fact = RelationFact(kind, subject, object, at, f"r{at}", ends=ends)
            self.registry.relate(tx, self.tenant, [fact])

    def id(self, identifier: str) -> str:
        (found,) = self.persons.find(self.caller(), identifier)
        return str(found.id)

    def count(self, table: str) -> int:
        reads = {"events": events, "attributes": attributes}
        params = Params()
        text = reads[table](Scope(self.tenant), params, "count()")
        return int(self.store.query(Query(text, params.values), Scope(self.tenant)).rows[0][0])
