"""The Python client and a real server that is killed and comes back: each event is there once."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from carloop_client import Client, Rejected

from tests.support.server import Server, free_port, serving
from tests.support.waiting import PATIENCE_SECONDS

EVENTS = 600
VIN = "LSVAA4182E2184847"


def told(client: Client, number: int) -> None:
    client.track(
        "test_drive_booked",
        {"login_id": f"py-{number % 3}"},
        {"series": "C5", "n": number},
        message_id=f"py-{number}",
    )


def tell(client: Client, first: int, last: int) -> None:
    for number in range(first, last):
        told(client, number)


def numbers(server: Server, token: str) -> list[int]:
    """``n`` of every stored event."""
    found: list[int] = []
    with server.client(token) as client:
        cursor = ""
        while True:
            page = client.get(
                "/api/events", params={"event": "test_drive_booked", "cursor": cursor}
            ).json()
            found += [event["properties"]["n"] for event in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                return found


def kill(server: Server) -> None:
    """End the supervisor at once; its children end with it."""
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(PATIENCE_SECONDS)


def test_nothing_is_lost_or_doubled_while_the_server_dies_and_comes_back(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "data"
    spool = tmp_path / "events.db"
    with serving(data, port=port) as server:
        key = server.write_key("python")
        token = server.token()
        client = Client(server.url, key, spool=spool, batch_size=20, flush_after=0.05)
        tell(client, 0, EVENTS // 3)
        half = threading.Thread(target=tell, args=(client, EVENTS // 3, 2 * EVENTS // 3))
        half.start()
        kill(server)
        half.join()
    tell(client, 2 * EVENTS // 3, EVENTS)
    assert client.pending() > 0
    with serving(data, port=port) as server:
        client.close(PATIENCE_SECONDS)
        server.settle()
        assert sorted(numbers(server, token)) == list(range(EVENTS))


def test_what_is_told_is_found_in_people_and_things(tmp_path: Path) -> None:
    rejected: list[Rejected] = []
    with serving(tmp_path / "data") as server:
        token = server.token()
        key = server.write_key("python")
        with Client(server.url, key, on_rejected=rejected.append, flush_after=5) as client:
            client.identify({"login_id": "m-1", "mobile": "13905712846"}, {"name": "王芳"})
            client.track("lead_submitted", {"login_id": "m-1"}, {"channel": "douyin"})
            client.track("spoilt", {"login_id": "m-1"}, {"deep": _deep(40)})
            client.relate("owns", {"login_id": "m-1"}, entities={"vehicle": VIN})
            client.entity("dealer", "D001", {"city": "上海"})
        server.settle()
        with server.client(token) as api:
            (person,) = api.get("/api/persons?identifier=login_id:m-1").json()["items"]
            shown = api.get(f"/api/persons/{person['id']}").json()
            timeline = api.get(f"/api/persons/{person['id']}/timeline").json()["items"]
    assert [(r.event["event"], r.code) for r in rejected] == [("spoilt", "too_deep")]
    assert {event["event"] for event in timeline} == {"$identify", "lead_submitted", "$relate"}
    assert {i["type"] for i in shown["identifiers"]} == {"login_id", "mobile"}
    assert "owns" in {relation["kind"] for relation in shown["relations"]}


def _deep(levels: int) -> object:
    return {"a": _deep(levels - 1)} if levels else 1
