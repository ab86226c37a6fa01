"""What people do in the console, done in a real Chromium against a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import (
    PASSWORD,
    Server,
    Visitor,
    admin_session,
    browsing,
    chromium,
    serving,
)
from tests.support.waiting import until

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = "13966280700", "13966280701", "13966280702"


@dataclass
class Site:
    """A server with three people, and an admin's session."""

    server: Server
    browser: Browser
    cookies: list[Any]
    source: int
    write_key: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium()
    with serving(tmp_path_factory.mktemp("flows")) as server, browsing() as browser:
        cookies = admin_session(browser, server)
        with server.client() as client:
            source = client.post("/api/sources", json={"name": "官网", "kind": "web"}).json()
            made = client.post(f"/api/sources/{source['id']}/keys", json={"name": "k"}).json()
            events = [_event(n, phone) for n, phone in enumerate((FIRST, SECOND, THIRD))]
            _send(client, made["write_key"], [*events, {"event": "lead_submitted"}])
            for phone in (FIRST, SECOND, THIRD):
                _find(client, f"mobile:{phone}")
        yield Site(server, browser, cookies, source["id"], made["write_key"])


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    opened = Visitor.open(site.browser, site.server.url, language="en", cookies=site.cookies)
    yield opened
    print(opened.tell())
    opened.close()


def _event(n: int, phone: str) -> dict[str, Any]:
    return {
        "message_id": f"m{n}",
        "event": "lead_submitted",
        "occurred_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "identifiers": [
            {"type": "mobile", "value": phone},
            {"type": "email", "value": f"p{n}@example.com"},
        ],
        "properties": {"channel": "website"},
        "profile": {"set": {"name": f"王芳{n}", "city": "上海"}},
    }


def _send(client: httpx.Client, key: str, events: list[dict[str, Any]]) -> None:
    client.post(
        "/api/events", json={"events": events}, headers={"Authorization": f"Bearer {key}"}
    ).raise_for_status()


def _find(client: httpx.Client, identifier: str) -> str:
    def items() -> Any:
        return client.get("/api/persons", params={"identifier": identifier}).json()["items"]

    return str(until(items, f"nobody is {identifier}")[0]["id"])


def _person(site: Site, phone: str) -> str:
    with site.server.client() as client:
        return _find(client, f"mobile:{phone}")


def _dialog(page: Page) -> Locator:
    dialog = page.get_by_role("dialog").last
    dialog.wait_for()
    return dialog


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=re.compile(rf"^\W*{label}$")).click()
    page.locator(".ant-select-dropdown:visible").get_by_title(option, exact=True).click()


