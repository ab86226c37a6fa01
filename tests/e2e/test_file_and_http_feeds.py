"""Files and APIs read by configuration on a real server: killed, broken, changed, told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.test_database_feeds import Reading
from tests.support.an_api import Api, an_api
from tests.support.databases import Served
from tests.support.far_files import a_drop
from tests.support.server import Server, serving
from tests.support.waiting import until

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "read-files-and-apis.md"


class Pulling(Reading):
    """As for databases, for any kind of feed."""

    def create(self, **other: Any) -> str:
        body = {
            "name": f"Feed {uuid4().hex[:8]}",
            "mapping": {
                "columns": {"mobile": {"as": "identifier", "type": "mobile"}},
                "events": [{"event": self.event}],
                "keep_unmapped": True,
            },
        }
        answer = self.api.post("/api/feeds", json=body | other)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dealers")


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("pulled") / "data",
        CARLOOP_ALLOWED_HOSTS="127.0.0.1",
        CARLOOP_ALLOWED_FOLDERS=str(folder),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def signed_in(server: Server) -> Iterator[Pulling]:
    with closing(Pulling(server, Served("", {}, lambda sql: None))) as reading:
        yield reading


@pytest.fixture
def reading(signed_in: Pulling) -> Pulling:
    signed_in.event = f"read_{uuid4().hex[:8]}"
    return signed_in


@pytest.fixture
def api() -> Iterator[Api]:
    with an_api() as api:
        yield api


def orders(*numbers: int, mobile: str = "mobile") -> str:
    return f"order,{mobile}\n" + "".join(f"{n},139{n:08d}\n" for n in numbers)


def local(folder: Path, **other: Any) -> dict[str, Any]:
    settings = {"place": "local", "folder": str(folder), "settle_seconds": 0, "key": ["order"]}
    return {"kind": "files", "settings": settings | other}


def pulled(api: Api, **other: Any) -> dict[str, Any]:
    settings = {
        "url": api.url("/cursor"), "items": "data.items", "key": ["id"], "paging": "cursor",
        "next_path": "meta.next", "page_param": "after", "requests_per_minute": 6_000,
    }  # fmt: skip
    return {"kind": "http", "settings": settings | other}


def test_an_engine_killed_in_the_middle_counts_each_row_once(
    reading: Pulling, folder: Path, api: Api
) -> None:
    place = folder / "killed"
    place.mkdir()
    (place / "a.csv").write_text(orders(*range(1, 12_001)))
    (place / "b.csv").write_text(orders(*range(11_001, 13_001)))
    api.fill(1, 2_000)
    api.before = lambda: time.sleep(0.03)
    files = reading.create(**local(place))
    http = reading.create(**pulled(api, size_param="size", page_size=25))
    for feed in (http, files):
        assert reading.api.post(f"/api/feeds/{feed}/run", json={}).status_code == 202

    def records(feed: str) -> int:
        return int((reading.get(feed)["last_run"] or {"records": 0})["records"])

    until(lambda: records(files) >= 5_000 and records(http) >= 100, every=0.05)
    assert records(http) < 2_000
    reading.server.kill("engine")
    until(lambda: reading.api.get("/readyz").status_code == 200)
    for feed, rows in ((files, 13_000), (http, 2_000)):
        _until_done(reading, feed)
        reading.loaded()
        source = reading.get(feed)["source"]
        assert reading.api.get(f"/api/sources/{source}").json()["events_total"] == rows
    assert reading.landed(files)["missing"] == 0


def _until_done(reading: Pulling, feed: str) -> None:
    until(lambda: reading.get(feed)["last_run"]["state"] == "done")


def test_a_folder_is_read_its_faults_are_kept_and_its_changes_told(
    reading: Pulling, folder: Path
) -> None:
    place = folder / "changing"
    place.mkdir()
    (place / "june.csv").write_bytes((orders(1, 2) + "3\n").encode("gbk"))
    feed = reading.create(**local(place))
    assert reading.run(feed)["bad"] == 1
    source = reading.get(feed)["source"]
    (bad,) = reading.api.get("/api/quarantine", params={"source": source}).json()["items"]
    assert (bad["code"], bad["path"]) == ("column_count", "june.csv#3")
    assert reading.run(feed)["records"] == 0
    (place / "june.csv").write_text(orders(1, 2, 3))
    assert reading.run(feed)["records"] == 3
    assert reading.count() == 3
    names = {event["properties"]["$file"]["name"] for event in reading.events()}
    assert names == {"june.csv"}
    (place / "july.csv").write_text(orders(4, mobile="tel"))
    stopped = reading.run(feed)
    assert (stopped["state"], stopped["code"]) == ("failed", "schema_drift")
    (drift,) = reading.api.get(f"/api/feeds/{feed}/drift").json()["items"]
    assert (drift["kind"], drift["column"], drift["detail"]) == ("renamed", "mobile", "tel")
    assert reading.count() == 3


def test_an_api_that_changes_and_fails_is_told(reading: Pulling, api: Api) -> None:
    api.fill(1, 9)
    feed = reading.create(**pulled(api, watermark="updated_at", since_param="since"))
    assert reading.run(feed)["records"] == 9
    api.orders.append({"id": 10, "mobile": "13900000010", "updated_at": "2026-06-02T08:00:00Z",
                       "colour": "red"})  # fmt: skip
    assert reading.run(feed)["records"] == 3, "those of the overlap again, and the new one"
    assert reading.count() == 10
    (drift,) = reading.api.get(f"/api/feeds/{feed}/drift").json()["items"]
    assert (drift["kind"], drift["column"]) == ("added", "colour")
    api.troubles = [(200, {}, b'{"result":[]}')]
    assert reading.run(feed)["code"] == "items_missing"
    api.troubles = [(429, {"Retry-After": "7200"}, b"")]
    assert reading.run(feed)["code"] == "rate_limited"
    assert reading.run(feed)["state"] == "done"
    assert reading.count() == 10


def test_a_server_that_asks_to_be_left_alone_is_asked_again_so_much_later(
    reading: Pulling, api: Api
) -> None:
    api.troubles = [(429, {"Retry-After": "7200"}, b"")]
    feed = reading.create(**pulled(api), schedule="every 10m")
    until(lambda: reading.get(feed)["code"] == "rate_limited")
    due = datetime.fromisoformat(reading.get(feed)["due_at"])
    assert timedelta(hours=1.9) < due - datetime.now(UTC) < timedelta(hours=2.1)


def test_credentials_are_told_to_be_wrong_and_never_shown(
    reading: Pulling, api: Api, tmp_path: Path
) -> None:
    secret = "s3cret-of-the-peer"
    api.guard = lambda query, headers: False
    with a_drop(tmp_path / "drop") as drop:
        feeds = [
            {"kind": "files", "settings": drop.settings | {"password": secret}},
            pulled(api, auth="bearer", token=secret),
        ]
        for body in feeds:
            feed = reading.create(**body)
            run = reading.run(feed)
            assert (run["state"], run["code"]) == ("failed", "credentials_refused")
            assert "s3cret" not in reading.api.get(f"/api/feeds/{feed}").text
    files = [path for path in reading.server.data.rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({"place": "local", "folder": "/etc"}, "path_forbidden", "settings.folder"),
        ({"place": "moon"}, "setting_invalid", "settings.place"),
        ({"place": "sftp", "host": "10.1.2.3", "username": "u"}, "address_forbidden", None),
        ({"url": "http://169.254.169.254/"}, "address_forbidden", None),
        ({"url": "https://a.example/", "auth": "bearer"}, "setting_missing", "settings.token"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_place(
    reading: Pulling, body: dict[str, Any], code: str, path: str | None
) -> None:
    kind = "http" if "url" in body else "files"
    answer = reading.api.post("/api/feeds/try", json={"kind": kind, "settings": body})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert path is None or answer.json()["path"] == path


def test_the_guide_is_followed_on_the_command_line(
    server: Server, folder: Path, tmp_path: Path, api: Api
) -> None:
    written = dict(re.findall(r"^```json (\w+)\n(.*?)^```", GUIDE.read_text(), re.M | re.S))
    files, http = (json.loads(written[name]) for name in ("files", "http"))
    files["settings"] |= {"folder": str(folder / "dealers"), "settle_seconds": 0}
    http["settings"] |= {"url": api.url("/cursor"), "token": "x"}
    (folder / "dealers" / "d7").mkdir(parents=True)
    (folder / "dealers" / "d7" / "orders_1.csv").write_text(
        "order_no,mobile,vin,ordered_at\nA1,13900000001,LSVAA4182E2184847,2026-06-01 08:00\n"
    )
    api.fill(1, 6)
    api.guard = lambda query, headers: headers.get("authorization") == "Bearer x"
    for body in (files, http):
        document = tmp_path / f"{body['kind']}.json"
        document.write_text(json.dumps(body))
        server.run("source", "add", str(document))
    told = server.run("source", "test", files["name"])
    assert told == "ok    Dealer files: 4 columns"
    for body in (files, http):
        told = server.run("source", "run", body["name"])
        assert re.fullmatch(r"done: \d records read, 0 unreadable", told)
    told = server.run("source", "list")
    assert "Charging sessions\thttp\tevery 15m\tdone, " in told
    assert "Dealer files\tfiles\tevery 5m\tdone, " in told
