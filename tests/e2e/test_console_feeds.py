"""A database becomes people through the console: connect, look, map, plan, read, count."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.a_feed import orders
from tests.support.browser import Server, Visitor, admin_session, browsing, chromium, serving
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@dataclass
class Site:
    """A server that may read a folder, and an admin's session."""

    server: Server
    browser: Browser
    cookies: list[Any]
    folder: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium()
    folder = tmp_path_factory.mktemp("folder")
    with (
        serving(tmp_path_factory.mktemp("feeds"), CARLOOP_ALLOWED_FOLDERS=str(folder)) as server,
        browsing() as browser,
    ):
        yield Site(server, browser, admin_session(browser, server), folder)


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    opened = Visitor.open(site.browser, site.server.url, language="en", cookies=site.cookies)
    yield opened
    print(opened.tell())
    opened.close()


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=re.compile(rf"^\W*{re.escape(label)}$")).click()
    opened = page.locator(".ant-select-dropdown:visible")
    opened.get_by_title(option, exact=True).click()
    expect(opened).to_have_count(0)


def _connect(page: Page, file: Path, table: str) -> None:
    page.get_by_label("Table or view").fill(table)
    page.get_by_label("Database (name, file or number)").fill(str(file))
    page.get_by_role("button", name="Try the connection").click()


def test_a_database_is_connected_mapped_and_read(visitor: Visitor, site: Site) -> None:
    file = orders(site.folder / "dms.sqlite")
    visitor.visit("/feeds")
    page = visitor.page
    page.get_by_text("No feeds yet").wait_for()
    page.get_by_role("button", name="New feed").first.click()
    page.get_by_role("radio", name=re.compile("Kafka")).check()
    encryption = page.locator(".ant-form-item", has_text=re.compile("^Encryption"))
    expect(encryption).to_contain_text("Required, certificate checked")
    page.get_by_role("radio", name="Relational database").check()
    expect(encryption).to_contain_text("Where the server can")
    _choose(page, "Kind of database", "SQLite file")
    _connect(page, file, "invoices")
    refused = page.locator(".ant-form-item", has_text="Table or view").locator("[id$=_help]")
    expect(refused).to_have_text("No such table or view")
    expect(page.get_by_label("Table or view")).to_be_focused()
    visitor.troubles.clear()
    _connect(page, file, "orders")
    page.get_by_text(re.compile("^Connected")).wait_for()
    page.get_by_role("cell", name="赵一").wait_for()
    assert visitor.accessibility() == []
    page.get_by_role("button", name="Next").click()
    expect(page.locator("tr", has_text="mobile").first).to_contain_text("Identifier")
    _choose(page, 'Role of "amount"', "Ignore")
    page.get_by_role("combobox", name="Each row is the event").fill("dms_order_read")
    page.keyboard.press("Escape")
    expect(page.locator(".ant-select-dropdown:visible")).to_have_count(0)
    expect(page.get_by_role("switch", name="Keep other columns")).to_be_checked()
    assert visitor.accessibility() == []
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name").fill("DMS orders")
    page.get_by_role("radio", name="By cron").check()
    page.get_by_label("Minute, hour, day, month, weekday").fill("0 2 * *")
    page.get_by_text("Not five valid fields of cron").wait_for()
    expect(page.get_by_role("button", name="Create the feed")).to_be_disabled()
    page.get_by_label("Minute, hour, day, month, weekday").fill("30 2 * * *")
    page.get_by_text(re.compile("^At 02:30")).wait_for()
    assert visitor.accessibility() == []
    page.get_by_role("button", name="Create the feed").click()
    drawer = page.get_by_role("dialog", name="DMS orders")
    drawer.get_by_role("button", name="Read now").click()
    drawer.get_by_text("Done", exact=True).wait_for()
    _until_here(visitor, "13966280802")
    visitor.visit(f"/feeds?feed={_feed(site)['id']}")
    drawer.get_by_role("button", name="Count now").click()
    drawer.get_by_text("Nothing is missing").wait_for()
    assert visitor.accessibility() == []
    assert visitor.troubles == []
    stored = _feed(site)["mapping"]
    assert stored["columns"]["amount"] == {"as": "ignore"}
    assert stored["events"][0]["event"] == "dms_order_read"


