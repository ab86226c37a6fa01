"""A backup taken while events load restores to exactly its cut, on whichever engines."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from sqlalchemy import text

from carloop.app.backup import MANIFEST, Backup, read_manifest
from carloop.app.pipeline import CURSOR
from carloop.core.events import seq_of
from carloop.core.scope import Scope
from carloop.kit.clock import ManualClock
from carloop.kit.errors import CarloopError, Conflict, InvalidInput, NotFound, Permanent
from carloop.sql import Query
from carloop.stores.clickhouse import ClickHouseStore, open_event_store
from carloop.stores.clickhouse.archive import ClickHouseArchive
from carloop.stores.journal.archive import JournalFiles, restore_master_key
from carloop.stores.state.archive import SqlStateArchive
from carloop.stores.state.store import SqlState
from carloop.stores.vault.sealed_files import PIECE, open_file, seal_file
from tests.support.clickhouse_facade import facade

KEY_ID = "00c0ffee"
KEY = bytes(range(32))
Installation = Callable[[SqlState, ClickHouseStore, Path], Backup]


@pytest.fixture
def installation(clock: ManualClock) -> Installation:
    def build(state: SqlState, events: ClickHouseStore, data: Path) -> Backup:
        return Backup(
            SqlStateArchive(state),
            ClickHouseArchive(events),
            JournalFiles(data, KEY),
            clock,
            KEY_ID,
        )

    return build


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a journal, a day key and a master key."""
    keys = tmp_path / "data" / "secret" / "journal"
    keys.mkdir(parents=True)
    (keys / "2026-11-22.key").write_bytes(b"wrapped")
    (keys.parent / "master.key").write_bytes(b"secret")
    with closing(sqlite3.connect(tmp_path / "data" / "journal.db")) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY)")
        journal.execute("INSERT INTO batch VALUES (7)")
        journal.commit()
    return tmp_path / "data"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[SqlState, ClickHouseStore]]:
    """Empty stores of another installation: SQLite, and ClickHouse over HTTP."""
    state = SqlState(f"sqlite:///{tmp_path}/other.db")
    state.migrate()
    with facade(tmp_path / "other") as url:
        events = open_event_store(url)
        events.migrate()
        yield state, events
        events.close()
    state.close()


def load(state: SqlState, events: ClickHouseStore, tenant: int, batch: int) -> None:
    """One cycle of a loader: events first, then the cursor, in one transaction."""
    rows = [
        {
            "tenant": tenant,
            "event": "lead_submitted",
            "fragment": n,
            "occurred_at": "1777507200.123",
            "received_at": "1777507200.123",
            "seq": seq_of(batch, n),
            "source": 1,
            "event_id": str(uuid5(NAMESPACE_OID, f"{tenant}/{batch}/{n}")),
            "message_id": f"{batch}/{n}",
            "historical": 0,
            "entities": {"dealer": 3},
            "properties": {"n": n, "名": "王芳"},
        }
        for n in range(5)
    ]
    fragment = {"tenant": tenant, "fragment": batch, "person": 1, "version": batch}
    with state.write() as tx:
        events.insert("events", "\n".join(map(json.dumps, rows)).encode())
        events.insert("fragments", json.dumps(fragment).encode())
        tx.pipeline.move_cursor(CURSOR, seq_of(batch, len(rows) - 1))
        tx.settings.put("batch", batch)


def count(events: ClickHouseStore, tenant: int) -> int:
    query = Query("SELECT count() FROM events WHERE tenant = {t:UInt32}", {"t": tenant})
    return int(events.query(query, Scope(tenant)).rows[0][0])


def test_a_backup_during_load_restores_to_its_cut(
    state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tenant: int,
    tmp_path: Path,
    installation: Installation,
    elsewhere: tuple[SqlState, ClickHouseStore],
) -> None:
    load(state, chdb_store, tenant, 1)
    stop = threading.Event()

    def keep_loading() -> None:
        batch = 2
        while not stop.is_set():
            load(state, chdb_store, tenant, batch)
            batch += 1

    loader = threading.Thread(target=keep_loading)
    loader.start()
    try:
        manifest = installation(state, chdb_store, data).backup(tmp_path / "backup")
    finally:
        stop.set()
        loader.join()
    other_state, other_events = elsewhere
    other = installation(other_state, other_events, tmp_path / "other-data")
    assert other.restore(tmp_path / "backup") == manifest
    assert other.verify(tmp_path / "backup") == []
    with other_state.read() as tx:
        last = tx.settings.get("batch")
        assert tx.pipeline.cursor(CURSOR) == manifest.cursor == seq_of(last, 4)
    assert count(other_events, tenant) == 5 * last
    assert manifest.state["setting"].rows == 1
    with closing(sqlite3.connect(tmp_path / "other-data" / "journal.db")) as journal:
        assert journal.execute("SELECT id FROM batch").fetchall() == [(7,)]
    assert (tmp_path / "other-data/secret/journal/2026-11-22.key").read_bytes() == b"wrapped"


