"""Processes die and steps fail at every named point; what was acknowledged is stored once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from carloop.kit.faults import POINTS
from tests.drill.journeys import ENVIRONMENT, Campaign
from tests.drill.server import Server
from tests.support import waiting
from tests.support.provider import Provider, provider

ONLY_AT_START = ("journal.expired", "loader.recovered", "migrations.applied")
"""Points that a running server passes at its start, or once an hour."""


def until(asked: Callable[[], Any], what: str) -> Any:
    """Ask until it is so, of a server that may die meanwhile."""
    return waiting.until(asked, what, despite=httpx.HTTPError)


class Life:
    """A server with a journey, and somebody who sends until it is acknowledged."""

    def __init__(self, server: Server, faults: Path, receiver: Provider) -> None:
        self.server, self.faults, self.receiver = server, faults, receiver
        self.acknowledged: set[str] = set()
        self._number = 0
        self.key, token = server.key(), server.key("--admin")
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=server.url, headers=headers, timeout=30)
        Campaign(receiver).start(server, token)

    def send(self) -> str:
        """Somebody new becomes a member; a batch that is not acknowledged is sent again."""
        self._number += 1
        who = f"member-{self._number}"
        events = [
            {"message_id": f"{who}-{n}", "event": "drill_visit", "properties": {"n": f"{who}-{n}"},
             "identifiers": {"login_id": who, "anonymous_id": f"{who}-{n}"},
             "profile": {"set": {"level": "member"}}}
            for n in range(5)
        ]  # fmt: skip
        url, headers = f"{self.server.url}/api/events", {"X-Write-Key": self.key}

        def acknowledged() -> bool:
            answer = httpx.post(url, json=events, headers=headers, timeout=30)
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200

        until(acknowledged, "nothing was acknowledged")
        self.acknowledged |= {str(e["message_id"]) for e in events}
        return who

    def stored(self) -> Counter[str]:
        """How often each event is found."""
        found: Counter[str] = Counter()
        asked = {"limit": "200", "event": "drill_visit"}
        while True:
            page = self.http.get("/api/events", params=asked).raise_for_status().json()
            found.update(str(event["properties"]["n"]) for event in page["items"])
            if page["next_cursor"] is None:
                return found
            asked["cursor"] = page["next_cursor"]

    def settle(self) -> None:
        """All that was acknowledged is there, each once."""
        until(lambda: set(self.stored()) >= self.acknowledged, "acknowledged, but not stored")
        assert {n for n, times in self.stored().items() if times > 1} == set()

    def person(self, who: str) -> list[Any]:
        answer = self.http.get("/api/persons", params={"identifier": f"login_id:{who}"})
        items: list[Any] = answer.raise_for_status().json()["items"]
        return items

    def finished(self, job: str) -> Any:
        """The job, once it has ended."""

        def ended() -> Any:
            found = self.http.get(f"/api/jobs/{job}").raise_for_status().json()
            return found["state"] in ("done", "failed") and found

        return until(ended, "the job did not end")

    def provoke(self, point: str) -> Callable[[], None]:
        """Do what passes the point; returns what must hold once all is well again."""
        if point.startswith("backup."):
            job = self.http.post("/api/backups", json={"with_key": False}).json()["id"]
            return lambda: self._after_backup(job)
        if point.startswith("erasure.") or point == "projector.erased":
            who = self.send()
            (person,) = until(lambda: self.person(who), "the person is not found")
            job = self.http.delete(f"/api/persons/{person['id']}").json()["job"]
            self.acknowledged -= {f"{who}-{n}" for n in range(5)}
            return lambda: self._after_erasure(who, job)
        self.send()
        if point in ONLY_AT_START:
            assert self.server.kill(("engine",))
        return lambda: None

    def _after_backup(self, job: str) -> None:
        again = self.http.post("/api/backups", json={"with_key": False}).json()["id"]
        assert self.finished(again)["state"] == "done"
        assert self.finished(job)["state"] == "failed"

    def _after_erasure(self, who: str, job: str) -> None:
        if self.finished(job)["state"] == "failed":
            (person,) = until(lambda: self.person(who), "half erased")
            job = self.http.delete(f"/api/persons/{person['id']}").json()["job"]
            assert self.finished(job)["state"] == "done"
        assert self.person(who) == []
        gone = {f"{who}-{n}" for n in range(5)}
        until(lambda: not gone & set(self.stored()), "its events are still there")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The server also dies once while it makes its tables, at its very first start."""
    directory = tmp_path_factory.mktemp("faults")
    faults = directory / "armed"
    faults.mkdir()
    (faults / "migrations.applied").write_text("kill")
    with provider() as receiver:
        server = Server(directory / "data", {**ENVIRONMENT, "CARLOOP_FAULTS": str(faults)})
        try:
            server.wait_ready()
            assert list(faults.iterdir()) == []
            life = Life(server, faults, receiver)
            yield life
            life.http.close()
        finally:
            server.stop()
    assert receiver.delivered, "no message was sent at all"
    assert [key for key, times in receiver.delivered.items() if times > 1] == []


WAYS = [
    pytest.param(what, point, id=f"{point}-{what.replace(' ', '')}")
    for point in POINTS
    if point != "migrations.applied"
    for what in (["kill", "kill 3"] if point == "loader.inserting" else ["kill"])
] + [pytest.param("raise", point, id=f"{point}-raise", marks=pytest.mark.deep)
     for point in POINTS if point not in ONLY_AT_START]  # fmt: skip


@pytest.mark.parametrize(("what", "point"), WAYS)
def test_nothing_acknowledged_is_lost_or_stored_twice(life: Life, what: str, point: str) -> None:
    (life.faults / point).write_text(what)
    check = life.provoke(point)
    until(lambda: not (life.faults / point).exists(), f"{point} was never reached")
    life.server.wait_ready()
    check()
    life.send()
    life.settle()
