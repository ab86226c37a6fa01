"""Relational databases read by configuration: nothing lost, nothing twice, changes noticed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.databases import Served, mariadb, postgresql, sqlite
from tests.support.server import Server, carloop, serving
from tests.support.waiting import until

KINDS = ("postgresql", "mysql", "sqlite")
MAPPING: dict[str, Any] = {
    "columns": {
        "phone": {"as": "identifier", "type": "mobile"},
        "buyer": {"as": "profile", "field": "name"},
        "dealer": {"as": "entity", "type": "dealer"},
        "price": {"as": "property", "name": "price", "type": "number"},
        "changed": {"as": "time", "format": "iso"},
    },
    "events": [{"event": "dms_order_read"}],
    "zone": "UTC",
    "keep_unmapped": True,
}
TABLE = """CREATE TABLE orders (
    id INTEGER PRIMARY KEY, phone VARCHAR(40), buyer VARCHAR(80), dealer VARCHAR(20),
    price DECIMAL(12, 2), changed VARCHAR(40), remark VARCHAR(80))"""


def order(number: int, day: int = 1, **other: Any) -> tuple[Any, ...]:
    row = {
        "id": number,
        "phone": f"139{number:08d}",
        "buyer": f"王{number}",
        "dealer": f"D{number % 7:03d}",
        "price": 100_000 + number,
        "changed": f"2026-06-{day:02d} 08:00:00",
        "remark": f"note {number}",
    }
    return tuple((row | other).values())


class Reading:
    """A running server, its API, one database, and a name for this test's events."""

    def __init__(self, server: Server, database: Served) -> None:
        self.server, self.database = server, database
        self.event = f"dms_{uuid4().hex[:8]}"
        self.api = server.client(server.token())

    def mapping(self, **columns: Any) -> dict[str, Any]:
        named = {**MAPPING["columns"], **columns}
        return {**MAPPING, "columns": named, "events": [{"event": self.event}]}

    def create(self, **other: Any) -> str:
        settings = self.database.settings | {"table": "orders"} | other.pop("settings", {})
        body = {"name": f"DMS {uuid4().hex[:8]}", "kind": "database", "settings": settings}
        answer = self.api.post("/api/feeds", json=body | {"mapping": self.mapping()} | other)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, feed: str) -> dict[str, Any]:
        return dict(self.api.get(f"/api/feeds/{feed}").json())

    def run(self, feed: str, *, again: bool = False) -> dict[str, Any]:
        """One run to its end, and everything loaded."""
        answer = self.api.post(f"/api/feeds/{feed}/run", json={"again": again})
        assert answer.status_code == 202, answer.text
        until(lambda: not self.get(feed)["running"], "the run does not end", every=0.05)
        self.loaded()
        return dict(self.get(feed)["last_run"])

    def loaded(self) -> None:
        def done() -> bool:
            tiles = self.api.get("/api/overview").json()
            return bool(tiles["loaded_batches"] >= tiles["accepted_batches"])

        until(done, "the loader did not catch up", every=0.05)

    def events(self) -> list[dict[str, Any]]:
        """The stored events of this test, all of them."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            asked = {"event": self.event, "limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self.api.get("/api/events", params=asked).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def count(self) -> int:
        return len(self.events())

    def close(self) -> None:
        self.api.close()

    def landed(self, feed: str) -> dict[str, Any]:
        return dict(self.api.get(f"/api/feeds/{feed}/reconciliation").json())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files may be read."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("feeds") / "data",
        CARLOOP_ALLOWED_HOSTS="127.0.0.1",
        CARLOOP_ALLOWED_FOLDERS=str(folder),
    ) as server:
        yield server


@pytest.fixture(params=KINDS)
def reading(request: pytest.FixtureRequest, server: Server, folder: Path) -> Iterator[Reading]:
    places: dict[str, Callable[[], AbstractContextManager[Served]]] = {
        "postgresql": postgresql,
        "mysql": mariadb,
        "sqlite": lambda: sqlite(folder),
    }
    with places[request.param]() as database:
        database.execute(TABLE)
        with closing(Reading(server, database)) as reading:
            yield reading


def test_a_table_lands_row_by_row_and_a_second_reading_stores_nothing_twice(
    reading: Reading,
) -> None:
    reading.database.fill("orders", [order(n) for n in range(1, 301)])
    feed = reading.create()
    first = reading.run(feed)
    assert (first["state"], first["records"], first["total"]) == ("done", 300, 300)
    assert reading.count() == 300
    assert reading.run(feed)["records"] == 300
    assert reading.count() == 300
    found = reading.api.get("/api/persons?identifier=mobile:13900000007").json()["items"]
    assert len(found) == 1
    (kept,) = [e["properties"] for e in reading.events() if e["properties"]["remark"] == "note 7"]
    assert kept["price"] == 100_007
    figures = {"at_source": 300, "landed": 300, "quarantined": 0, "missing": 0}
    assert reading.landed(feed) == figures


def test_a_changed_row_is_a_new_event_and_the_others_are_not(reading: Reading) -> None:
    reading.database.fill("orders", [order(n) for n in range(1, 11)])
    feed = reading.create()
    reading.run(feed)
    reading.database.execute("UPDATE orders SET price = 5 WHERE id = 3")
    reading.run(feed)
    assert reading.count() == 11
    assert reading.landed(feed)["landed"] == 10


def test_what_changed_is_read_by_its_watermark_and_rows_without_one_are_not_lost(
    reading: Reading,
) -> None:
    reading.database.fill("orders", [order(n, day=n) for n in range(1, 11)])
    reading.database.fill("orders", [order(50, changed=None)])
    mapping = reading.mapping()
    del mapping["columns"]["changed"]
    feed = reading.create(
        settings={"mode": "incremental", "watermark": "changed", "overlap_seconds": 86_400},
        mapping=mapping,
    )
    assert reading.run(feed)["records"] == 11
    reading.database.fill("orders", [order(20, day=20), order(9_999, day=9)])
    second = reading.run(feed)
    assert second["records"] < 11
    assert reading.count() == 13, "a late commit within the overlap is found"
    assert reading.run(feed)["records"] < 11
    assert reading.count() == 13


def test_rows_that_do_not_fit_are_kept_with_their_reason_and_a_mended_mapping_takes_them(
    reading: Reading,
) -> None:
    reading.database.fill("orders", [order(1), order(2, changed="yesterday"), order(3)])
    feed = reading.create()
    reading.run(feed)
    assert reading.count() == 2
    source = reading.get(feed)["source"]
    (bad,) = reading.api.get("/api/quarantine", params={"source": source}).json()["items"]
    assert (bad["code"], bad["path"]) == ("invalid_timestamp", "changed")
    mended = reading.mapping(changed={"as": "property", "name": "changed"})
    assert reading.api.patch(f"/api/feeds/{feed}", json={"mapping": mended}).status_code == 200
    answer = reading.api.post("/api/quarantine/replay", json={"source": source})
    assert answer.status_code < 300, answer.text
    until(lambda: reading.count() == 3)


def test_a_renamed_column_stops_the_reading_until_somebody_decides(reading: Reading) -> None:
    reading.database.fill("orders", [order(1)])
    feed = reading.create()
    reading.run(feed)
    reading.database.execute("ALTER TABLE orders RENAME COLUMN phone TO tel")
    reading.database.execute("ALTER TABLE orders ADD COLUMN colour VARCHAR(10)")
    reading.database.execute("ALTER TABLE orders DROP COLUMN remark")
    reading.database.execute(
        "INSERT INTO orders (id, tel, buyer, changed, colour)"
        " VALUES (2, '13900000002', '李', '2026-06-02', 'red')"
    )
    stopped = reading.run(feed)
    assert (stopped["state"], stopped["code"], stopped["records"]) == ("failed", "schema_drift", 0)
    changes = reading.api.get(f"/api/feeds/{feed}/drift").json()["items"]
    seen = {(c["kind"], c["column"], c["detail"], c["mapped"]) for c in changes}
    assert ("renamed", "phone", "tel", True) in seen
    assert {(kind, column) for kind, column, _, _ in seen} == {
        ("renamed", "phone"),
        ("added", "colour"),
        ("removed", "remark"),
    }
    reading.run(feed)
    assert len(reading.api.get(f"/api/feeds/{feed}/drift").json()["items"]) == 3, "told once"
    mended = json.loads(json.dumps(reading.mapping()).replace('"phone"', '"tel"'))
    reading.api.patch(f"/api/feeds/{feed}", json={"mapping": mended})
    assert reading.api.post(f"/api/feeds/{feed}/drift/accept").json() == {"accepted": 3}
    assert reading.run(feed)["state"] == "done"
    assert [e for e in reading.events() if e["properties"].get("colour") == "red"]
    assert reading.landed(feed)["missing"] == 0


def test_an_engine_killed_halfway_goes_on_without_loss_or_repeat(server: Server) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(postgresql())
        database.execute(TABLE)
        database.execute(
            "INSERT INTO orders SELECT g, '13' || lpad(g::text, 9, '0'), 'w', 'D1', g,"
            " '2026-06-01 00:00:00', 'r' FROM generate_series(1, 12000) g"
        )
        reading = stack.enter_context(closing(Reading(server, database)))
        feed = reading.create()
        reading.api.post(f"/api/feeds/{feed}/run", json={})
        until(
            lambda: (reading.get(feed)["last_run"] or {"records": 0})["records"] >= 5000,
            every=0.05,
        )
        server.kill("engine")
        until(lambda: reading.api.get("/readyz").status_code == 200)
        until(lambda: reading.get(feed)["last_run"]["state"] == "done")
        reading.loaded()
        source = reading.get(feed)["source"]
        total = reading.api.get(f"/api/sources/{source}").json()["events_total"]
        assert (total, reading.landed(feed)["missing"]) == (12_000, 0)


def test_a_dead_source_slows_no_other(reading: Reading) -> None:
    reading.database.fill("orders", [order(n) for n in range(1, 4)])
    dead = reading.create(
        settings={"dialect": "postgresql", "host": "127.0.0.1", "port": 9, "database": "x"},
        schedule="every 10s",
    )
    until(lambda: reading.get(dead)["failures"] >= 1)
    assert reading.get(dead)["code"] == "unreachable"
    alive = reading.create()
    assert reading.run(alive)["state"] == "done"
    assert reading.count() == 3


@pytest.mark.parametrize(
    ("settings", "code", "path"),
    [
        ({"table": "nothing"}, "table_unknown", None),
        ({"dialect": "mysql", "host": "10.1.2.3"}, "address_forbidden", None),
        ({"mode": "incremental"}, "setting_missing", "settings.watermark"),
        ({"dialect": "oracle"}, "setting_invalid", "settings.dialect"),
        ({"bogus": 1}, "setting_unknown", "settings.bogus"),
        ({"dialect": "sqlite", "database": "/etc/passwd"}, "path_forbidden", "settings.database"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_place(
    reading: Reading, settings: dict[str, Any], code: str, path: str | None
) -> None:
    body = {"kind": "database", "settings": reading.database.settings | {"table": "orders"}}
    body["settings"] |= settings  # type: ignore[operator]
    answer = reading.api.post("/api/feeds/try", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert path is None or answer.json()["path"] == path


def test_wrong_credentials_are_told_and_never_shown(server: Server) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(mariadb())
        database.execute(TABLE)
        reading = stack.enter_context(closing(Reading(server, database)))
        secret = {"username": "nobody", "password": "s3cret-of-the-dms"}
        feed = reading.create(settings=secret)
        run = reading.run(feed)
        assert (run["state"], run["code"]) == ("failed", "credentials_refused")
        told = reading.api.get(f"/api/feeds/{feed}").text
        assert "s3cret" not in told
        assert '"secrets":["password"]' in told
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cret-of-the-dms" in path.read_bytes()]


def test_a_trial_shows_columns_a_sample_and_a_mapping_to_start_from(reading: Reading) -> None:
    reading.database.fill("orders", [order(n) for n in range(1, 4)])
    body = {"kind": "database", "settings": reading.database.settings | {"table": "orders"}}
    trial = reading.api.post("/api/feeds/try", json=body).json()
    assert [c["name"] for c in trial["columns"]] == [
        "id", "phone", "buyer", "dealer", "price", "changed", "remark",
    ]  # fmt: skip
    assert trial["total"] == 3
    assert trial["sample"][0]["buyer"] == "王1"
    assert trial["mapping"]["columns"]["phone"]["type"] == "mobile"


def test_the_command_line_adds_tests_and_runs_a_source(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = carloop(
            *("source", *words, "--data", str(tmp_path / "data")),
            CARLOOP_ALLOWED_FOLDERS=str(tmp_path),
        )
        return done.returncode, done.stdout

    with sqlite(tmp_path) as database:
        database.execute(TABLE)
        database.fill("orders", [order(1), order(2)])
        document = tmp_path / "orders.json"
        settings = database.settings | {"table": "orders"}
        document.write_text(json.dumps({"name": "DMS", "kind": "database", "settings": settings}))
        assert run("add", str(document))[0] == 0
        assert run("test") == (0, "ok    DMS: 7 columns, 2 records\n")
        assert run("run", "DMS") == (0, "done: 2 records read, 0 unreadable\n")
        assert "done, 2 records" in run("list")[1]
        database.execute("DROP TABLE orders")
        code, told = run("test")
        assert code == 1
        assert "table_unknown" in told