def test_a_file_is_imported_with_a_dry_run_and_its_row_errors(
    visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(
        "手机号,姓名,时间,channel\n"
        "13966280711,赵一,2026-11-01 10:00:00,website\nnobody,钱二,soon,website\n"
    )
    visitor.visit("/imports")
    page = visitor.page
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("leads.csv").wait_for()
    _choose(page, "Event", "Lead submitted")
    page.get_by_role("combobox", name="Into the source").fill("old leads")
    page.get_by_role("button", name="Dry run").click()
    page.get_by_text(re.compile("Dry run · Done")).wait_for()
    page.get_by_role("button", name="Back to mapping").click()
    page.get_by_role("combobox", name="Event", exact=True).wait_for()
    page.get_by_role("button", name=re.compile("Import$")).click()
    page.get_by_text(re.compile("Import · Done")).wait_for()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the row errors (CSV)").click()
    assert "soon" not in saved.value.path().read_text()
    assert visitor.troubles == []
    with site.server.client() as client:
        _find(client, "mobile:13966280711")


def test_a_value_is_revealed_for_a_reason_and_a_consent_recorded(
    visitor: Visitor, site: Site
) -> None:
    visitor.visit(f"/persons/{_person(site, FIRST)}")
    page = visitor.page
    page.get_by_role("button", name="Reveal Name").click()
    dialog = _dialog(page)
    dialog.get_by_label("Reason").fill("customer called")
    dialog.get_by_role("button", name="Reveal").click()
    page.get_by_text("王芳0", exact=True).wait_for()
    page.get_by_role("button", name="Record").click()
    dialog = _dialog(page)
    dialog.get_by_label("Evidence").fill("form 118")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("All channels · Marketing").wait_for()
    assert visitor.troubles == []


def test_persons_are_merged_explained_and_split_again(visitor: Visitor, site: Site) -> None:
    visitor.visit(f"/persons/{_person(site, FIRST)}")
    page = visitor.page
    page.get_by_role("button", name="Merge").click()
    dialog = _dialog(page)
    word = dialog.locator("label code").inner_text()
    dialog.get_by_label("Find a person").fill(SECOND)
    page.keyboard.press("Enter")
    dialog.get_by_role("radio").first.check()
    dialog.get_by_label("Reason").fill("changed phones")
    dialog.get_by_label(re.compile("To confirm")).fill(word)
    dialog.get_by_role("button", name="Merge").click()
    page.get_by_role("tab", name="Identifiers (4)").wait_for()
    page.get_by_role("tab", name="Identity graph").click()
    for end, phone in (("One", FIRST), ("Other", SECOND)):
        page.get_by_label(f"{end} Value").fill(phone)
    page.get_by_role("button", name="Explain").click()
    page.get_by_text(re.compile("^One person, tied by")).wait_for()
    page.get_by_role("tab", name="History").click()
    page.get_by_role("cell", name="Merged").first.wait_for()
    page.get_by_role("tab", name="Identifiers (4)").click()
    for box in page.get_by_role("checkbox", name=re.compile("^Split off .*(p1|701|@)")).all()[:1]:
        box.check()
    page.get_by_role("button", name="Split off selected (1)").click()
    dialog = _dialog(page)
    dialog.get_by_label("Reason").fill("a family phone")
    dialog.get_by_label(re.compile("To confirm")).fill(dialog.locator("label code").inner_text())
    dialog.get_by_role("button", name="Split", exact=True).click()
    page.get_by_role("tab", name="Identifiers (3)").wait_for()
    assert visitor.troubles == []


def test_a_person_is_erased_after_typing_the_number(visitor: Visitor, site: Site) -> None:
    visitor.visit(f"/persons/{_person(site, THIRD)}")
    page = visitor.page
    page.get_by_role("button", name="Erase").click()
    dialog = _dialog(page)
    submit = dialog.get_by_role("button", name="Erase for good")
    expect(submit).to_be_disabled()
    dialog.get_by_label(re.compile("To confirm")).fill(dialog.locator("label code").inner_text())
    submit.click()
    page.wait_for_url("**/jobs")
    page.get_by_role("row", name=re.compile("Erasure.*Done")).first.wait_for()
    assert visitor.troubles == []


def test_a_source_shows_its_key_once(visitor: Visitor) -> None:
    visitor.visit("/sources")
    page = visitor.page
    page.get_by_role("button", name="New source").click()
    dialog = _dialog(page)
    dialog.get_by_label("Name").fill("mini shop")
    _choose(page, "Kind", "Mini-program")
    dialog.get_by_role("button", name="Create").click()
    page.get_by_text("The key is shown this once; keep it now.").wait_for()
    key = page.locator("pre[aria-label='Write key']").inner_text().strip()
    assert len(key) > 20
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("button", name="mini shop").click()
    page.get_by_text("Issue a key").wait_for()
    assert key not in page.content()
    assert visitor.troubles == []


def test_quarantined_events_are_replayed(visitor: Visitor) -> None:
    visitor.visit("/quarantine")
    page = visitor.page
    page.get_by_role("row", name=re.compile("Missing identifier")).first.wait_for()
    page.get_by_role("button", name="Replay").click()
    _dialog(page).get_by_role("button", name="Replay").click()
    page.get_by_text(re.compile(r"Replayed \d+ events")).wait_for()
    assert visitor.troubles == []


def test_a_segment_is_created_deleted_and_brought_back(visitor: Visitor) -> None:
    visitor.visit("/segments/new/edit")
    page = visitor.page
    page.get_by_role("button", name="Add condition").click()
    page.get_by_role("menuitem", name="Behaviour").click()
    page.get_by_role("combobox", name="Event", exact=True).fill("lead_submitted")
    page.keyboard.press("Enter")
    page.get_by_label("Name").fill("keen people")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="keen people").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.locator(".ant-popconfirm").get_by_role("button", name="Delete").click()
    page.get_by_text('Deleted "keen people"').wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="keen people").wait_for()
    assert visitor.troubles == []


