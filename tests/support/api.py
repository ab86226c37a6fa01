"""The whole API in process over real stores, and clients signed in to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from carloop.api.app import create_app
from carloop.api.services import Services
from carloop.app.access.callers import Callers
from carloop.app.access.keys import Keys
from carloop.app.access.passwords import Passwords
from carloop.app.access.signing_in import Access
from carloop.app.access.users import Users
from carloop.app.audit import AuditLog, Head
from carloop.app.jobs import JobRunner
from carloop.app.operation.health import Health
from carloop.app.source_limits import SourceLimits
from carloop.app.source_settings import SourceDesk
from carloop.app.sources import Sources
from carloop.app.tenant_settings import TenantSettings
from carloop.core.hooks import Hook
from carloop.core.pack import EntityType, Pack
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.write_keys import WriteKey
from carloop.kit.clock import Clock
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.keys import MasterKey

SHOP = Pack(
    "shop",
    {"zh": "车店", "en": "Shop"},
    entity_types=(EntityType("dealer", {"zh": "门店", "en": "Dealer"}, scope_dimension=True),),
)
LOCAL_TOKEN = "local-token-of-this-test"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class MemoryHead:
    """Keeps the audit log's head in memory."""

    head: Head | None = None

    def read(self) -> Head | None:
        return self.head

    def write(self, head: Head) -> None:
        self.head = head


@dataclass
class Harness:
    """The API, what it published, and the admin's first password."""

    app: FastAPI
    services: Services
    published: list[Sequence[WriteKey]]
    password: str
    head: MemoryHead = field(default_factory=MemoryHead)

    def client(self, token: str | None = None) -> TestClient:
        """A client without credentials, or with an API token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return TestClient(
            self.app,
            base_url="http://testserver",
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def local(self) -> TestClient:
        """A client with every permission."""
        return self.client(LOCAL_TOKEN)

    def signed_in(self, username: str, password: str) -> TestClient:
        """A browser that signed in and carries its CSRF token."""
        client = self.client()
        answer = client.post("/api/session", json={"username": username, "password": password})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def token(self, roles: Sequence[str], dims: dict[str, list[str]] | None = None) -> TestClient:
        """A client with a fresh API token in these roles."""
        body: dict[str, Any] = {"name": "test", "roles": list(roles), "dims": dims or {}}
        answer = self.local().post("/api/keys", json=body)
        assert answer.status_code == 201, answer.text
        return self.client(answer.json()["token"])


def no_numbers(tx: Tx, tenant: int, type: str, keys: Sequence[str]) -> Sequence[int]:
    """No entity is known."""
    return ()


def build(
    state: State, event_store: EventStore, clock: Clock, tenant: int, **parts: object
) -> Harness:
    """The API over these stores; ``parts`` are added to its services."""
    catalogue = Catalogue.of([SHOP])
    passwords = Passwords(CHEAP)
    callers = Callers(catalogue, no_numbers)
    access = Access(state, clock, callers, passwords, tenant=tenant, local_token=LOCAL_TOKEN)
    published: list[Sequence[WriteKey]] = []
    keys = Keys(state, clock, callers, access, published.append)
    head = MemoryHead()
    audit = AuditLog(state, clock, b"k" * 32, head)
    hooks: list[Sequence[Hook]] = []
    cipher = VaultCipher(MasterKey(b"m" * 32))
    desk = SourceDesk(state, cipher, clock, hooks.append)
    services = Services(
        **{
            "clock": clock,
            "catalogue": catalogue,
            "state": state,
            "event_store": event_store,
            "access": access,
            "users": Users(state, clock, callers, passwords, access),
            "keys": keys,
            "jobs": JobRunner(state, clock),
            "audit": audit,
            "source_limits": SourceLimits(state, keys),
            "tenant_settings": TenantSettings(state, event_store, audit),
            "sources": Sources(state, event_store, clock, keys, lambda tx, tenant, since: {}, desk),
            "source_desk": desk,
            "health": Health({"state": lambda: None}),
            "answer_secret": b"a" * 32,
            **parts,
        }
    )
    password = access.first_admin()
    assert password is not None
    return Harness(create_app(services), services, published, password, head)
