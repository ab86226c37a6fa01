"""The Python client against a server that refuses and dawdles: what it takes is never lost."""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from carloop_client import (
    Client,
    Closed,
    InvalidEvent,
    KeyRefused,
    NotDelivered,
    QueueFull,
    Rejected,
)

from carloop.connectors import PROTOCOLS
from carloop.core.events import OWN_LIMITS, Received
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "clients" / "python" / "src"
PYENV = {"PYENV_VERSION": "3.9"}
"""Where pyenv keeps several, this one answers to ``python3.9``."""
WHO = {"login_id": "m-1"}
Answer = tuple[int, dict[str, str], dict[str, Any]]
SAFE: Answer = (200, {}, {"accepted": 1, "rejected": []})


class Peer:
    """Reads bodies with the real protocol; answers what the test says, else takes all."""

    def __init__(self) -> None:
        self.bodies: list[list[dict[str, Any]]] = []
        self.taken: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.decide: Callable[[list[dict[str, Any]]], Answer] = lambda _events: SAFE
        self.arrived = threading.Condition()
        self.url = ""

    def answer(self, headers: dict[str, str], raw: bytes) -> Answer:
        body = gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw
        received = Received(tenant=1, source=1, protocol="own", received_at=0, body=body)
        assert PROTOCOLS["own"].decode(received, OWN_LIMITS).rejected == []
        events = json.loads(body)["events"]
        with self.arrived:
            answer = self.decide(events)
            self.headers.append(headers)
            self.bodies.append(events)
            if answer[0] == 200:
                self.taken += events
            self.arrived.notify_all()
        return answer

    def wait(self, wanted: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(wanted, PATIENCE_SECONDS), self.bodies

    def names(self) -> list[str]:
        return [event["event"] for event in self.taken]


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            assert self.path == "/api/events"
            raw = self.rfile.read(int(self.headers["content-length"]))
            status, headers, body = peer.answer(
                {k.lower(): v for k, v in self.headers.items()}, raw
            )
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield peer
    server.shutdown()
    server.server_close()
    thread.join()


def test_events_arrive_as_they_were_told(peer: Peer) -> None:
    at = datetime(2026, 11, 22, 8, 0, 0, 123_000, UTC)
    values = {"price": Decimal("259900"), "rate": Decimal("0.5"), "day": date(2026, 11, 22)}
    with Client(peer.url, "wk_1") as client:
        id_ = client.track(
            "order_placed",
            WHO,
            {**values, "车系": "C5", "id": UUID(int=7)},
            entities={"dealer": ["D001"]},
            occurred_at=at,
            message_id="order-7",
        )
        client.identify(
            {"login_id": "m-1", "mobile": "13905712846"},
            {"name": "王芳"},
            profile={"increment": {"orders": 1}},
        )
        client.entity("dealer", "D001", {"city": "上海"})
        client.relate("owns", WHO, entities={"vehicle": "LSVAA4182E2184847"}, ended=True)
    order, person, dealer, owns = peer.taken
    assert id_ == "order-7"
    assert order == {
        "message_id": "order-7", "event": "order_placed", "occurred_at": 1_795_334_400_123,
        "identifiers": {"login_id": "m-1"}, "entities": {"dealer": ["D001"]},
        "properties": {"price": 259900, "rate": 0.5, "day": "2026-11-22", "车系": "C5",
                       "id": "00000000-0000-0000-0000-000000000007"},
    }  # fmt: skip
    assert person["profile"] == {"increment": {"orders": 1}, "set": {"name": "王芳"}}
    assert (dealer["event"], dealer["entities"]) == ("$entity", {"dealer": "D001"})
    assert "identifiers" not in dealer
    assert owns["properties"] == {"relation": "owns", "ended": True}
    assert peer.headers[0]["authorization"] == "Bearer wk_1"


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ((("",), {"identifiers": WHO}), "name_invalid", "event"),
        ((("a\x00b",), {"identifiers": WHO}), "name_invalid", "event"),
        ((("a" * 129,), {"identifiers": WHO}), "name_invalid", "event"),
        ((("a",), {}), "missing_identifier", "identifiers"),
        ((("a", WHO), {"message_id": "m" * 256}), "name_invalid", "message_id"),
        (
            (("a", WHO), {"occurred_at": datetime(2026, 1, 1)}),  # noqa: DTZ001
            *("invalid_timestamp", "occurred_at"),
        ),
        ((("a", WHO, {"x": float("nan")}), {}), "invalid_type", "properties"),
        ((("a", WHO, {"x": object()}), {}), "invalid_type", "properties"),
        ((("a", WHO, {"x": "\ud800"}), {}), "invalid_type", "properties"),
        ((("a", WHO, {"x": "y" * 300_000}), {}), "too_large", ""),
    ],
)
def test_what_can_never_be_taken_is_told_to_the_caller(
    peer: Peer, arguments: tuple[tuple[Any, ...], dict[str, Any]], code: str, path: str
) -> None:
    with Client(peer.url, "wk_1") as client:
        with pytest.raises(InvalidEvent) as refused:
            client.track(*arguments[0], **arguments[1])
        client.track("good", WHO)
    assert (refused.value.code, refused.value.path) == (code, path)
    assert peer.names() == ["good"]


