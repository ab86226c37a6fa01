"""Quarantine shows what could not be taken, and a replay takes it once the reason is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from carloop.app.audit import AuditLog
from carloop.app.jobs import JobRunner
from carloop.app.quarantine import Quarantine
from carloop.app.replays import AT_ONCE, Replays
from carloop.bootstrap.files import HeadInFile
from carloop.core.ports.jobs import JobState
from carloop.core.ports.pipeline import QuarantinedEvent, QuarantineFilter, QuarantineState
from carloop.core.scope import Caller, Scope
from carloop.kit.clock import ManualClock
from carloop.stores.state.store import SqlState
from tests.unit.test_pipeline import Rig, ev, rig

__all__ = ["rig"]


@pytest.fixture
def quarantine(rig: Rig, clock: ManualClock, tmp_path: Path) -> Quarantine:
    audit = AuditLog(rig.state, clock, b"k" * 32, HeadInFile(tmp_path / "head"))
    return Quarantine(rig.state, rig.journal, audit)


def caller(rig: Rig) -> Caller:
    return Caller("u1", "test", frozenset(), Scope(rig.tenant))


def test_a_replay_takes_what_the_plan_now_allows_and_nothing_twice(
    rig: Rig, quarantine: Quarantine
) -> None:
    rig.send(ev("a1"), ev("b1", "ride"), ev("b2", "ride"))
    rig.send(ev("b3", "ride"), {"event": 7})
    rig.pipeline.run_once()
    groups = [(g.code, g.event, g.count) for g in quarantine.summary(caller(rig))]
    assert groups == [("missing_property", "ride", 3), ("invalid_type", "", 1)]
    again = quarantine.replay(caller(rig), QuarantineFilter(code="missing_property"))
    assert (again.replayed, again.gone, again.more) == (3, 0, False)
    rig.pipeline.run_once()
    assert [g.count for g in quarantine.summary(caller(rig))] == [3, 1]

    rig.catalogue = replace(rig.catalogue, event_types={})
    rig.pipeline = rig.open()
    assert quarantine.replay(caller(rig)).replayed == 4
    rig.pipeline.run_once()
    assert rig.stored() == ["a1", "b1", "b2", "b3"]
    assert [(g.code, g.count) for g in quarantine.summary(caller(rig))] == [("invalid_type", 1)]
    assert quarantine.replay(caller(rig)).replayed == 1
    rig.pipeline.run_once()
    assert rig.stored() == ["a1", "b1", "b2", "b3"]


def test_what_has_aged_out_is_dropped(rig: Rig, quarantine: Quarantine) -> None:
    rig.send(ev("b1", "ride"))
    rig.send(ev("a1"))
    rig.pipeline.run_once()
    rig.journal.expire(rig.pipeline.cursor, rig.pipeline.cursor >> 12)
    rig.journal.expire(2**62 // 10**6, rig.pipeline.cursor >> 12)
    assert quarantine.replay(caller(rig)) == (0, 1, False)
    assert quarantine.summary(caller(rig)) == []


def test_the_kept_bytes_are_sealed(rig: Rig, quarantine: Quarantine) -> None:
    rig.send(ev("b1", "ride", properties={"note": "canary"}))
    rig.pipeline.run_once()
    [kept] = quarantine.page(caller(rig), limit=10)
    assert b"canary" not in kept.raw
    key = rig.keys.find(kept.day)
    assert key is not None
    aad = f"quarantine:{rig.tenant}:{kept.batch}:{kept.index}"
    raw = msgspec.json.decode(rig.cipher.decrypt(key, kept.raw, aad))
    assert raw["message_id"] == "b1"


def entry(tenant: int, batch: int, code: str = "c") -> QuarantinedEvent:
    return QuarantinedEvent(tenant, 3, batch, 0, code, "", "e", "2026-11-22", b"", batch)


EVEN = QuarantineFilter(code="even")


def test_events_are_chosen_by_source_reason_name_number_and_time(
    state: SqlState, tenant: int
) -> None:
    with state.write() as tx:
        tx.quarantine.add([entry(tenant, n, "even" if n % 2 == 0 else "odd") for n in range(1, 8)])
        tx.quarantine.add([entry(tenant + 1, 9)])
    with state.read() as tx:
        numbers = {e.batch: e.id for e in tx.quarantine.page(tenant, limit=9)}
        for only, batches in (
            (QuarantineFilter(), [7, 6, 5, 4, 3, 2, 1]),
            (QuarantineFilter(source=4), []),
            (QuarantineFilter(event="e", source=3, code="odd"), [7, 5, 3, 1]),
            (QuarantineFilter(event="other"), []),
            (QuarantineFilter(ids=(numbers[2], numbers[5])), [5, 2]),
            (QuarantineFilter(ids=()), []),
            (QuarantineFilter(upto=numbers[3]), [3, 2, 1]),
            (QuarantineFilter(since=3, until=6), [5, 4, 3]),
        ):
            found = tx.quarantine.page(tenant, limit=9, only=only)
            assert [e.batch for e in found] == batches, only
            assert tx.quarantine.count(tenant, only) == len(batches), only
            assert QuarantineFilter(**only.told()) == only


def test_a_replay_runs_as_a_job_and_leaves_alone_what_fails_again(
    rig: Rig, quarantine: Quarantine, clock: ManualClock
) -> None:
    jobs = JobRunner(rig.state, clock)
    replays = Replays(rig.state, quarantine, jobs)
    many = 2 * AT_ONCE + 5
    for start in range(0, many, 50):
        rig.send(*[ev(f"b{n}", "ride") for n in range(start, min(start + 50, many))])
    rig.send({"event": 7})
    rig.pipeline.run_once()
    job = replays.start(caller(rig), QuarantineFilter(code="missing_property"))
    assert jobs.run_once()
    done = jobs.get(rig.tenant, job.id)
    assert (done.state, done.progress, done.total) == (JobState.DONE, many, many)
    assert done.result == {"replayed": many, "gone": 0}
    rig.pipeline.run_once()
    assert [(g.code, g.count) for g in quarantine.summary(caller(rig))] == [
        ("missing_property", many),
        ("invalid_type", 1),
    ]
    nothing = replays.start(caller(rig), QuarantineFilter(code="none"))
    assert jobs.run_once()
    assert jobs.get(rig.tenant, nothing.id).result == {"replayed": 0, "gone": 0}


def test_the_repository_keeps_pages_and_marks(state: SqlState, tenant: int) -> None:
    with state.write() as tx:
        tx.quarantine.add([entry(tenant, n, "even" if n % 2 == 0 else "odd") for n in range(1, 8)])
        tx.quarantine.add([entry(tenant, 1), entry(tenant + 1, 1)])
        tx.pipeline.move_cursor("loader", 2**60)
        tx.pipeline.move_cursor("loader", 2**60 + 1)
    with state.read() as tx:
        page = tx.quarantine.page(tenant, limit=3)
        rest = tx.quarantine.page(tenant, limit=10, before=page[-1].id)
        assert [e.batch for e in (*page, *rest)] == [7, 6, 5, 4, 3, 2, 1]
        assert [e.batch for e in tx.quarantine.page(tenant, limit=9, only=EVEN)] == [6, 4, 2]
        assert tx.quarantine.count_since(tenant, 4) == {3: 4}
        assert tx.pipeline.cursor("loader") == 2**60 + 1
        assert tx.pipeline.cursor("other") == 0
    with state.write() as tx:
        assert tx.quarantine.mark(tenant, [page[0].id, page[1].id], QuarantineState.REPLAYED) == 2
        assert tx.quarantine.mark(tenant, [page[0].id], QuarantineState.DROPPED) == 0
        assert tx.quarantine.expire("2026-11-22") == 0
        assert tx.quarantine.expire("2026-11-23") == 8
