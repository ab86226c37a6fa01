"""Unmodified clients send to a real server; what they sent is found in people and events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import clients
from tests.support.capture import capturing
from tests.support.clients import CLIENTS, SENSORS_WEB, need_node, node
from tests.support.server import Server, serving
from tests.support.waiting import until

VINS = Path(__file__).resolve().parents[2].parent / "shared/data/vin_us_auction"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("clients") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token()


def person(server: Server, token: str, login: str) -> dict[str, Any]:
    """The one person with this login, once it is there."""
    with server.client(token) as client:

        def items() -> list[dict[str, Any]]:
            answer = client.get("/api/persons", params={"identifier": f"login_id:{login}"})
            assert answer.status_code == 200, answer.text
            return list(answer.json()["items"])

        (found,) = until(items, f"nobody is {login}")
    return found


def events_of(server: Server, token: str, id: str, wanted: set[str]) -> None:
    """Wait until the person's timeline holds these events."""
    with server.client(token) as client:

        def missing() -> set[str]:
            answer = client.get(f"/api/persons/{id}/timeline")
            assert answer.status_code == 200, answer.text
            return wanted - {event["event"] for event in answer.json()["items"]}

        until(lambda: not missing(), lambda: f"missing: {missing()}")


def test_segment_python(server: Server, token: str) -> None:
    clients.segment_python(server.url, server.write_key("segment-python"), gzip=True)
    found = person(server, token, "seg-py-1")
    events_of(server, token, found["id"], {"test_drive_booked", "page_viewed"})


def test_rudder_python(server: Server, token: str) -> None:
    clients.rudder_python(server.url, server.write_key("rudder-python"))
    found = person(server, token, "rud-py-1")
    events_of(server, token, found["id"], {"test_drive_booked"})


def test_sensors_python_binds_the_visitor(server: Server, token: str) -> None:
    key = server.write_key("sensors-python")
    clients.sensors_python(f"{server.url}/sa?project=default&token={key}", "BatchConsumer")
    found = person(server, token, "sa-py-1")
    events_of(server, token, found["id"], {"test_drive_booked", "$SignUp"})


@pytest.mark.node
def test_segment_node(server: Server, token: str) -> None:
    need_node("@segment/analytics-node")
    node("segment.mjs", server.url, server.write_key("segment-node"))
    found = person(server, token, "seg-node-1")
    events_of(server, token, found["id"], {"test_drive_booked", "page_viewed"})


@pytest.mark.node
def test_rudder_node(server: Server, token: str) -> None:
    need_node("@rudderstack/rudder-sdk-node")
    node("rudder.mjs", server.url, server.write_key("rudder-node"))
    found = person(server, token, "rud-node-1")
    events_of(server, token, found["id"], {"test_drive_booked", "screen_viewed"})


@pytest.mark.node
def test_sensors_node(server: Server, token: str) -> None:
    need_node("sa-sdk-node")
    node("sensors.mjs", f"{server.url}/sa?project=default&token={server.write_key('sensors-node')}")
    found = person(server, token, "sa-node-1")
    events_of(server, token, found["id"], {"test_drive_booked", "$SignUp"})


@pytest.mark.browser
@pytest.mark.node
def test_sensors_in_a_browser(server: Server, token: str) -> None:
    need_node("sa-sdk-javascript")
    script = CLIENTS / SENSORS_WEB
    with capturing({"/sensorsdata.js": script}) as site, clients.browser_page() as page:
        key = server.run("key", "create", "sensors-web", "--origin", site.url)
        url = f"{server.url}/sa?project=default&token={key}"
        html = clients.sensors_page(url, 'send_type: "ajax"')
        site.pages["/page"] = ("text/html; charset=utf-8", html)
        page.goto(f"{site.url}/page")
        found = person(server, token, "sa-web-1")
        events_of(server, token, found["id"], {"test_drive_booked", "$SignUp", "$pageview"})


@pytest.mark.data
def test_an_import_goes_through_the_running_server(
    server: Server, token: str, tmp_path: Path
) -> None:
    file = VINS / "USA_cars_datasets.csv"
    if not file.exists():
        pytest.skip("the shared data sets are not here")
    options = ("--event", "vehicle_listed", "--errors", str(tmp_path / "errors.csv"))
    printed = server.run("import", str(file), *options)
    assert "1235 rows: 1235 imported, 0 rejected" in printed
    assert "nothing was sent again" in server.run("import", str(file), *options)
    server.settle()
    with server.client(token) as client:
        answer = client.get("/api/entities/vehicle", params={"key": "jtezu11f88k007763"})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == 1
