"""What unmodified clients send is decoded as they meant it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from carloop.core.events import Envelope, ProfileOp
from carloop.core.identifiers import RawIdentifier
from tests.support import clients
from tests.support.capture import KEY, Capture, capturing
from tests.support.clients import CLIENTS, need_node, node
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def capture() -> Iterator[Capture]:
    with capturing() as capture:
        yield capture


def properties(event: Envelope) -> dict[str, object]:
    found: dict[str, object] = json.loads(event.properties)
    return found


def is_recent(event: Envelope) -> bool:
    return abs(event.occurred_at - time.time() * 1000) < PATIENCE_SECONDS * 1000


@pytest.mark.parametrize("gzip", [False, True])
def test_segment_python(capture: Capture, gzip: bool) -> None:
    clients.segment_python(capture.url, KEY, gzip)
    capture.wait(lambda: len(capture.events) == 3)
    assert set(capture.keys) == {KEY}
    track = capture.of("test_drive_booked")
    assert track.identifiers == [
        RawIdentifier("login_id", "seg-py-1"),
        RawIdentifier("anonymous_id", "seg-py-a"),
    ]
    assert properties(track) == {"series": "C5"}
    assert is_recent(track)
    assert capture.of("$identify").profile == [
        ProfileOp("set", "email", "seg@example.com"),
        ProfileOp("set", "plan", "pro"),
    ]
    page = properties(capture.of("page_viewed"))
    assert (page["name"], page["category"], page["url"]) == ("Home", "Docs", "https://example.com/")


def test_rudder_python(capture: Capture) -> None:
    clients.rudder_python(capture.url, KEY)
    capture.wait(lambda: len(capture.events) == 2)
    assert set(capture.keys) == {KEY}
    assert properties(capture.of("test_drive_booked")) == {"series": "C5"}
    assert capture.of("$identify").profile == [ProfileOp("set", "email", "rud@example.com")]


@pytest.mark.parametrize("consumer", ["DefaultConsumer", "BatchConsumer"])
def test_sensors_python(capture: Capture, consumer: str) -> None:
    clients.sensors_python(f"{capture.url}/sa?project=default&token={KEY}", consumer)
    capture.wait(lambda: len(capture.events) == 4)
    assert set(capture.keys) == {KEY}
    track = capture.of("test_drive_booked")
    assert track.identifiers == [RawIdentifier("anonymous_id", "sa-py-visitor")]
    assert properties(track)["series"] == "C5"
    signup = capture.of("$SignUp")
    assert signup.bind
    assert signup.identifiers == [
        RawIdentifier("login_id", "sa-py-1"),
        RawIdentifier("anonymous_id", "sa-py-visitor"),
    ]
    ops = [op for event in capture.events for op in event.profile]
    assert ops == [
        ProfileOp("set", "nickname", "python"),
        ProfileOp("append", "interests", ["suv"]),
    ]


@pytest.mark.parametrize("consumer", ["DebugConsumer"])
def test_sensors_debug_of_python(capture: Capture, consumer: str) -> None:
    import sensorsanalytics

    debug = sensorsanalytics.DebugConsumer(f"{capture.url}/sa?token={KEY}", False)
    sensorsanalytics.SensorsAnalytics(debug).track("d", "test_drive_booked", {"series": "C5"})
    assert [request.path for request in capture.requests] == ["/debug"]
    assert capture.events == []


@pytest.mark.node
def test_segment_node(capture: Capture) -> None:
    need_node("@segment/analytics-node")
    node("segment.mjs", capture.url, KEY)
    capture.wait(lambda: len(capture.events) == 4)
    assert set(capture.keys) == {KEY}
    assert sorted(capture.names()) == ["$group", "$identify", "page_viewed", "test_drive_booked"]
    assert properties(capture.of("$group")) == {"industry": "taxi", "group_id": "g1"}
    assert properties(capture.of("test_drive_booked")) == {"series": "C5"}


@pytest.mark.node
def test_rudder_node(capture: Capture) -> None:
    need_node("@rudderstack/rudder-sdk-node")
    node("rudder.mjs", capture.url, KEY)
    capture.wait(lambda: len(capture.events) == 3)
    assert set(capture.keys) == {KEY}
    assert sorted(capture.names()) == ["$identify", "screen_viewed", "test_drive_booked"]
    assert capture.of("$identify").profile == [ProfileOp("set", "email", "rudder@example.com")]
    assert is_recent(capture.of("test_drive_booked"))


@pytest.mark.node
def test_sensors_node(capture: Capture) -> None:
    need_node("sa-sdk-node")
    node("sensors.mjs", f"{capture.url}/sa?project=default&token={KEY}")
    capture.wait(lambda: len(capture.events) == 4)
    assert set(capture.keys) == {KEY}
    assert properties(capture.of("test_drive_booked"))["series"] == "C5"
    assert capture.of("$SignUp").bind
    ops = [op for event in capture.events for op in event.profile]
    assert ProfileOp("set", "nickname", "node") in ops
    assert ProfileOp("increment", "visits", 1) in ops


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.parametrize(
    ("options", "method", "content_type"),
    [
        ('send_type: "image"', "GET", ""),
        ('send_type: "ajax"', "POST", "application/x-www-form-urlencoded"),
        ('send_type: "beacon"', "POST", "text/plain"),
        ("batch_send: {send_interval: 300}", "POST", "application/x-www-form-urlencoded"),
    ],
)
def test_sensors_in_a_browser(options: str, method: str, content_type: str) -> None:
    need_node("sa-sdk-javascript")
    script = CLIENTS / clients.SENSORS_WEB
    with capturing({"/sensorsdata.js": script}) as capture, clients.browser_page() as page:
        url = f"{capture.url}/sa?project=default&token={KEY}"
        capture.pages["/page"] = ("text/html; charset=utf-8", clients.sensors_page(url, options))
        page.goto(f"{capture.url}/page")
        capture.wait(
            lambda: (
                {"test_drive_booked", "$SignUp", "$pageview"} <= set(capture.names())
                and any(event.profile for event in capture.events)
            )
        )
        assert {r.path for r in capture.requests} == {"/sa.gif"}
        assert {r.method for r in capture.requests} == {method}
        kinds = {r.headers.get("content-type", "").partition(";")[0] for r in capture.requests}
        assert kinds == {content_type}
        assert set(capture.keys) == {KEY}
        assert properties(capture.of("test_drive_booked"))["series"] == "C5"
        assert properties(capture.of("$pageview"))["$title"] == "看车"
        signup = capture.of("$SignUp")
        assert signup.bind
        assert "sa-web-1" in [identifier.value for identifier in signup.identifiers]
        sets = [op for event in capture.events for op in event.profile]
        assert ProfileOp("set", "nickname", "web") in sets