def test_numbers_go_on_where_they_stood_also_after_a_restore_elsewhere(
    state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tmp_path: Path,
    installation: Installation,
    elsewhere: tuple[SqlState, ClickHouseStore],
) -> None:
    add = "INSERT INTO projection_queue (tenant, kind, name, a, b) VALUES (1, 'fragment', '', 1, 0)"
    with state.write() as tx:
        for _ in range(9):
            tx.connection.execute(text(add))
        tx.connection.execute(text("DELETE FROM projection_queue"))
    installation(state, chdb_store, data).backup(tmp_path / "backup")
    other_state, other_events = elsewhere
    installation(other_state, other_events, tmp_path / "o").restore(tmp_path / "backup")
    with other_state.write() as tx:
        tx.connection.execute(text(add))
        assert tx.connection.scalar(text("SELECT id FROM projection_queue")) == 10


@pytest.mark.postgres
def test_an_embedded_installation_moves_to_postgresql(
    sqlite_state: SqlState, postgres_state: SqlState, tmp_path: Path
) -> None:
    with sqlite_state.write() as tx:
        tx.settings.put("名", ["x", 1])
        for _ in range(3):
            tx.connection.execute(
                text("INSERT INTO projection_queue (tenant, kind, name, a, b) VALUES (1,'','',1,0)")
            )
        tx.connection.execute(text("DELETE FROM projection_queue WHERE id > 1"))
    with SqlStateArchive(sqlite_state).cut(lambda: None) as snapshot:
        expected = snapshot.dump(tmp_path / "state")
    SqlStateArchive(postgres_state).load(tmp_path / "state")
    with SqlStateArchive(postgres_state).cut(lambda: None) as snapshot:
        assert snapshot.summaries() == expected
    with postgres_state.write() as tx:
        assert tx.settings.get("名") == ["x", 1]
        add = "INSERT INTO projection_queue (tenant, kind, name, a, b) VALUES (1,'','',1,0)"
        tx.connection.execute(text(add))
        assert tx.connection.scalar(text("SELECT max(id) FROM projection_queue")) == 4


def test_what_cannot_be_restored_is_refused(
    sqlite_state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tenant: int,
    tmp_path: Path,
    clock: ManualClock,
    installation: Installation,
) -> None:
    load(sqlite_state, chdb_store, tenant, 1)
    here = installation(sqlite_state, chdb_store, data)
    target = tmp_path / "backup"
    manifest = here.backup(target)
    assert read_manifest(target) == manifest

    def refused(kind: type[CarloopError], backup: Backup, source: Path) -> str:
        with pytest.raises(kind) as caught:
            backup.restore(source)
        return caught.value.code

    assert refused(NotFound, here, tmp_path) == "backup_missing"
    assert refused(Conflict, here, target) == "not_empty"
    other = Backup(
        SqlStateArchive(sqlite_state),
        ClickHouseArchive(chdb_store),
        JournalFiles(data, KEY),
        clock,
        "11111111",
    )
    assert refused(InvalidInput, other, target) == "backup_key"
    with (target / "state" / "setting.zst").open("ab") as file:
        file.write(b"x")
    assert refused(Permanent, here, target) == "backup_damaged"
    (target / MANIFEST).write_text("{")
    assert refused(Permanent, here, target) == "backup_damaged"
    with pytest.raises(Conflict):
        here.backup(target)


def test_verify_names_the_table_that_differs(
    sqlite_state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tenant: int,
    tmp_path: Path,
    installation: Installation,
) -> None:
    load(sqlite_state, chdb_store, tenant, 1)
    here = installation(sqlite_state, chdb_store, data)
    here.backup(tmp_path / "backup")
    assert here.verify(tmp_path / "backup") == []
    with sqlite_state.write() as tx:
        tx.settings.put("batch", 2)
    chdb_store.command(
        Query("ALTER TABLE events DELETE WHERE tenant = {t:UInt32} AND fragment = 1", {"t": tenant})
    )
    found = here.verify(tmp_path / "backup")
    assert [(d.store, d.table) for d in found] == [("state", "setting"), ("events", "events")]


