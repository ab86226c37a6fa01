"""What people add to a fresh installation: channels, a journey that sends, users, mistakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.screens.scenes import LEADS
from tests.support.a_feed import make_feed
from tests.support.provider import provider
from tests.support.waiting import until

PASSWORD = "a-quiet-road-at-dawn"
FIRST_PASSWORD = "a-first-road-at-dawn"
ADVISOR = "dealer.manager"
JOURNEY = "高意向客户试驾邀请"
SPOILT: tuple[dict[str, Any], ...] = (
    {"event": "lead_submitted"},
    {"event": "lead_submitted", "identifiers": [{"type": "mobile", "value": "12"}]},
    {"event": "Bad Name!", "identifiers": [{"type": "login_id", "value": "u1"}]},
    {"event": "order_placed", "identifiers": [{"type": "horoscope", "value": "leo"}]},
)


def furnish(client: httpx.Client, write_key: str, folder: Path) -> dict[str, str]:
    """Add what is not there yet; the ids of the best examples of each kind.

    ``folder``: where files may lie that the server reads.
    """
    segments = _items(client, "/api/segments")
    segment = next((s for s in segments if s["name"].startswith("高意向")), segments[0])
    dealer = _items(client, "/api/entities/dealer")[0]
    _users(client, str(dealer["key"]))
    if not any(j["name"] == JOURNEY for j in _items(client, "/api/journeys")):
        _spoil(client, write_key)
        _import(client)
        _engage(client, str(segment["id"]))
        _judge(client)
    journey = next(j for j in _items(client, "/api/journeys") if j["name"] == JOURNEY)
    person = _richest(client, [s for s in segments if s["count"]])
    why = {"field": "name", "reason": "客户来电核对预约"}
    consent = {
        "purpose": "marketing",
        "channel": "*",
        "state": "granted",
        "evidence": "展厅登记 118",
    }
    if not person["consents"]:
        _make(client, f"/api/persons/{person['id']}/consents", consent)
    name = _make(client, f"/api/persons/{person['id']}/reveal", why)["value"]
    return {
        "person": str(person["id"]),
        "name": str(name),
        "segment": str(segment["id"]),
        "journey": str(journey["id"]),
        "entity_type": "dealer",
        "entity": str(dealer["id"]),
        "feed": _feed(client, folder),
    }


def _judge(client: httpx.Client) -> None:
    """The scorecard of the last month."""
    job = client.post("/api/quality/run", json={"days": 30}).raise_for_status().json()["id"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")


def _feed(client: httpx.Client, folder: Path) -> str:
    """The orders of a dealer system, read by plan."""
    name = "DMS 订单"
    known = next((f for f in _items(client, "/api/feeds") if f["name"] == name), None)
    return str(known["id"]) if known else make_feed(client, name, folder / "dms.sqlite")


def _items(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(path, params=query).raise_for_status().json()["items"]
    return found


def _make(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = client.post(path, json=body).raise_for_status().json()
    return made


def _users(client: httpx.Client, dealer: str) -> None:
    here = {u["username"] for u in _items(client, "/api/users")}
    wanted: tuple[dict[str, Any], ...] = (
        {"username": ADVISOR, "roles": ["dealer_manager"], "dims": {"dealer": [dealer]}},
        {"username": "li.na", "roles": ["analyst"]},
        {"username": "zhang.wei", "roles": ["operator", "analyst"]},
    )
    for user in wanted:
        if user["username"] not in here:
            _make(client, "/api/users", {**user, "password": FIRST_PASSWORD})


def _spoil(client: httpx.Client, write_key: str) -> None:
    """Events that cannot be taken, each for a reason of its own."""
    for event in SPOILT:
        client.post("/api/events", json=[event], headers={"X-Write-Key": write_key})


def _engage(client: httpx.Client, segment: str) -> None:
    """A webhook that answers, an e-mail channel, and a journey that sends to a whole segment."""
    mail = {"host": "smtp.example.com", "port": 587, "from_address": "care@example.com"}
    with provider() as receiver:
        settings = {"url": receiver.url, "secret": "screens", "address_type": "mobile"}
        made = {"kind": "webhook", "name": "短信网关", "settings": settings}
        channel = _make(client, "/api/channels", made)
        _make(client, "/api/channels", {"kind": "email", "name": "品牌邮箱", "settings": mail})
        graph = _graph(segment, str(channel["id"]))
        journey = _make(client, "/api/journeys", {"name": JOURNEY, "graph": graph})
        client.post(f"/api/journeys/{journey['id']}/publish").raise_for_status()
        _until_sent(client, str(journey["id"]))


def _until_sent(client: httpx.Client, journey: str) -> None:
    """Wait until the messages have gone out, or were held back."""
    path = f"/api/journeys/{journey}/sends"

    def sent() -> bool:
        waiting = [_items(client, path, state=s) for s in ("new", "claimed", "attempting")]
        return bool(_items(client, path)) and not any(waiting)

    until(sent, "the messages did not go out", every=0.5)


def _import(client: httpx.Client) -> None:
    """A file with good rows and one that says no time."""
    file = {"file": ("leads.csv", f"{LEADS}13966280799,李娜,北京,soon,官网\n".encode())}
    about = {"source": "线下车展", "event": "lead_submitted"}
    client.post("/api/imports", files=file, data=about).raise_for_status()


def _graph(segment: str, channel: str) -> dict[str, Any]:
    text = "{{name|您好}}，本周末到店试驾，专属顾问全程陪同。"
    again = "{{name|您好}}，试驾名额为您保留到周日。"
    visited = {"kind": "performed", "event": "test_drive_booked", "window": {"days": 7}}
    return {
        "goal": "两周内促成 200 次到店试驾",
        "period": {"from": f"{datetime.now(UTC).date() - timedelta(days=21)}T00:00:00+08:00"},
        "entry": "entry",
        "nodes": [
            {"id": "entry", "kind": "entry_segment", "segment": segment, "audience": "all"},
            {"id": "send_1", "kind": "send", "channel": channel, "purpose": "service",
             "template": {"zh": {"text": text}, "en": {"text": "Your test drive awaits."}}},
            {"id": "wait_1", "kind": "wait", "days": 3},
            {"id": "condition_1", "kind": "condition", "rule": visited},
            {"id": "send_2", "kind": "send", "channel": channel, "purpose": "service",
             "template": {"zh": {"text": again}}},
            {"id": "exit_1", "kind": "exit"},
            {"id": "exit_2", "kind": "exit"},
        ],
        "edges": [
            {"from": "entry", "to": "send_1"},
            {"from": "send_1", "to": "wait_1"},
            {"from": "wait_1", "to": "condition_1"},
            {"from": "condition_1", "to": "exit_1", "port": "yes"},
            {"from": "condition_1", "to": "send_2", "port": "no"},
            {"from": "send_2", "to": "exit_2"},
        ],
    }  # fmt: skip


def _richest(client: httpx.Client, segments: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the people in the segments, the one with the most to show."""
    found = [
        client.get(f"/api/persons/{p['id']}").json()
        for s in segments
        for p in _items(client, f"/api/segments/{s['id']}/members")[:12]
    ]
    return max(found, key=lambda p: (len(p["identifiers"]), len(p["relations"])))
