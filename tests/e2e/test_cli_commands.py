"""The command line, against a running server and without one."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import state_url
from carloop.stores.state.store import SqlState
from tests.support.server import Server, carloop, serving
from tests.support.stores import stores_of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve") / "data") as server:
        yield server


def test_version_is_one_line() -> None:
    done = carloop("version")
    assert (done.returncode, done.stdout) == (0, "0.1.0\n")


def test_a_write_key_is_printed_alone_with_and_without_a_server(
    server: Server, tmp_path: Path
) -> None:
    for data in (server.data, tmp_path / "data"):
        done = carloop("key", "create", "web", "--data", str(data))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("clw_")
        assert done.stdout.count("\n") == 1
        assert done.stderr == ""


def test_a_new_key_works_within_a_second(server: Server) -> None:
    key = server.write_key("quick")
    with server.client() as client:
        body = {"event": "visit", "identifiers": {"cookie": "c-1"}}
        answer = client.post("/api/events", json=body, headers={"X-Write-Key": key})
    assert answer.status_code == 200


def test_a_revoked_key_is_gone_from_the_list(server: Server) -> None:
    key = server.write_key("revoked")
    line = next(k for k in server.run("key", "list").splitlines() if "revoked" in k)
    assert line.endswith(key[-4:])
    server.run("key", "revoke", line.split()[0])
    assert line not in server.run("key", "list")
    unknown = carloop("key", "revoke", "nothing", "--data", str(server.data))
    assert unknown.returncode == 1
    assert unknown.stderr == "carloop: no key nothing (not_found)\n"


def test_a_user_made_here_signs_in(server: Server) -> None:
    password = server.run("user", "create", "wang", "--role", "analyst")
    again = server.run("user", "reset-password", "wang")
    with server.client() as client:
        for given, status in ((password, 401), (again, 201)):
            body = {"username": "wang", "password": given}
            assert client.post("/api/session", json=body).status_code == status


def test_errors_are_one_clear_line(server: Server) -> None:
    done = carloop("user", "create", "li", "--role", "dealer_manager", "--data", str(server.data))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "dimension_needed" in done.stderr
    bad = carloop("doctor", CARLOOP_PORT="eighty")
    assert (bad.returncode, bad.stderr.count("\n")) == (1, 1)
    assert "CARLOOP_PORT" in bad.stderr


def test_a_second_server_on_the_same_directory_is_refused(server: Server) -> None:
    done = carloop("migrate", "--data", str(server.data))
    assert done.returncode == 1
    assert "data_in_use" in done.stderr


def test_doctor_finds_both_a_server_and_its_absence_well(server: Server, tmp_path: Path) -> None:
    for data in (server.data, tmp_path / "data"):
        done = carloop("doctor", "--json", "--port", str(server.port), "--data", str(data))
        checks = {check["name"]: check for check in json.loads(done.stdout)}
        assert checks["stores"]["status"] == "ok", checks["stores"]
        assert (checks["port"]["status"] == "ok") == (data == server.data)
        assert done.returncode == (0 if data == server.data else 1)
        assert all(check["fix"] or check["status"] == "ok" for check in checks.values())


def test_what_is_kept_is_for_its_owner_alone(server: Server) -> None:
    for path in (server.data, server.data / "run", server.data / "secret"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("run/local.token", "run/keys.json", "run/admin-password", "secret/master.key"):
        assert stat.S_IMODE((server.data / name).stat().st_mode) == 0o600, name


def test_the_first_password_file_goes_when_the_password_is_changed(server: Server) -> None:
    file = server.data / "run" / "admin-password"
    old = file.read_text().strip()
    with server.client() as client:
        signed = client.post("/api/session", json={"username": "admin", "password": old})
        body = {"old": old, "new": "a long enough phrase"}
        headers = {"X-CSRF-Token": signed.json()["csrf"]}
        assert client.post("/api/session/password", json=body, headers=headers).status_code == 204
    assert not file.exists()


def test_audit_verify_finds_an_edit(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert carloop("key", "create", "web", "--data", data).returncode == 0
    whole = carloop("audit", "verify", "--data", data)
    assert whole.returncode == 0
    assert whole.stdout.startswith("audit log whole: ")
    with stores_of(tmp_path / "data") as stores:
        settings = Settings.from_env(stores, data=tmp_path / "data")
        state = SqlState(state_url(settings))
        with state.write() as tx:
            tx.connection.execute(text("UPDATE audit SET caller = 'somebody else' WHERE id = 1"))
        state.close()
    broken = carloop("audit", "verify", "--data", data)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "entry 1" in broken.stderr