def test_many_threads_lose_nothing_and_bodies_are_packed(peer: Peer) -> None:
    def tell(start: int) -> None:
        for n in range(start, start + 250):
            client.track("seen", WHO, {"n": n})

    with Client(peer.url, "wk_1", batch_size=100, flush_after=0.05) as client:
        threads = [threading.Thread(target=tell, args=(250 * i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(event["properties"]["n"] for event in peer.taken) == list(range(1000))
    assert len({event["message_id"] for event in peer.taken}) == 1000
    assert max(len(body) for body in peer.bodies) <= 100
    assert any(headers.get("content-encoding") == "gzip" for headers in peer.headers)


def test_a_busy_server_is_asked_again_when_it_said_under_the_same_ids(peer: Peer) -> None:
    answers: list[Answer] = [(503, {"Retry-After": "1"}, {}), (429, {"Retry-After": "1"}, {})]
    peer.decide = lambda _events: answers.pop(0) if answers else SAFE
    with Client(peer.url, "wk_1", flush_after=0.01) as client:
        client.track("a", WHO)
        client.flush(PATIENCE_SECONDS)
        assert client.pending() == 0
    assert len(peer.bodies) == 3
    assert len({body[0]["message_id"] for body in peer.bodies}) == 1


def test_one_spoilt_event_never_harms_its_neighbours(peer: Peer) -> None:
    def decide(events: list[dict[str, Any]]) -> Answer:
        if any(event["event"] == "bad" for event in events):
            return (400, {}, {"code": "malformed_json", "path": "x"})
        return SAFE

    peer.decide = decide
    rejected: list[Rejected] = []
    with Client(peer.url, "wk_1", on_rejected=rejected.append, flush_after=5) as client:
        for name in ("a", "b", "bad", "c", "d"):
            client.track(name, WHO)
    assert peer.names() == ["a", "b", "c", "d"]
    assert [(r.event["event"], r.code, r.path) for r in rejected] == [
        ("bad", "malformed_json", "x")
    ]


def test_rejections_reach_the_hook_or_else_the_log_without_values(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {"index": 1, "code": "too_deep", "path": "properties"}
    peer.decide = lambda _events: (200, {}, {"accepted": 1, "rejected": [bad]})
    with caplog.at_level(logging.INFO), Client(peer.url, "wk_1", flush_after=5) as client:
        client.track("a", {"mobile": "13905712846"})
        client.track("b", {"mobile": "13905712846"})
    assert "too_deep properties" in caplog.text
    assert "13905712846" not in caplog.text


def test_a_refused_key_is_told_and_its_events_wait(peer: Peer) -> None:
    peer.decide = lambda _events: (401, {}, {"code": "key_invalid"})
    client = Client(peer.url, "wk_1", flush_after=0.01)
    client.track("a", WHO)
    with pytest.raises(KeyRefused) as refused:
        client.flush(PATIENCE_SECONDS)
    assert refused.value.code == "key_invalid"
    assert client.pending() == 1
    peer.decide = lambda _events: SAFE
    client.close()
    assert peer.names() == ["a"]


@pytest.mark.parametrize("status", [302, 404, 502])
def test_a_wrong_turn_on_the_way_costs_no_event(peer: Peer, status: int) -> None:
    answers: list[Answer] = [(status, {"Location": "http://127.0.0.1:9/"}, {})]
    peer.decide = lambda _events: answers.pop() if answers else SAFE
    with Client(peer.url, "wk_1", flush_after=0.01) as client:
        client.track("a", WHO)
    assert peer.names() == ["a"]


def test_a_full_queue_is_told_and_takes_again_later(peer: Peer) -> None:
    gate = threading.Event()
    peer.decide = lambda _events: SAFE if gate.is_set() else (503, {"Retry-After": "1"}, {})
    with Client(peer.url, "wk_1", batch_size=1, queue_size=2, flush_after=0.01) as client:
        client.track("a", WHO)
        client.track("b", WHO)
        with pytest.raises(QueueFull):
            client.track("c", WHO)
        gate.set()
        client.flush(PATIENCE_SECONDS)
        client.track("d", WHO)
    assert peer.names() == ["a", "b", "d"]


def test_a_call_may_wait_for_room(peer: Peer) -> None:
    with Client(peer.url, "wk_1", batch_size=1, queue_size=1, flush_after=0, block=20) as client:
        for n in range(20):
            client.track("seen", WHO, {"n": n})
    assert [event["properties"]["n"] for event in peer.taken] == list(range(20))


def test_the_end_tells_of_what_is_lost_and_a_spool_loses_nothing(
    tmp_path: Path, peer: Peer
) -> None:
    nowhere = "http://127.0.0.1:9"
    client = Client(nowhere, "wk_1", flush_after=0)
    client.track("lost", WHO)
    with pytest.raises(NotDelivered) as lost:
        client.close(0.2)
    assert lost.value.waiting == 1
    client.close()
    with pytest.raises(Closed):
        client.track("late", WHO)
    spooled = Client(nowhere, "wk_1", spool=tmp_path / "events.db", flush_after=0)
    spooled.track("kept", WHO)
    spooled.close(0.2)
    assert (tmp_path / "events.db").stat().st_mode & 0o077 == 0
    Client(peer.url, "wk_1", spool=tmp_path / "events.db", flush_after=0).close()
    assert peer.names() == ["kept"]


CRASH = """
import os, signal, sys
from carloop_client import Client
client = Client(sys.argv[1], "wk_1", spool=sys.argv[2], flush_after=0.01, batch_size=7)
for n in range(int(sys.argv[3]), int(sys.argv[4])):
    client.track("seen", {"login_id": "m-1"}, {"n": n}, message_id=f"m-{n}")
    print(n, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(
    script: str, *arguments: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-W", "error", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **PYENV},
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip


def test_what_a_call_took_survives_being_killed(tmp_path: Path, peer: Peer) -> None:
    spool = str(tmp_path / "events.db")
    peer.decide = lambda events: SAFE if events[0]["properties"]["n"] < 20 else (503, {}, {})
    took: list[int] = []
    for start in (0, 30, 60):
        died = run(CRASH, peer.url, spool, str(start), str(start + 30))
        assert died.returncode == -9, died.stderr
        took += map(int, died.stdout.split())
    assert took == list(range(90))
    peer.decide = lambda _events: SAFE
    Client(peer.url, "wk_1", spool=spool, flush_after=0).close()
    assert {event["message_id"] for event in peer.taken} == {f"m-{n}" for n in took}


FORK = """
import os, sys
from carloop_client import Client
spool = sys.argv[2] or None
client = Client(sys.argv[1], "wk_1", spool=spool, flush_after=0.01)
client.track("before", {"login_id": "m-1"})
for child in range(3):
    if os.fork() == 0:
        for n in range(20):
            client.track("child", {"login_id": "m-1"}, {"n": n}, message_id=f"{child}-{n}")
        client.close()
        os._exit(0)
for n in range(20):
    client.track("parent", {"login_id": "m-1"}, {"n": n}, message_id=f"p-{n}")
assert [os.wait()[1] for _ in range(3)] == [0, 0, 0]
client.close()
"""


@pytest.mark.parametrize("spool", ["", "events.db"])
def test_children_and_parent_each_send_their_own(tmp_path: Path, peer: Peer, spool: str) -> None:
    script = "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n" + FORK
    done = run(script, peer.url, str(tmp_path / spool) if spool else "")
    assert done.returncode == 0, done.stderr
    ids = [event["message_id"] for event in peer.taken if event["event"] != "before"]
    expected = {f"{who}-{n}" for who in ("0", "1", "2", "p") for n in range(20)}
    assert set(ids) == expected
    assert peer.names().count("before") == 1


def test_the_end_of_a_program_delivers_what_waits(peer: Peer) -> None:
    script = (
        "import sys; from carloop_client import Client\n"
        'Client(sys.argv[1], "wk_1", flush_after=60).track("last", {"login_id": "m-1"})'
    )
    done = run(script, peer.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert peer.names() == ["last"]


def test_it_runs_on_python_3_9(peer: Peer, tmp_path: Path) -> None:
    old = shutil.which("python3.9")
    if old is None or not _works(old):
        pytest.skip("Python 3.9 is not installed")
    script = (
        "import sys; assert sys.version_info[:2] == (3, 9)\n"
        "from carloop_client import Client\n"
        'with Client(sys.argv[1], "wk_1", spool=sys.argv[2]) as client:\n'
        '    client.track("old", {"login_id": "1"})'
    )
    done = run(script, peer.url, str(tmp_path / "events.db"), python=old)
    assert done.returncode == 0, done.stderr
    assert peer.names() == ["old"]


def _works(python: str) -> bool:
    said = subprocess.run(
        [python, "--version"],
        env={**os.environ, **PYENV},
        capture_output=True,
        text=True,
        check=False,
    )
    return said.returncode == 0 and "3.9" in said.stdout


def test_nothing_outside_the_standard_library_is_imported() -> None:
    script = (
        "import sys; import carloop_client\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(roots - set(sys.stdlib_module_names) - {'carloop_client', '__main__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env={"PYTHONPATH": str(SOURCES)},
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
