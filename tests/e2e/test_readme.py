"""The README's tour, word for word, against a fresh server; links and pictures lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import serving
from tests.support.stores import EVENT_STORE, STATE, postgres_absent
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CHINESE, ENGLISH = README.split('<a id="english"></a>')
PROMISE = re.compile(r"^# → (.*)$", re.MULTILINE)


def tour(part: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)


def bash(commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash"],
        input=commands,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PATH": path, **environment},
    )


def test_both_languages_hold_the_same_commands() -> None:
    assert tour(CHINESE) == tour(ENGLISH)
    assert len(tour(CHINESE)) == 8


ELSEWHERE = pytest.param("postgres", "http", id="postgres-http", marks=pytest.mark.postgres)


@pytest.mark.parametrize(("state", "event_store"), [(STATE, EVENT_STORE), ELSEWHERE])
def test_the_tour_is_true_word_for_word(tmp_path: Path, state: str, event_store: str) -> None:
    if postgres_absent(state):
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    commands = "".join(tour(CHINESE))
    with serving(
        tmp_path / "data",
        state=state,
        event_store=event_store,
        CARLOOP_ALLOWED_HOSTS="127.0.0.1",
    ) as server:
        where = {"CARLOOP": server.url, "DATA": str(server.data), "TMPDIR": str(tmp_path)}
        done = bash(commands, **where, **server.stores)
    assert done.stdout.splitlines() == PROMISE.findall(commands), done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_of_the_operators_guide_are_true(tmp_path: Path) -> None:
    commands = "".join(tour((ROOT / "docs" / "guides" / "operate.md").read_text("utf-8")))
    again = str(tmp_path / "again")
    with serving(tmp_path / "data", state="sqlite", event_store="chdb") as server:
        server.send(server.write_key(), [{"event": "visit", "identifiers": {"login_id": "u1"}}])
        data = str(server.data)
        done = bash(f"set -e\n{commands}", DATA=data, BACKUP=str(tmp_path / "b"), AGAIN=again)
    assert done.returncode == 0, done.stderr
    said = iter(done.stdout.splitlines())
    for promise in PROMISE.findall(commands):
        assert any(promise in line for line in said), promise


@pytest.mark.parametrize("page", [Path("README.md"), *Path("docs").rglob("*.md")], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [
        link
        for link in links
        if "://" not in link and not (ROOT / page.parent / link).resolve().exists()
    ]
    assert broken == []
