"""The console in a real Chromium: every page, both languages, both themes, two widths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.a_feed import ROWS, make_feed
from tests.support.browser import Server, Visitor, admin_session, browsing, chromium, serving
from tests.support.waiting import until

pytestmark = pytest.mark.browser

STEPS = ("series_viewed", "lead_submitted")


@dataclass
class Site:
    """A server with a few people, a segment and a journey, and an admin's session."""

    server: Server
    browser: Browser
    cookies: list[Any]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium()
    folder = tmp_path_factory.mktemp("folder")
    with (
        serving(tmp_path_factory.mktemp("console"), CARLOOP_ALLOWED_FOLDERS=str(folder)) as server,
        browsing() as browser,
    ):
        cookies = admin_session(browser, server)
        with server.client() as client:
            ids = {**_fill(client), "feed": make_feed(client, "DMS 订单", folder / "dms.sqlite")}
        yield Site(server, browser, cookies, ids)


def _fill(client: httpx.Client) -> dict[str, str]:
    source = _post(client, "/api/sources", {"name": "官网", "kind": "web"})
    made = _post(client, f"/api/sources/{source['id']}/keys", {"name": "default"})
    events = [_event(n, STEPS[n % 2]) for n in range(24)]
    sent = client.post(
        "/api/events",
        json={"events": events},
        headers={"Authorization": f"Bearer {made['write_key']}"},
    )
    assert sent.json()["accepted"] == 24, sent.text
    person = _until_found(client, "mobile:13966280700")
    rule = {"kind": "all", "rules": [{"kind": "performed", "event": STEPS[1]}]}
    segment = _post(client, "/api/segments", {"name": "线索客户", "rule": rule})
    graph = {
        "entry": "entry",
        "nodes": [
            {"id": "entry", "kind": "entry_segment", "segment": segment["id"]},
            {"id": "exit_1", "kind": "exit"},
        ],
        "edges": [{"from": "entry", "to": "exit_1", "port": "next"}],
    }
    journey = _post(client, "/api/journeys", {"name": "试驾邀请", "graph": graph})
    dealer = client.get("/api/entities/dealer", params={"key": "D001"}).json()["items"][0]
    return {
        "person": person,
        "segment": str(segment["id"]),
        "journey": str(journey["id"]),
        "dealer": str(dealer["id"]),
    }


def _event(n: int, event: str) -> dict[str, Any]:
    return {
        "message_id": f"m{n}",
        "event": event,
        "occurred_at": (datetime.now(UTC) - timedelta(hours=2, minutes=-n)).isoformat(),
        "identifiers": [
            {"type": "mobile", "value": f"139662807{n // 2:02}"},
            {"type": "email", "value": f"p{n // 2}@example.com"},
        ],
        "entities": [{"type": "dealer", "key": "D001"}],
        "properties": {"series": "C5", "channel": "website"},
        "profile": {"set": {"name": "王芳", "city": "上海"}},
    }


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code < 300, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _until_found(client: httpx.Client, identifier: str) -> str:
    def items() -> Any:
        answer = client.get("/api/persons", params={"identifier": identifier})
        return answer.raise_for_status().json()["items"]

    return str(until(items, f"nobody is {identifier}")[0]["id"])


def _paths(ids: dict[str, str]) -> dict[str, str]:
    funnel = quote(json.dumps({"steps": [{"event": e, "where": []} for e in STEPS]}))
    return {
        "overview": "/",
        "live": "/live",
        "persons": "/persons?identifier=mobile:13966280700",
        "person": f"/persons/{ids['person']}",
        "entities": "/entities",
        "entity": f"/entities/dealer/{ids['dealer']}",
        "segments": "/segments",
        "segment": f"/segments/{ids['segment']}",
        "builder": f"/segments/{ids['segment']}/edit",
        "funnel": f"/funnel?f={funnel}",
        "journeys": "/journeys",
        "journey": f"/journeys/{ids['journey']}",
        "channels": "/channels",
        "sources": "/sources",
        "feeds": "/feeds",
        "feed": f"/feeds?feed={ids['feed']}",
        "feeds-new": "/feeds?new",
        "imports": "/imports",
        "quarantine": "/quarantine",
        "plan": "/plan",
        "catalogue": "/catalogue",
        "jobs": "/jobs",
        "users": "/users",
        "keys": "/keys",
        "audit": "/audit",
    }


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("zh", "light", 1280), ("en", "dark", 1920)]
)
def test_every_page_stands_without_a_complaint(
    site: Site, language: str, theme: str, width: int, tmp_path: Path
) -> None:
    visitor = _visitor(site, language=language, theme=theme, width=width)
    found: dict[str, list[str]] = {}
    for name, path in _paths(site.ids).items():
        visitor.troubles.clear()
        visitor.visit(path)
        assert visitor.page.locator("h1").count() == 1
        assert visitor.page.locator(".ant-result-warning, .ant-result-404").count() == 0, name
        if complaints := [*dict.fromkeys(visitor.troubles), *visitor.accessibility()]:
            found[name] = complaints
    visitor.close()
    assert found == {}


def test_the_count_follows_the_rule(site: Site) -> None:
    visitor = _visitor(site, language="en")
    visitor.visit("/segments/new/edit")
    page = visitor.page
    count = page.locator(".ant-statistic-content-value")
    everybody = 12 + sum(row[1] is not None for row in ROWS)
    expect(count).to_have_text(str(everybody))
    page.get_by_role("button", name="Add condition").click()
    page.get_by_role("menuitem", name="Behaviour").click()
    page.get_by_role("combobox", name="Event", exact=True).fill(STEPS[1])
    page.locator(".ant-select-item-option-active").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="Times").fill("2")
    expect(count).to_have_text("0")
    visitor.settle()
    expect(count).to_have_text("0")
    assert visitor.troubles == []
    visitor.close()


def test_a_bar_opens_as_many_people_as_it_counts(site: Site) -> None:
    visitor = _visitor(site, language="en")
    visitor.visit(_paths(site.ids)["funnel"])
    page = visitor.page
    bar = page.get_by_role("button", name="People who reached step 2")
    assert bar.inner_text() == "12"
    bar.click()
    page.locator(".ant-drawer tbody tr.ant-table-row").first.wait_for()
    assert page.locator(".ant-drawer tbody tr.ant-table-row").count() == 12
    visitor.close()


def test_the_palette_finds_a_segment_by_keyboard(site: Site) -> None:
    visitor = _visitor(site, language="zh")
    visitor.visit("/")
    page = visitor.page
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("线索客户")
    page.get_by_role("option", name=re.compile("^线索客户")).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/segments/{site.ids['segment']}")
    visitor.close()


def _visitor(site: Site, **look: Any) -> Visitor:
    return Visitor.open(site.browser, site.server.url, cookies=site.cookies, **look)
