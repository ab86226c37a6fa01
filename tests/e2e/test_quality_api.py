"""The scorecard over HTTP: numbers worked out by hand from events sent one by one."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.quality import write_key
from tests.support.server import Server, serving
from tests.support.waiting import until

NOW = datetime.now(UTC)
VINS = ("1M8GDM9AXKP042788", "5GZCZ43D13S812715")
"""Published examples with right check digits."""
CARS = [{"type": "vehicle", "key": vin} for vin in VINS]


def _event(
    name: str, number: int, minutes_ago: float, properties: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {
        "message_id": f"{name}-{number}-{minutes_ago}",
        "event": name,
        "occurred_at": (NOW - timedelta(minutes=minutes_ago)).isoformat(),
        "identifiers": {"login_id": f"u{number}"},
        "properties": properties,
        **more,
    }


def _lead(number: int, minutes_ago: float, channel: str, **more: Any) -> dict[str, Any]:
    return _event(
        "lead_submitted", number, minutes_ago, {"channel": channel, "series": "C5"}, **more
    )


CRM = [
    *(_lead(n, 2, "官网") for n in range(6)),
    _lead(6, 2, "Select"),
    _lead(7, 180, "抖音"),
    _lead(8, 180, "抖音"),
    _lead(8, 3, "抖音"),  # the same person and series again: a duplicate
    _event("vehicle_noted", 20, 2, {"series": "C5"}, entities=[CARS[0]]),
    _event("vehicle_noted", 21, 2, {"series": "C5"}, entities=[CARS[1]]),
    _event("test_drive_completed", 5, 120, {"dealer": "D1", "series": "C5", "score": 9}),
]
APP = [
    _event("vehicle_noted", 20, 1, {"series": "C5"}, entities=[CARS[0]]),
    _event("vehicle_noted", 21, 1, {"series": "X7"}, entities=[CARS[1]]),
    *(
        _event(
            "vehicle_usage_reported", 30, 10 + n,
            {"vin": VINS[0], "odometer_km": km, "mileage_km": 10},
        )
        for n, km in enumerate((5_000_000, 1200, 1210, 1220))
    ),
    _lead(40, 5, "小程序", identifiers={"login_id": "u40", "mobile": "13800138000"}),
    _lead(41, 5, "小程序", identifiers={"login_id": "u41", "mobile": "13912345679"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("quality") / "data") as running:
        with running.client(running.token()) as client:
            keys = {name: write_key(client, name) for name in ("crm", "app")}
        with running.client() as client:
            for key, events in ((keys["crm"], CRM), (keys["app"], APP)):
                answer = client.post("/api/events", json=events, headers={"X-Write-Key": key})
                assert answer.json()["rejected"] == [], answer.text
        refused = [
            _event("lead_submitted", 50, 4, {"series": "C5"}),
            _event(
                "lead_submitted", 51, 4, {"channel": "x"}, identifiers={"mobile": "00000000000"}
            ),
        ]
        with running.client() as client:
            client.post("/api/events", json=refused, headers={"X-Write-Key": keys["app"]})
        running.settle()
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    client = server.client(server.token())
    expected = client.get("/api/quality/thresholds").json()
    wanted = {**expected, "sla_seconds": 3600, "sources": []}
    assert client.put("/api/quality/thresholds", json=wanted).status_code == 200
    codes = {"codes": [{"code": c, "title": ""} for c in ("官网", "抖音")]}
    assert client.put("/api/quality/codes/channel", json=codes).status_code == 200
    job = client.post("/api/quality/run", json={"days": 3})
    assert job.status_code == 202, job.text

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/api/jobs/{job.json()['id']}").json()
        return found if found["state"] not in ("queued", "running") else None

    found = until(done)
    assert found["state"] == "done", found
    yield client
    client.close()


def _sources(client: httpx.Client) -> dict[str, int]:
    return {s["name"]: s["id"] for s in client.get("/api/sources").json()["items"]}


def _score(client: httpx.Client, **query: Any) -> dict[tuple[str, str, str], tuple[int, int]]:
    items = client.get("/api/quality/scores", params={"days": 3, "limit": 200, **query}).json()
    return {
        (item["table"], item["field"], d["dimension"]): (d["good"], d["total"])
        for item in items["items"]
        for d in item["dimensions"]
    }


def _findings(client: httpx.Client, **query: Any) -> dict[tuple[str, str, str, str], Any]:
    query = {"days": 3, "limit": 200, **query}
    items = client.get("/api/quality/findings", params=query).json()["items"]
    found: dict[tuple[str, str, str, str], Any] = {}
    for item in items:
        found[item["table"], item["field"], item["kind"], item["code"]] = item
    return found


def test_each_dimension_is_the_share_worked_out_by_hand(admin: httpx.Client) -> None:
    crm = _sources(admin)["crm"]
    scores = _score(admin, level="field", source=crm)
    lead = "lead_submitted"
    # Ten leads, two of them three hours old: eight within the agreed hour.
    assert scores[lead, "", "timeliness"] == (8, 10)
    # The plan requires the channel; "Select" does not fill it.
    assert scores[lead, "channel", "completeness"] == (9, 10)
    # Nine channels that hold something and are known; "Select" is judged a placeholder.
    assert scores[lead, "channel", "correctness"] == (9, 10)
    # One of ten leads repeats person and series within thirty days.
    assert scores[lead, "person + series", "correctness"] == (9, 10)
    # The test drive two hours ago came before the person's lead two minutes ago.
    assert scores["test_drive_completed", "occurred_at", "correctness"] == (0, 1)
    assert scores["test_drive_completed", "score", "correctness"] == (1, 1)
    # Two cars are told of by both sources; they agree on one.
    across = _score(admin, level="field", source=0)
    assert across["entity:vehicle", "series", "consistency"] == (1, 2)


def test_what_ingest_left_out_and_refused_counts_too(admin: httpx.Client) -> None:
    app = _sources(admin)["app"]
    scores, findings = _score(admin, level="field", source=app), _findings(admin, source=app)
    lead = "lead_submitted"
    # Two leads were taken, one of them with 13800138000; one more was refused for 00000000000.
    assert scores[lead, "identifiers.mobile", "correctness"] == (1, 3)
    fake = findings[lead, "identifiers.mobile", "ingest", "placeholder"]
    assert (fake["failed"], fake["rule"], fake["examples"]) == (2, "", [])
    # One lead had no channel: refused by the plan, so one of three required cells is missing.
    assert scores[lead, "channel", "completeness"] == (2, 3)
    assert findings[lead, "channel", "ingest", "missing_property"]["failed"] == 1
    # Two channels that the imported table does not know.
    assert scores[lead, "channel", "correctness"] == (0, 2)
    # One of four odometers stands at five million kilometres.
    assert scores["vehicle_usage_reported", "odometer_km", "correctness"] == (3, 4)
    odometer = findings["vehicle_usage_reported", "odometer_km", "range", "too_large"]
    assert odometer["examples"][0]["shown"] == "9999999"


def test_the_card_adds_up_and_nothing_personal_is_in_it(admin: httpx.Client) -> None:
    summary = admin.get("/api/quality/summary", params={"days": 3}).json()
    fields = [
        d
        for item in admin.get(
            "/api/quality/scores", params={"days": 3, "level": "field", "limit": 200}
        ).json()["items"]
        for d in item["dimensions"]
    ]
    for card in summary["dimensions"]:
        mine = [d for d in fields if d["dimension"] == card["dimension"]]
        assert card["total"] == sum(d["total"] for d in mine) > 0
        assert card["good"] == sum(d["good"] for d in mine)
        assert card["percent"] == pytest.approx(100 * card["good"] / card["total"])
    trend = admin.get("/api/quality/trend", params={"days": 3}).json()["points"]
    assert sum(d["total"] for p in trend for d in p["dimensions"]) == sum(
        c["total"] for c in summary["dimensions"]
    )
    text = admin.get("/api/quality/findings", params={"days": 3, "limit": 200}).text
    assert not any(secret in text for secret in ("13800138000", VINS[0], "00000000000"))


def test_a_low_score_opens_an_alert_and_a_lower_threshold_closes_it(
    server: Server, admin: httpx.Client
) -> None:
    rule = {
        "rule": {"kind": "codes", "field": "series", "allowed": ["X7"]},
        "table": "lead_submitted",
    }
    made = admin.post("/api/quality/rules", json=rule)
    assert made.status_code == 201, made.text
    many = [_lead(100 + n, 6, "官网") for n in range(30)]
    crm = _sources(admin)["crm"]
    key = admin.post(f"/api/sources/{crm}/keys", json={"name": "more"}).json()["write_key"]
    with server.client() as sender:
        sent = sender.post("/api/events", json=many, headers={"X-Write-Key": key})
    assert sent.status_code == 200, sent.text
    server.settle()

    def alerts() -> list[dict[str, Any]]:
        job = admin.post("/api/quality/run", json={"days": 2}).json()["id"]
        until(lambda: admin.get(f"/api/jobs/{job}").json()["state"] == "done", every=0.1)
        items = admin.get("/api/quality/alerts").json()["items"]
        return [a for a in items if (a["source"], a["table"], a["dimension"]) == (
            crm, "lead_submitted", "correctness")]  # fmt: skip

    opened = alerts()
    assert opened[0]["percent"] < opened[0]["threshold"] == 98
    found = _findings(admin, source=crm)["lead_submitted", "series", "codes", "unknown_code"]
    # Forty leads of the series C5, in one day or, about midnight, in two.
    assert 5 <= found["failed"] <= 40
    assert {"value": "C5", "count": str(found["failed"])} in found["examples"]
    off = admin.patch(
        f"/api/quality/rules/{made.json()['id']}",
        json={"enabled": False},
        headers={"If-Match": made.headers["etag"]},
    )
    assert off.json()["enabled"] is False
    lenient = {**admin.get("/api/quality/thresholds").json(), "correctness": 10}
    admin.put("/api/quality/thresholds", json=lenient)
    assert alerts() == []
    closed = admin.get("/api/quality/alerts", params={"state": "all"}).json()["items"]
    assert any(a["closed_at"] for a in closed)
    stale = admin.patch(
        f"/api/quality/rules/{made.json()['id']}", json={"enabled": True},
        headers={"If-Match": made.headers["etag"]},
    )  # fmt: skip
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert admin.delete(f"/api/quality/rules/{made.json()['id']}").status_code == 204


def _csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


FILE = _csv(
    [{"手机号": f"139123456{n:02}", "渠道": "官网", "年龄": str(20 + n % 30)} for n in range(40)]
    + [{"手机号": "13800138000", "渠道": "Select", "年龄": "999"}]
)


def test_a_file_is_judged_before_it_is_imported(admin: httpx.Client) -> None:
    files = {"file": ("leads.csv", FILE)}
    report = admin.post("/api/quality/profile", files=files).json()
    found = {(f["column"], f["code"]): f for f in report["findings"]}
    assert found["手机号", "placeholder"]["failed"] == 1
    assert found["手机号", "placeholder"]["examples"] == [{"row": 41, "shown": "99999999999"}]
    assert found["渠道", "placeholder"]["examples"] == [{"row": 41, "shown": "Select"}]
    assert found["年龄", "outlier"]["examples"] == [{"row": 41, "shown": "999"}]
    mine = json.dumps([{"kind": "codes", "field": "渠道", "table": "channel"}])
    by_mine = admin.post("/api/quality/profile", files=files, data={"rules": mine}).json()
    assert [s["percent"] for s in by_mine["scores"]] == [None, 100.0]
    form = {"source": "files", "dry_run": "true"}
    job = admin.post("/api/imports", files=files, data=form).json()["id"]
    trial = until(lambda: admin.get(f"/api/jobs/{job}").json()["result"])
    assert trial["quality"]["scores"] == report["scores"]
    preview = admin.post("/api/imports/preview", files=files).json()
    assert preview["report"]["quality"]["scores"] == report["scores"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "rules", {"rule": {"kind": "horoscope"}}, 422, "quality_rule_invalid"),
        ("POST", "rules", {"rule": {"kind": "unique", "fields": []}}, 422, "quality_rule_invalid"),
        ("POST", "rules", {"rule": {"kind": "required", "field": "x"}, "source": 999}, 422,
         "source_unknown"),
        ("GET", "rules/00000000-0000-4000-8000-000000000000", None, 404, "quality_rule_unknown"),
        ("GET", "codes/nothing", None, 404, "code_table_unknown"),
        ("DELETE", "codes/province", None, 404, "code_table_unknown"),
        ("GET", "scores?level=planet", None, 422, None),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(
    admin: httpx.Client, method: str, path: str, body: Any, status: int, code: str | None
) -> None:
    answer = admin.request(method, f"/api/quality/{path}", json=body)
    assert answer.status_code == status, answer.text
    if code is not None:
        assert answer.json()["code"] == code


def test_who_sees_one_dealer_alone_does_not_see_the_scorecard(
    server: Server, admin: httpx.Client
) -> None:
    body = {"name": "limited", "roles": ["analyst"], "dims": {"dealer": ["D1"]}}
    token = admin.post("/api/keys", json=body).json()["token"]
    with server.client(token) as limited:
        for path in ("summary", "scores", "trend", "findings", "alerts", "rules", "codes"):
            answer = limited.get(f"/api/quality/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_limited"), path


def test_the_command_judges_a_file_without_a_server(tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_bytes(FILE)
    done = subprocess.run(
        [sys.executable, "-m", "carloop", "quality", str(leads), "--json"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 41
