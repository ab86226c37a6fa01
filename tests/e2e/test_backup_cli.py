"""A backup by command, restored into an empty directory by another process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support import server


def carloop(*arguments: object) -> subprocess.CompletedProcess[str]:
    return server.carloop(*map(str, arguments))


def test_a_backup_is_restored_and_verified(tmp_path: Path) -> None:
    data, target, new = tmp_path / "data", tmp_path / "backup", tmp_path / "new"
    made = carloop("backup", target, "--data", data)
    assert made.returncode == 0, made.stderr
    assert "master key" in made.stdout
    assert not list(target.rglob("master.key"))
    again = carloop("backup", target, "--data", data)
    assert (again.returncode, "not_empty" in again.stderr) == (1, True)
    keyless = carloop("restore", target, "--data", new)
    assert (keyless.returncode, "master_key_missing" in keyless.stderr) == (1, True)
    assert not (new / "secret" / "master.key").exists()
    (new / "secret").mkdir(parents=True, exist_ok=True)
    key = new / "secret" / "master.key"
    key.touch(mode=0o600)
    key.write_bytes((data / "secret" / "master.key").read_bytes())
    restored = carloop("restore", target, "--data", new)
    assert restored.returncode == 0, restored.stderr
    compared = carloop("verify", target, "--data", new)
    assert compared.returncode == 0, compared.stdout + compared.stderr
