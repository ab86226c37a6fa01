"""The audit log: whatever is done to it shows."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from carloop.app.access.callers import system_caller
from carloop.app.audit import AuditLog
from carloop.kit.clock import ManualClock
from carloop.kit.errors import CarloopError, Permanent
from carloop.stores.state.store import SqlState
from carloop.stores.state.tables.audit import audit as table
from tests.support.api import MemoryHead


@pytest.fixture
def log(state: SqlState, clock: ManualClock) -> AuditLog:
    log = AuditLog(state, clock, b"k" * 32, MemoryHead())
    for n in range(5):
        log.record(system_caller(1), "create_segment", f"/api/segments/{n}", status=201)
    log.checkpoint()
    return log


def test_an_untouched_log_is_whole(log: AuditLog) -> None:
    assert (log.verify().entries, log.verify().problem) == (5, "")


@pytest.mark.parametrize("column", ["at", "tenant", "caller", "action", "object", "detail"])
def test_an_edit_is_found(log: AuditLog, state: SqlState, column: str) -> None:
    value = 7 if column in ("at", "tenant") else "forged"
    with state.writer.begin() as db:
        db.execute(update(table).where(table.c.id == 3).values({column: value}))
    assert (log.verify().at, log.verify().problem) == (3, "an entry was changed")


def test_a_removal_is_found(log: AuditLog, state: SqlState) -> None:
    with state.writer.begin() as db:
        db.execute(delete(table).where(table.c.id == 2))
    assert log.verify().at == 2


def test_a_removal_with_the_rest_moved_up_is_found(log: AuditLog, state: SqlState) -> None:
    with state.writer.begin() as db:
        db.execute(delete(table).where(table.c.id == 2))
        for id in (3, 4, 5):
            db.execute(update(table).where(table.c.id == id).values(id=id - 1))
    assert log.verify().at == 2


def test_two_entries_changing_places_are_found(log: AuditLog, state: SqlState) -> None:
    with state.writer.begin() as db:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            db.execute(update(table).where(table.c.id == old).values(id=new))
    assert log.verify().at == 2


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_truncation_is_found_by_the_checkpoint(log: AuditLog, state: SqlState, kept: int) -> None:
    with state.writer.begin() as db:
        db.execute(delete(table).where(table.c.id > kept))
    assert log.verify().at == kept + 1
    with pytest.raises(Permanent, match="lost entries"):
        log.checkpoint()


def test_a_truncation_that_was_written_over_is_found(log: AuditLog, state: SqlState) -> None:
    with state.writer.begin() as db:
        db.execute(delete(table).where(table.c.id > 3))
    for n in range(4):
        log.record(system_caller(1), "delete_segment", f"/api/segments/{n}")
    assert log.verify().problem == "the log differs from its checkpoint"


def test_another_key_does_not_verify(log: AuditLog, state: SqlState, clock: ManualClock) -> None:
    assert AuditLog(state, clock, b"x" * 32, MemoryHead()).verify().at == 1


def test_an_entry_rolls_back_with_what_it_tells_of(log: AuditLog, state: SqlState) -> None:
    def fail() -> None:
        with state.write() as tx:
            log.append(tx, system_caller(1), "merge", "x")
            raise CarloopError("no")

    with pytest.raises(CarloopError):
        fail()
    assert log.verify().entries == 5
