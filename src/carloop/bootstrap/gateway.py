"""The gateway process: the journal's writer behind the port. Imports stay light."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.connectors import HOOKS, PROTOCOLS
from carloop.core.vocabulary import Vocabulary
from carloop.gateway.app import Gateway
from carloop.gateway.health import Health
from carloop.gateway.hooks import HookRing
from carloop.gateway.ingest import Ingest
from carloop.gateway.keys import KeyRing
from carloop.gateway.metrics import Metrics
from carloop.gateway.proxy import EngineProxy
from carloop.gateway.sdk import Sdk
from carloop.gateway.static import Console
from carloop.stores.journal import SqliteJournal
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import load_master_key

CONSOLE = Path(__file__).parent.parent / "console" / "static"
SDK = Path(__file__).parent.parent / "console" / "sdk"


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """The application and the journal it writes."""

    app: Gateway
    journal: SqliteJournal


def open_cipher(settings: Settings) -> VaultCipher:
    """The cipher of the data directory's master key."""
    master = settings.data / "secret" / "master.key"
    return VaultCipher(load_master_key(master, os.environ.get("CARLOOP_MASTER_KEY")))


def open_journal(settings: Settings) -> SqliteJournal:
    """The journal of the data directory; the engine opens the same one to read and to import."""
    secret = settings.data / "secret"
    keys = DayKeys(secret / "journal", open_cipher(settings))
    return SqliteJournal(settings.data / "journal.db", keys)


def build_gateway(settings: Settings) -> GatewayProcess:
    """Wire the gateway to the data directory."""
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = open_journal(settings)
    metrics = Metrics()
    engine = EngineProxy(settings.engine_socket)
    ingest = Ingest(
        PROTOCOLS.values(),
        journal,
        KeyRing(settings.keys_file),
        metrics,
        vocabulary=Vocabulary(load_catalogue(settings.packs)),
        hooks=HookRing(HOOKS.values(), settings.hooks_file, open_cipher(settings)),
    )

    def gauges() -> list[tuple[str, str, float]]:
        return [
            ("journal_pending_bytes", "Bytes that wait for the disk", float(journal.pending_bytes)),
            ("journal_last_batch", "Id of the newest journal batch", float(journal.last_id())),
        ]

    health = Health(engine, metrics, settings.run / "probe", gauges)
    return GatewayProcess(Gateway(ingest, engine, Console(CONSOLE), Sdk(SDK), health), journal)