def test_a_renamed_column_stops_the_feed_until_it_is_accepted(visitor: Visitor, site: Site) -> None:
    with closing(sqlite3.connect(site.folder / "dms.sqlite")) as database:
        database.execute("ALTER TABLE orders RENAME COLUMN mobile TO phone")
    page = visitor.page
    visitor.visit(f"/feeds?feed={_feed(site)['id']}")
    drawer = page.get_by_role("dialog", name="DMS orders")
    drawer.get_by_role("button", name="Read now").click()
    drawer.get_by_text("A mapped column was renamed or removed; reading stopped").first.wait_for()
    drawer.get_by_role("tab", name="Meaning").click()
    drawer.get_by_role("button", name="Look at the source").click()
    row = drawer.get_by_role("row", name=re.compile("^mobile"))
    expect(row).to_contain_text("Not at the source")
    expect(drawer.get_by_role("row", name=re.compile("^phone"))).to_contain_text("13966280801")
    _choose(page, 'Role of "phone"', "Identifier")
    _choose(page, 'Role of "mobile"', "Not said (kept)")
    drawer.get_by_role("button", name="Save").click()
    page.get_by_text(re.compile("^Saved. What failed before")).wait_for()
    drawer.get_by_role("tab", name="Changed columns (1)").click()
    drawer.get_by_role("row", name=re.compile("mobile.*Probably renamed.*phone")).wait_for()
    assert visitor.accessibility() == []
    drawer.get_by_role("button", name="Accept the changes").click()
    page.get_by_text("Changes accepted: 1").wait_for()
    drawer.get_by_role("tab", name="Runs").click()
    drawer.get_by_role("row", name=re.compile("By hand.*Failed")).wait_for()
    drawer.get_by_role("tab", name="State").click()
    drawer.get_by_role("button", name="Read from the beginning").click()
    dialog = page.get_by_role("dialog", name="Read from the beginning")
    dialog.get_by_label(re.compile("To confirm")).fill("DMS orders")
    dialog.get_by_role("button", name="Read from the beginning").click()
    drawer.get_by_text("Done", exact=True).wait_for()
    assert visitor.troubles == []


def test_a_feed_is_deleted_after_its_name_is_typed(visitor: Visitor, site: Site) -> None:
    visitor.visit(f"/feeds?feed={_feed(site)['id']}")
    page = visitor.page
    drawer = page.get_by_role("dialog", name="DMS orders", exact=True)
    drawer.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Delete"))
    expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    dialog.get_by_label(re.compile("To confirm")).fill("DMS orders")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("No feeds yet").wait_for()
    assert visitor.troubles == []


def test_files_are_connected_by_what_their_place_and_format_need(
    visitor: Visitor, site: Site
) -> None:
    (site.folder / "orders.log").write_text("2026-11-01 13966280811 LSVAA4182E2184847\nnoise\n")
    visitor.visit("/feeds")
    page = visitor.page
    page.get_by_role("button", name="New feed").first.click()
    page.get_by_role("radio", name="Files and folders").check()
    expect(page.get_by_label("Bucket")).to_have_count(0)
    _choose(page, "Where the files are", "SFTP server")
    expect(page.get_by_label("Fingerprint of the server's key")).to_be_visible()
    _choose(page, "Where the files are", "Folder of this machine")
    _choose(page, "Format", "Log")
    expect(page.get_by_label("XML: path to the record element")).to_have_count(0)
    page.get_by_label("Folder", exact=True).fill("/etc")
    page.get_by_label("Pattern of names").fill("*.log")
    page.get_by_label("Pattern of a log line").fill(r"^(?P<day>\S+) (?P<mobile>\d+) (?P<vin>\S+)$")
    page.get_by_role("button", name="Try the connection").click()
    refused = page.locator(".ant-form-item", has_text="Folder").locator("[id$=_help]")
    expect(refused).to_have_text("Outside the folders that are allowed")
    visitor.troubles.clear()
    page.get_by_label("Folder", exact=True).fill(str(site.folder))
    page.get_by_role("button", name="Try the connection").click()
    page.get_by_text(re.compile("^Connected")).wait_for()
    page.get_by_text("Some rows or files cannot be read").wait_for()
    page.get_by_role("cell", name="13966280811").wait_for()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("tr", has_text="mobile").first).to_contain_text("Identifier")
    assert visitor.accessibility() == []
    assert visitor.troubles == []


def test_an_api_is_asked_for_by_its_credentials_and_paging(visitor: Visitor) -> None:
    visitor.visit("/feeds")
    page = visitor.page
    page.get_by_role("button", name="New feed").first.click()
    page.get_by_role("radio", name="HTTP API (JSON)").check()
    expect(page.get_by_label("Token", exact=True)).to_have_count(0)
    _choose(page, "Credentials", "Bearer token")
    page.get_by_label("Token", exact=True).fill("x")
    _choose(page, "Paging", "Page number")
    expect(page.get_by_label("First page")).to_have_value("1")
    page.get_by_label("URL").fill("http://127.0.0.1:9/orders")
    page.get_by_role("button", name="Try the connection").click()
    page.get_by_text("A private address; the installation must allow it").wait_for()
    visitor.troubles.clear()
    assert visitor.accessibility() == []


def _feed(site: Site) -> dict[str, Any]:
    with site.server.client() as client:
        found: dict[str, Any] = client.get("/api/feeds").raise_for_status().json()["items"][0]
        return found


def _until_here(visitor: Visitor, phone: str) -> None:
    """Search the person in the console until the event has been loaded."""

    def rows() -> int:
        visitor.visit(f"/persons?identifier=mobile:{phone}")
        return int(visitor.page.locator("tbody tr.ant-table-row").count())

    until(rows, "no person came of the row", every=0.5)
