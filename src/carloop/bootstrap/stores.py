"""The stores of one data directory, opened and migrated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from carloop.bootstrap.gateway import open_journal
from carloop.bootstrap.settings import Settings
from carloop.core.ports.tenants import Tenant
from carloop.kit.clock import SystemClock, to_ms
from carloop.kit.errors import NotFound
from carloop.stores.clickhouse import ClickHouseStore, Limits, open_event_store
from carloop.stores.dedup.index import DiskSeenIds
from carloop.stores.journal import SqliteJournal
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import MasterKey, load_master_key

TENANT = 1
MASTER_KEY = "CARLOOP_MASTER_KEY"


@dataclass(frozen=True, slots=True)
class Stores:
    """What the engine keeps its state in."""

    master: MasterKey
    cipher: VaultCipher
    day_keys: DayKeys
    state: SqlState
    event_store: ClickHouseStore
    journal: SqliteJournal
    seen: DiskSeenIds

    def close(self) -> None:
        """Release every handle."""
        self.journal.close()
        self.event_store.close()
        self.state.close()


def load_master(settings: Settings) -> MasterKey:
    """The master key of the installation, from the environment or ``DIR/secret``."""
    return load_master_key(_key_file(settings), os.environ.get(MASTER_KEY))


def has_master(settings: Settings) -> bool:
    """Whether there is a master key, so that none would be made."""
    return bool(os.environ.get(MASTER_KEY)) or _key_file(settings).exists()


def _key_file(settings: Settings) -> Path:
    return settings.data / "secret" / "master.key"


def state_url(settings: Settings) -> str:
    """Where the state store is."""
    return settings.state_url or f"sqlite:///{settings.data / 'state.db'}"


def event_store_url(settings: Settings) -> str:
    """Where the event store is."""
    return settings.event_store_url or f"chdb://{settings.data / 'events'}"


def open_stores(settings: Settings) -> Stores:
    """Open and migrate the stores; the caller owns the data directory.

    Raises:
        Permanent: ``master_key_exposed``.
        Unavailable: a store does not answer.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    master = load_master(settings)
    cipher = VaultCipher(master)
    state = SqlState(state_url(settings))
    state.migrate()
    limits = Limits.of_this_machine(settings.event_memory_mb)
    event_store = open_event_store(event_store_url(settings), limits)
    event_store.migrate()
    _first_tenant(state, event_store, settings)
    return Stores(
        master=master,
        cipher=cipher,
        day_keys=DayKeys(settings.data / "secret" / "journal", cipher),
        state=state,
        event_store=event_store,
        journal=open_journal(settings),
        seen=DiskSeenIds(settings.data / "dedup"),
    )


def _first_tenant(state: SqlState, event_store: ClickHouseStore, settings: Settings) -> None:
    with state.write() as tx:
        try:
            tx.tenants.get(TENANT)
        except NotFound:
            now = to_ms(SystemClock().now())
            tx.tenants.save(Tenant(TENANT, "carloop", settings.zone, {}, now))
        tenants = [tenant.id for tenant in tx.tenants.all()]
    for tenant in tenants:
        event_store.ensure_tenant(tenant)
