"""Backup, restore and verify over the stores of one data directory."""

from __future__ import annotations

from pathlib import Path

from carloop.app.backup import FILES, Backup, Difference, Manifest
from carloop.bootstrap.files import Ownership
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import (
    event_store_url,
    has_master,
    load_master,
    state_url,
)
from carloop.kit.clock import Clock, SystemClock
from carloop.kit.errors import NotFound
from carloop.stores.clickhouse import ClickHouseStore, open_event_store
from carloop.stores.clickhouse.archive import ClickHouseArchive
from carloop.stores.journal.archive import JournalFiles, restore_master_key
from carloop.stores.state.archive import SqlStateArchive
from carloop.stores.state.store import SqlState
from carloop.stores.vault.keys import MasterKey


def wire_backup(
    settings: Settings,
    state: SqlState,
    event_store: ClickHouseStore,
    clock: Clock,
    master: MasterKey,
) -> Backup:
    """The use case over open stores."""
    return Backup(
        SqlStateArchive(state),
        ClickHouseArchive(event_store),
        JournalFiles(settings.data, master.derive("backup of uploads")),
        clock,
        master.key_id,
    )


def restore(settings: Settings, source: Path) -> Manifest:
    """Read a backup into empty stores, with its master key where it holds one.

    Raises:
        Conflict: ``data_in_use``, ``not_empty``.
        NotFound: ``master_key_missing``: the backup holds none, and none is in place.
        CarloopError: as :meth:`Backup.restore`.
    """
    restore_master_key(source / FILES, settings.data)
    if not has_master(settings):
        raise NotFound(
            "put the master key of the backup into secret/master.key first",
            code="master_key_missing",
        )
    with _Opened(settings) as backup:
        return backup.restore(source)


def verify(settings: Settings, source: Path) -> list[Difference]:
    """Compare the stores of a stopped server with a backup; empty means equal."""
    with _Opened(settings) as backup:
        return backup.verify(source)


class _Opened:
    """The stores, owned and migrated, and nothing put into them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Backup:
        settings = self._settings
        settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ownership = Ownership(settings.lock_file)
        self._state = SqlState(state_url(settings))
        self._state.migrate()
        self._events = open_event_store(event_store_url(settings))
        self._events.migrate()
        master = load_master(settings)
        return wire_backup(settings, self._state, self._events, SystemClock(), master)

    def __exit__(self, *_error: object) -> None:
        self._events.close()
        self._state.close()
        self._ownership.release()
