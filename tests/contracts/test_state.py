"""The state store behaves the same on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import insert

from carloop.core.message import ReceiptKind, SendKey
from carloop.core.ports.jobs import Job, JobState
from carloop.core.ports.sends import StoredReceipt
from carloop.core.ports.tenants import Tenant
from carloop.kit.errors import CarloopError, Conflict, NotFound
from carloop.stores.state.store import SqlState
from carloop.stores.state.tables.settings import setting


def test_a_setting_is_read_back_as_it_was_put(state: SqlState) -> None:
    with state.write() as tx:
        tx.settings.put("journal_days", {"days": 7, "名": "周期"})
        tx.settings.put("journal_days", {"days": 9, "名": "周期"})
    with state.read() as tx:
        assert tx.settings.get("journal_days") == {"days": 9, "名": "周期"}
        assert tx.settings.get("unknown", 5) == 5


def test_an_exception_rolls_back(state: SqlState) -> None:
    def fail_halfway() -> None:
        with state.write() as tx:
            tx.settings.put("a", 1)
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        fail_halfway()
    with state.read() as tx:
        assert tx.settings.get("a") is None


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(state: SqlState) -> None:
    with state.read() as before:
        assert before.settings.get("a") is None
        with state.write() as tx:
            tx.settings.put("a", 1)
        assert before.settings.get("a") is None
    with state.read() as after:
        assert after.settings.get("a") == 1


def test_a_reader_cannot_write(state: SqlState) -> None:
    with pytest.raises(CarloopError), state.read() as tx:
        tx.settings.put("a", 1)
    with state.read() as tx:
        assert tx.settings.get("a") is None


def test_a_broken_uniqueness_rule_is_a_conflict_that_tells_no_value(state: SqlState) -> None:
    twice = [{"key": "secret-13912345678", "value": "1"}] * 2
    with pytest.raises(Conflict) as caught, state.write() as tx:
        tx.connection.execute(insert(setting), twice)
    assert caught.value.code == "already_exists"
    assert "13912345678" not in str(caught.value)


def test_a_second_write_in_one_thread_is_a_mistake(state: SqlState) -> None:
    with state.write(), pytest.raises(RuntimeError, match="already open"), state.write():
        pass


def test_writers_queue_up_and_lose_nothing(state: SqlState) -> None:
    def add_ten() -> None:
        for _ in range(10):
            with state.write() as tx:
                tx.settings.put("n", tx.settings.get("n", 0) + 1)

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with state.read() as tx:
        assert tx.settings.get("n") == 40


def test_tenants_are_saved_replaced_and_listed(state: SqlState) -> None:
    first = Tenant(7, "一汽", settings={"small_count": 10}, created_at=1)
    with state.write() as tx:
        tx.tenants.save(first)
        tx.tenants.save(Tenant(3, "B", "Europe/Berlin"))
        tx.tenants.save(replace(first, name="一汽-大众"))
    with state.read() as tx:
        assert [t.id for t in tx.tenants.all()] == [3, 7]
        assert tx.tenants.get(7) == replace(first, name="一汽-大众")
        assert tx.tenants.get(7).zone == "Asia/Shanghai"
        with pytest.raises(NotFound):
            tx.tenants.get(8)


def _job(id_: str, at: int, tenant: int = 1, kind: str = "export") -> Job:
    return Job(id=id_, tenant=tenant, kind=kind, created_by="u1", created_at=at)


def test_jobs_are_claimed_oldest_first_and_once(state: SqlState) -> None:
    with state.write() as tx:
        for job in (_job("b", 2), _job("a", 1), _job("c", 0, kind="other")):
            tx.jobs.add(job)
    with state.write() as tx:
        claimed = [tx.jobs.claim(["export"], 10) for _ in range(3)]
    assert [job and job.id for job in claimed] == ["a", "b", None]
    with state.read() as tx:
        assert {job.id for job in tx.jobs.running()} == {"a", "b"}
        assert tx.jobs.get(1, "a").started_at == 10


def test_a_job_belongs_to_its_tenant(state: SqlState) -> None:
    with state.write() as tx:
        tx.jobs.add(_job("a", 1, tenant=1))
    with state.read() as tx, pytest.raises(NotFound):
        tx.jobs.get(2, "a")


def test_pages_of_jobs_are_newest_first_and_do_not_overlap(state: SqlState) -> None:
    with state.write() as tx:
        for id_, at in (("a", 1), ("b", 2), ("c", 2), ("d", 3)):
            tx.jobs.add(_job(id_, at))
    with state.read() as tx:
        first = tx.jobs.page(1, limit=2)
        rest = tx.jobs.page(1, limit=2, before=(first[-1].created_at, first[-1].id))
    assert [j.id for j in (*first, *rest)] == ["d", "c", "b", "a"]


def test_cancelling_a_queued_job_ends_it_and_a_running_one_is_asked(state: SqlState) -> None:
    with state.write() as tx:
        tx.jobs.add(_job("a", 1))
        tx.jobs.add(_job("b", 2))
        tx.jobs.claim(["export"], 5)
    with state.write() as tx:
        assert tx.jobs.request_cancel(1, "b", 6).state is JobState.CANCELLED
        assert tx.jobs.request_cancel(1, "a", 6).cancel_requested
    with state.write() as tx:
        assert tx.jobs.report("a", 3, 10, "rows") is True
        tx.jobs.finish("a", JobState.CANCELLED, 7, "cancelled", {"rows": 3})
    with state.read() as tx:
        job = tx.jobs.get(1, "a")
    assert (job.state, job.progress, job.total, job.result) == (
        JobState.CANCELLED,
        3,
        10,
        {"rows": 3},
    )


def test_a_repeated_receipt_is_counted_once(state: SqlState) -> None:
    """Drivers count rows of a statement that may do nothing differently."""
    once = StoredReceipt(3, b"r" * 16, 1, SendKey(7, "hello", 1), ReceiptKind.OPENED, "", 5, 6)
    other = once._replace(id=b"s" * 16)
    with state.write() as tx:
        assert tx.sends.add_receipts([once]) == 1
        assert tx.sends.add_receipts([once]) == 0
        assert tx.sends.add_receipts([other, once, other]) == 1
