"""Brokers read by configuration: every message once, whatever breaks in between."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from carloop.bootstrap.engine import Engine
from carloop.connectors.feeds import FEED_KINDS
from carloop.connectors.feeds.broker import LONGEST_META
from carloop.core.feeds import LONGEST_RECORD, FeedRecord
from carloop.core.scope import Scope
from carloop.kit.errors import InvalidInput
from carloop.sql import Query
from tests.support.brokers import (
    BROKERS,
    HERE,
    SECRET,
    Served,
    broker,
    guarded_broker,
    proxied,
    rabbitmq,
    redis_streams,
    speaking,
)
from tests.support.reading import Reading, started
from tests.support.waiting import PATIENCE_SECONDS, until

ROWS = {
    "columns": {
        "driver.phone": {"as": "identifier", "type": "mobile"},
        "speed_kmh": {"as": "property", "name": "speed_kmh", "type": "number"},
        "at": {"as": "time", "format": "ms"},
    },
    "events": [{"event": "telemetry_read"}],
}
POINTS = {
    "event": "telemetry_read",
    "items": "points[]",
    "identifiers": [{"type": "mobile", "path": "$.driver.phone"}],
    "occurred_at": {"path": "t", "time": "ms"},
    "properties": {"speed_kmh": "v", "topic": "$.$message.topic"},
}
ROOT = Path(__file__).resolve().parents[2]
_FEED = re.compile(r"feed-\d+")
START_MS = 1_782_000_000_000


def telemetry(number: int, **other: Any) -> bytes:
    body = {
        "driver": {"phone": f"1391{number + 2_340_001:07d}"},
        "speed_kmh": number % 130,
        "at": START_MS + number,
    }
    return json.dumps(body | other).encode()


class Consuming(Reading):
    """A running engine, which other tests use too, and one broker of this test alone."""

    def __init__(self, engine: Engine, served: Served) -> None:
        super().__init__(engine, served)
        self.served = served
        self.sources: list[int] = []

    def count(self) -> int:
        return int(self.rows("count()")[0][0])

    def consume(self, **other: Any) -> str:
        """A feed that reads from now on, without end."""
        body = {
            "name": f"Telemetry {other.get('name', '')}", "kind": self.served.kind,
            "settings": self.served.settings, "mapping": ROWS, "schedule": "continuous",
        }  # fmt: skip
        answer = self.api.post("/api/feeds", json=body | other)
        assert answer.status_code == 201, answer.text
        self.sources.append(answer.json()["source"])
        return str(answer.json()["id"])

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        query = Query(
            f"SELECT {columns} FROM events WHERE source IN {{s:Array(UInt32)}}", {"s": self.sources}
        )
        found = self.engine.stores.event_store.query(query, Scope(1)).rows
        return [tuple(row) for row in found]

    def quarantined(self) -> list[tuple[str, str]]:
        (source,) = self.sources
        items = self.api.get(f"/api/quarantine?source={source}").json()["items"]
        return sorted((item["code"], item["path"]) for item in items)

    def close(self) -> None:
        """Remove the feeds and wait until none is read any more."""
        for feed in self.api.get("/api/feeds").json()["items"]:
            self.api.delete(f"/api/feeds/{feed['id']}")
        until(lambda: not any(_FEED.fullmatch(thread.name) for thread in threading.enumerate()))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with started(tmp_path_factory.mktemp("brokers") / "data") as running:
        yield running


@pytest.fixture(params=BROKERS)
def consuming(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Consuming]:
    with broker(request.param) as served:
        found = Consuming(engine, served)
        yield found
        found.close()


def read_some(served: Served, records: int, *, acknowledge: bool) -> list[FeedRecord]:
    """At least so many records, by a connection of its own."""
    feed = FEED_KINDS[served.kind].open(served.settings, HERE)
    found: list[FeedRecord] = []
    try:
        for page in feed.pages(None, lambda: False):
            found += page.records
            if acknowledge:
                feed.acknowledge(page)
            if len(found) >= records:
                break
    finally:
        feed.close()
    return found


def test_every_message_lands_once_and_what_cannot_be_read_is_kept_beside_it(
    consuming: Consuming,
) -> None:
    too_long = telemetry(1, note="x" * (LONGEST_RECORD - LONGEST_META))
    bad = [b"{not json", b"\xff\xfe{}", too_long, telemetry(2, at="yesterday")]
    consuming.served.publish([telemetry(n) for n in range(100)] + bad)
    feed = consuming.consume()
    consuming.served.publish([telemetry(n) for n in range(100, 200)])
    until(lambda: consuming.count() == 200)
    until(lambda: len(consuming.quarantined()) == 4)
    assert consuming.rows("count(), uniqExact(occurred_at)") == [(200, 200)]
    codes = [code for code, _ in consuming.quarantined()]
    assert codes == ["invalid_encoding", "invalid_timestamp", "malformed_json", "row_too_long"]
    unreadable = [path for code, path in consuming.quarantined() if code == "malformed_json"]
    assert unreadable[0], "its position at the broker"
    told = consuming.get(feed)["last_run"]
    assert (told["records"], told["bad"], told["state"]) == (204, 3, "running")
    consuming.served.publish([telemetry(300, battery={"soc": 80})])
    until(lambda: consuming.count() == 201)
    changes = consuming.api.get(f"/api/feeds/{feed}/drift").json()["items"]
    assert ("added", "battery") in {(c["kind"], c["column"]) for c in changes}


def test_what_was_not_acknowledged_comes_again_under_the_same_name(consuming: Consuming) -> None:
    served = consuming.served
    few = 15  # as many as mosquitto has under way at once, in MQTT 3.1.1
    served.publish([telemetry(n) for n in range(few)])
    first = read_some(served, few, acknowledge=False)
    again = read_some(served, few, acknowledge=True)
    assert {(r.key, r.version) for r in first} == {(r.key, r.version) for r in again}
    assert len({(r.key, r.version) for r in again}) == few
    if served.kind != "kafka":
        served.publish([telemetry(999)])
        (last,) = read_some(served, 1, acknowledge=True)
        assert b'"at": 1782000000999' in last.body, "what was acknowledged stays away"


def test_a_trial_shows_what_is_there_and_takes_nothing_away(consuming: Consuming) -> None:
    served = consuming.served
    served.publish([telemetry(n) for n in range(5)])
    body = {"kind": served.kind, "settings": served.settings}
    answer = consuming.api.post("/api/feeds/try", json=body)
    assert answer.status_code == 200, answer.text
    trial = answer.json()
    if served.kind == "mqtt":
        assert trial["notes"] == ["no_messages_seen"], "nobody spoke while it listened"
    else:
        assert trial["total"] == 5
        assert {m["speed_kmh"] for m in trial["sample"]} == set(range(5))
        assert "driver.phone" in trial["mapping"]["columns"]
    assert len(read_some(served, 5, acknowledge=True)) == 5


@pytest.mark.parametrize(
    "consuming",
    [pytest.param(name, id=name) for name in BROKERS if name != "kafka"],
    indirect=True,
)
def test_a_line_that_breaks_and_one_that_hangs_lose_nothing(consuming: Consuming) -> None:
    """Not Kafka: a cluster names its own addresses, which lead around the proxy."""
    served = consuming.served
    with proxied(served) as proxy:
        feed = consuming.consume()
        served.publish([telemetry(n) for n in range(50)])
        until(lambda: consuming.count() == 50)
        proxy.cut()
        until(lambda: not consuming.get(feed)["running"])
        assert consuming.get(feed)["code"] in ("source_gone", "unreachable")
        served.publish([telemetry(n) for n in range(50, 100)])
        consuming.api.post(f"/api/feeds/{feed}/run", json={"again": False})
        until(lambda: consuming.count() == 100)
        proxy.hold()
        served.publish([telemetry(n) for n in range(100, 150)])
        consuming.api.post(f"/api/feeds/{feed}/stop")
        proxy.release()
        until(lambda: not consuming.get(feed)["running"])
        consuming.api.post(f"/api/feeds/{feed}/run", json={"again": False})
        until(lambda: consuming.count() == 150)
        assert consuming.rows("count(), uniqExact(occurred_at)") == [(150, 150)]


def test_a_feed_that_was_stopped_stays_stopped_until_it_is_run(consuming: Consuming) -> None:
    feed = consuming.consume()
    until(lambda: consuming.get(feed)["running"])
    consuming.api.post(f"/api/feeds/{feed}/stop")
    until(lambda: not consuming.get(feed)["running"])
    assert consuming.get(feed)["due_at"] is None
    consuming.served.publish([telemetry(n) for n in range(10)])
    time.sleep(1.5)
    assert not consuming.get(feed)["running"]
    assert consuming.count() == 0
    consuming.api.post(f"/api/feeds/{feed}/run", json={"again": False})
    until(lambda: consuming.count() == 10)


def test_a_batch_in_one_message_is_many_events_and_a_mended_mapping_takes_the_rest(
    consuming: Consuming,
) -> None:
    def batch(first: int, *, at: Any = None) -> bytes:
        points = [{"t": START_MS + first + n, "v": n} for n in range(20)]
        if at is not None:
            points[7]["t"] = at
        return json.dumps({"driver": {"phone": "13912340001"}, "points": points}).encode()

    consuming.served.publish([batch(0), batch(100, at="soon"), batch(200)])
    feed = consuming.consume(mapping=POINTS)
    until(lambda: consuming.count() == 59)
    assert consuming.quarantined() == [("invalid_timestamp", "occurred_at")]
    mended = json.loads(json.dumps(POINTS))
    mended["occurred_at"] = {"path": "later", "time": "ms"}
    answer = consuming.api.patch(f"/api/feeds/{feed}", json={"mapping": mended})
    assert answer.status_code == 200, answer.text
    answer = consuming.api.post("/api/quarantine/replay", json={"source": consuming.sources[0]})
    assert answer.status_code < 300, answer.text
    until(lambda: consuming.count() == 60)
    assert consuming.quarantined() == []
    consuming.loaded()
    assert consuming.count() == 60, "its nineteen neighbours are not stored twice"


def test_the_guide_to_vehicle_telematics_does_what_it_says(engine: Engine) -> None:
    text = (ROOT / "docs" / "guides" / "vehicle-telematics.md").read_text("utf-8")
    told = {
        name: json.loads(re.findall(rf"```json {name}\n(.*?)```", text, re.DOTALL)[0])
        for name in ("message", "source", "mapping")
    }
    with broker("mqtt") as served, ExitStack() as stack:
        root = served.settings["client_id"]
        here = {n: served.settings[n] for n in ("host", "port", "encryption", "client_id")}
        topics = [
            topic.replace("cars/", f"{root}/") for topic in told["source"]["settings"]["topics"]
        ]
        body = told["source"] | {
            "settings": here | {"topics": topics},
            "mapping": json.loads(json.dumps(told["mapping"])),
        }
        consuming = Consuming(engine, served)
        stack.callback(consuming.close)
        consuming.consume(**body)
        publisher = stack.enter_context(speaking())
        for vin in ("LSVAA4182E2184847", "LSVAA4182E2184840"):
            topic = f"{root}/{vin}/telemetry"
            publisher.publish(topic, json.dumps(told["message"]), 1).wait_for_publish(
                PATIENCE_SECONDS
            )
        until(lambda: consuming.count() + len(consuming.quarantined()) == 4)
        codes = {code for code, _ in consuming.quarantined()}
        found = consuming.rows("toUnixTimestamp64Milli(occurred_at)")
        assert sorted(at for (at,) in found) == [p["t"] for p in told["message"]["points"]], codes


@pytest.mark.parametrize("kind", ["mqtt", "rabbitmq", "nats", "redis_streams"])
def test_wrong_credentials_are_told_and_never_shown(
    kind: str, tmp_path: Path, engine: Engine
) -> None:
    with ExitStack() as stack:
        if kind == "rabbitmq":
            settings = stack.enter_context(rabbitmq()).settings | {"username": "nobody"}
        else:
            settings = stack.enter_context(guarded_broker(kind, tmp_path))
            good = FEED_KINDS[kind].open(settings, HERE)
            stack.callback(good.close)
            if kind == "mqtt":
                good.probe()
            else:
                with pytest.raises(InvalidInput, match="no such stream"):
                    good.probe()
        settings = settings | {"password": f"not-{SECRET}"}
        consuming = Consuming(engine, Served(kind, settings, lambda bodies: None))
        stack.callback(consuming.close)
        feed = consuming.consume()
        until(lambda: consuming.get(feed)["failures"] >= 1)
        assert consuming.get(feed)["code"] == "credentials_refused"
        assert SECRET not in consuming.api.get(f"/api/feeds/{feed}").text
        assert consuming.get(feed)["secrets"] == ["password"]
    files = [path for path in engine.settings.data.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_dead_brokers_slow_no_other(engine: Engine) -> None:
    nobody: dict[str, Any] = {"host": "127.0.0.1", "port": 9, "encryption": "disable"}
    where: dict[str, dict[str, Any]] = {
        "mqtt": {"client_id": "c", "topics": ["a/#"]},
        "kafka": {"topic": "t"},
        "rabbitmq": {"queue": "q"},
        "nats": {"stream": "s"},
        "redis_streams": {"stream": "s"},
    }
    with ExitStack() as stack:
        served = stack.enter_context(redis_streams())
        consuming = Consuming(engine, served)
        stack.callback(consuming.close)
        dead = [
            consuming.consume(name=kind, kind=kind, settings=nobody | more)
            for kind, more in where.items()
        ]
        consuming.consume(name="alive")
        served.publish([telemetry(n) for n in range(30)])
        until(lambda: consuming.count() == 30)
        until(lambda: all(consuming.get(feed)["failures"] >= 1 for feed in dead))
        assert {consuming.get(feed)["code"] for feed in dead} == {"unreachable"}


def test_a_group_that_was_removed_is_made_again_where_reading_stood() -> None:
    with redis_streams() as served:
        served.publish([telemetry(n) for n in range(5)])
        feed = FEED_KINDS["redis_streams"].open(served.settings | {"start": "new"}, HERE)
        with redis.Redis() as client:
            client.xgroup_setid(served.settings["stream"], "carloop", "0")
            pages = feed.pages(None, lambda: False)
            page = next(pages)
            feed.acknowledge(page)
            feed.close()
            client.xgroup_destroy(served.settings["stream"], "carloop")
        served.publish([telemetry(5)])
        again = FEED_KINDS["redis_streams"].open(served.settings | {"start": "new"}, HERE)
        found = next(again.pages(page.cursor, lambda: False))
        again.close()
        assert [b'"at": 1782000000005' in record.body for record in found.records] == [True]
