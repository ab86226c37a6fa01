"""Each check finds what it looks for and says what to do."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carloop.app.operation import doctor
from carloop.app.operation.doctor import Check, Status
from carloop.kit.errors import Unavailable


def test_an_old_python_fails() -> None:
    assert doctor.check_python((3, 10, 9)).status is Status.FAILED
    assert doctor.check_python((3, 11, 0)).status is Status.OK


def test_a_taken_port_fails_unless_it_is_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert doctor.check_port("127.0.0.1", port, serving=False).status is Status.FAILED
        assert doctor.check_port("127.0.0.1", port, serving=True).status is Status.OK
    assert doctor.check_port("127.0.0.1", port, serving=False).status is Status.OK


def test_a_wrong_clock_fails() -> None:
    assert doctor.check_clock(datetime(1970, 1, 1, tzinfo=UTC)).status is Status.FAILED


@pytest.mark.parametrize(("mode", "status"), [(0o600, Status.OK), (0o640, Status.FAILED)])
def test_a_master_key_that_others_may_read_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, status: Status
) -> None:
    monkeypatch.delenv("CARLOOP_MASTER_KEY", raising=False)
    key = tmp_path / "master.key"
    key.write_text("x")
    key.chmod(mode)
    found = doctor.check_master_key(key)
    assert found.status is status
    assert bool(found.fix) == (status is Status.FAILED)


def test_the_disk_is_measured_and_left_clean(tmp_path: Path) -> None:
    check = doctor.check_fsync(tmp_path / "not" / "there" / "yet")
    assert check.found.endswith("ms")
    assert os.listdir(tmp_path) == []


def test_whatever_is_not_well_has_a_fix(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for check in doctor.machine_checks(tmp_path, "127.0.0.1", 1, now, serving=True):
        assert bool(check.fix) == (check.status is not Status.OK), check


def test_a_failing_probe_says_why() -> None:
    def broken() -> str:
        raise Unavailable("no answer", code="state_unavailable")

    check = doctor.probe("stores", broken, "restore")
    assert check == Check("stores", Status.FAILED, "no answer (state_unavailable)", "restore")
    assert not doctor.healthy([check])
    assert doctor.healthy([doctor.probe("stores", lambda: "fine", "restore")])