def test_what_arrives_unplanned_is_planned_published_and_imported(
    visitor: Visitor, site: Site
) -> None:
    rated = {**_event(50, FIRST), "event": "brochure_opened", "properties": {"pages": 12}}
    with site.server.client() as client:
        _send(client, site.write_key, [rated])

        def unplanned() -> bool:
            items = client.get("/api/plan/unplanned").json()["items"]
            return "brochure_opened" in {it["event"] for it in items}

        until(unplanned, "nothing unplanned was seen")
    page = visitor.page
    visitor.visit("/plan")
    page.get_by_text("Points met in the last 30 days").wait_for()
    page.get_by_role("tab", name="Unplanned").click()
    page.get_by_role("row", name=re.compile("brochure_opened")).get_by_role(
        "button", name="Add to plan"
    ).click()
    drawer = page.get_by_role("dialog", name="New event")
    drawer.get_by_label("Owner").first.fill("Li")
    drawer.get_by_role("button", name="Add property").click()
    drawer.get_by_label("Name", exact=True).fill("pages")
    drawer.get_by_role("button", name="Save").click()
    page.get_by_text("1 changes wait; nothing was published yet").wait_for()
    expect(page.get_by_role("row", name=re.compile("brochure_opened"))).to_have_count(0)
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    page.get_by_text("Published v1").wait_for()

    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog", name="Import")
    bad = b"events: [{name: page_viewed, properties: [{name: url, type: number}]}]"
    upload = dialog.locator("input[type=file]")
    upload.set_input_files({"name": "p.yaml", "mimeType": "text/yaml", "buffer": bad})
    dialog.get_by_text("The pack fixes this type").wait_for()
    good = b"events: [{name: brochure_opened, owner: Wang}, {name: brochure_sent}]"
    upload.set_input_files({"name": "p.yaml", "mimeType": "text/yaml", "buffer": good})
    dialog.get_by_text("1 added, 0 removed, 1 changed").wait_for()
    dialog.get_by_role("button", name="Import the plan").click()
    page.get_by_text("Imported, 2 changes").wait_for()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    page.get_by_text("Brought back v1").wait_for()
    page.get_by_role("tab", name="Metrics").click()
    page.get_by_role("row", name=re.compile("Page views.*Not computable")).wait_for()
    page.get_by_role("tab", name="Events", exact=True).click()
    page.get_by_label("Find by name or owner").fill("brochure")
    page.keyboard.press("Enter")
    page.get_by_role("row", name=re.compile("brochure_opened.*Own")).wait_for()
    assert page.get_by_role("row", name=re.compile("brochure_sent")).count() == 0
    assert visitor.accessibility() == []
    assert visitor.troubles == []


def test_a_channel_is_set_up_with_limits_and_tested(visitor: Visitor, hook: int) -> None:
    visitor.visit("/channels")
    page = visitor.page
    page.get_by_role("button", name="New channel").first.click()
    dialog = _dialog(page)
    _choose(page, "Kind", "Webhook")
    dialog.get_by_label("Name").fill("crm hook")
    dialog.get_by_label("URL").fill(f"http://127.0.0.1:{hook}/in")
    dialog.get_by_label("Signing secret").fill("s3cret")
    dialog.get_by_label("messages").fill("3")
    dialog.get_by_label("per second").fill("5")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Actions of crm hook").click()
    page.get_by_role("menuitem", name="Edit").click()
    expect(_dialog(page).get_by_label("messages")).to_have_value("3")
    expect(_dialog(page).get_by_label("per second")).to_have_value("5")
    _dialog(page).get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Actions of crm hook").click()
    page.get_by_role("menuitem", name="Send a test").click()
    dialog = page.get_by_role("dialog", name="Test crm hook")
    dialog.get_by_role("button", name="Send the test").click()
    dialog.get_by_text("The address is not allowed").wait_for()
    assert visitor.troubles == []