def test_the_master_key_is_copied_only_when_asked(
    sqlite_state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tmp_path: Path,
    installation: Installation,
) -> None:
    here = installation(sqlite_state, chdb_store, data)
    here.backup(tmp_path / "without")
    here.backup(tmp_path / "with", with_key=True)
    assert not list((tmp_path / "without").rglob("master.key"))
    assert not restore_master_key(tmp_path / "without" / "files", tmp_path / "new")
    assert restore_master_key(tmp_path / "with" / "files", tmp_path / "new")
    assert (tmp_path / "new/secret/master.key").read_bytes() == b"secret"
    assert not restore_master_key(tmp_path / "with" / "files", tmp_path / "new")


class Erased(ClickHouseArchive):
    """Rows of one fragment go, for good, right after a table was read for the first time."""

    def __init__(self, store: ClickHouseStore, tenant: int) -> None:
        super().__init__(store)
        self._tenant = tenant
        self.deleted = 0

    def _write(self, table: Any, path: Path, last_seq: int) -> None:
        super()._write(table, path, last_seq)
        if table.name == "events" and not self.deleted:
            where = "tenant = {t:UInt32} AND fragment = 1"
            self._store.delete("events", where, {"t": self._tenant})
            self.deleted += 1


def test_rows_that_go_during_a_backup_are_no_difference_afterwards(
    any_state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tenant: int,
    tmp_path: Path,
    clock: ManualClock,
    installation: Installation,
    elsewhere: tuple[SqlState, ClickHouseStore],
) -> None:
    load(any_state, chdb_store, tenant, 1)
    archive = Erased(chdb_store, tenant)
    backup = Backup(SqlStateArchive(any_state), archive, JournalFiles(data, KEY), clock, KEY_ID)
    manifest = backup.backup(tmp_path / "backup")
    assert archive.deleted == 1
    other_state, other_events = elsewhere
    other = installation(other_state, other_events, tmp_path / "other-data")
    assert other.restore(tmp_path / "backup") == manifest
    assert other.verify(tmp_path / "backup") == []
    assert count(other_events, tenant) == 4


def test_files_that_wait_for_their_import_come_back_and_are_not_readable_in_between(
    any_state: SqlState,
    chdb_store: ClickHouseStore,
    data: Path,
    tmp_path: Path,
    installation: Installation,
    elsewhere: tuple[SqlState, ClickHouseStore],
) -> None:
    rows = b"phone\n13958172604\n" * 100_000
    files = {"big.csv": rows, "empty.errors.csv": b"", "exact.csv": bytes(PIECE)}
    (data / "uploads").mkdir()
    for name, content in files.items():
        (data / "uploads" / name).write_bytes(content)
    installation(any_state, chdb_store, data).backup(tmp_path / "backup")
    kept = sorted((tmp_path / "backup" / "files" / "uploads").iterdir())
    assert [path.name for path in kept] == sorted(files)
    assert not any(b"13958172604" in path.read_bytes() for path in kept)
    other_state, other_events = elsewhere
    new = tmp_path / "other-data"
    installation(other_state, other_events, new).restore(tmp_path / "backup")
    assert {p.name: p.read_bytes() for p in (new / "uploads").iterdir()} == files
    assert {stat.S_IMODE(p.stat().st_mode) for p in (new / "uploads").iterdir()} == {0o600}


@pytest.mark.parametrize("harm", ["cut", "grown", "swapped", "changed", "another key"])
def test_a_sealed_file_that_was_altered_is_refused(tmp_path: Path, harm: str) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(os.urandom(3 * PIECE))
    seal_file(KEY, plain, sealed)
    whole = sealed.read_bytes()
    step = PIECE + 16
    head, pieces = whole[:7], [whole[7 + n * step : 7 + (n + 1) * step] for n in range(3)]
    altered = {
        "cut": head + pieces[0] + pieces[1],
        "grown": whole + pieces[2],
        "swapped": head + pieces[1] + pieces[0] + pieces[2],
        "changed": whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        "another key": whole,
    }[harm]
    sealed.write_bytes(altered)
    key = bytes(32) if harm == "another key" else KEY
    with pytest.raises(Permanent) as caught:
        open_file(key, sealed, tmp_path / "opened")
    assert caught.value.code == "sealed_file_damaged"