def test_a_journey_says_what_is_missing_and_is_published(visitor: Visitor, site: Site) -> None:
    with site.server.client() as client:
        rule = {"kind": "everyone"}
        segment = client.post("/api/segments", json={"name": "all of them", "rule": rule}).json()
        settings = {"url": "http://127.0.0.1:8080/in", "secret": "s3cret"}
        channel = {"kind": "webhook", "name": "news hook", "settings": settings}
        client.post("/api/channels", json=channel).raise_for_status()
    visitor.visit(f"/journeys/new?segment={segment['id']}")
    page = visitor.page
    missing = page.get_by_text(re.compile("^Still needed before publishing"))
    expect(missing).to_contain_text("goal (why), period (when), channel (how), content (what)")
    page.get_by_label("Name", exact=True).fill("spring")
    page.get_by_label("Goal").fill("ten test drives")
    page.get_by_label("Period", exact=True).fill("2026-11-20")
    page.keyboard.press("Enter")
    page.locator(".react-flow__node", has_text="Send a message").click()
    _choose(page, "Channel", "news hook")
    page.get_by_label("Text").fill("Hello {{name|friend}}")
    expect(missing).to_have_count(0)
    page.get_by_role("button", name="Insert a node here").first.click()
    page.get_by_role("menuitem", name="Random split").click()
    page.get_by_label("Share that goes on").fill("100")
    page.keyboard.press("Tab")
    page.get_by_text("100 % / 0 %").wait_for()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/journeys/(?!new)"))
    expect(page.get_by_label("Share that goes on")).to_have_value("100.00")
    page.locator(".react-flow__node", has_text="Send a message").click()
    page.get_by_role("button", name="Preview").click()
    dialog = _dialog(page)
    dialog.get_by_label("Find a person").fill(FIRST)
    page.keyboard.press("Enter")
    dialog.get_by_role("radio").first.check()
    dialog.get_by_role("button", name="Show").click()
    dialog.get_by_text(re.compile("^Hello ")).wait_for()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Publish").click()
    dialog = _dialog(page)
    dialog.get_by_label(re.compile("To confirm")).fill("spring")
    visitor.settle()
    dialog.get_by_role("button", name="Publish").click()
    page.get_by_text("Live", exact=True).wait_for()
    assert visitor.troubles == []


def test_a_user_and_a_token_are_made_and_taken_away(visitor: Visitor) -> None:
    visitor.visit("/users")
    page = visitor.page
    page.get_by_role("button", name="New user").click()
    dialog = _dialog(page)
    dialog.get_by_label("User name").fill("li.na")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("Shown this once; keep it now.").wait_for()
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("button", name="Actions of li.na").click()
    page.get_by_role("menuitem", name="Disable").click()
    page.get_by_role("row", name=re.compile("li.na.*Disabled")).wait_for()
    visitor.visit("/keys")
    page.get_by_role("button", name="New token").first.click()
    dialog = _dialog(page)
    dialog.get_by_label("Name").fill("warehouse")
    dialog.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("row", name=re.compile("warehouse")).get_by_role("button").click()
    dialog = _dialog(page)
    visitor.settle()
    dialog.get_by_role("button", name="Revoke").click()
    page.get_by_role("row", name=re.compile("warehouse.*Revoked")).wait_for()
    assert visitor.troubles == []


def test_the_password_is_changed(visitor: Visitor, site: Site) -> None:
    visitor.visit("/")
    page = visitor.page
    page.get_by_role("button", name="Account admin").click()
    page.get_by_role("menuitem", name="Change password").click()
    dialog = _dialog(page)
    dialog.get_by_label("Current password").fill("not the password")
    dialog.get_by_label("New password", exact=True).fill("another-quiet-road")
    dialog.get_by_label("New password again").fill("another-quiet-road")
    dialog.get_by_role("button", name="Save the new password").click()
    dialog.get_by_text("The current password is wrong").wait_for()
    dialog.get_by_label("Current password").fill(PASSWORD)
    dialog.get_by_role("button", name="Save the new password").click()
    page.get_by_text("Password changed").wait_for()
    body = {"username": "admin", "password": "another-quiet-road"}
    assert httpx.post(f"{site.server.url}/api/session", json=body).status_code == 201


class _Taken(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def hook() -> Iterator[int]:
    """A port on which something listens."""
    server = HTTPServer(("127.0.0.1", 0), _Taken)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()
