"""The page of data quality in a real Chromium: computed, looked into, a rule switched off."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser import Visitor, admin_session, browsing, chromium, serving
from tests.support.waiting import until

pytestmark = pytest.mark.browser


def _lead(number: int, channel: str) -> dict[str, Any]:
    return {
        "message_id": f"m{number}",
        "event": "lead_submitted",
        "occurred_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        "identifiers": {"mobile": f"139662807{number:02}"},
        "properties": {"channel": channel},
    }


def test_scores_are_computed_looked_into_and_ruled(tmp_path: Path) -> None:
    chromium()
    with serving(tmp_path) as server, browsing() as browser:
        cookies = admin_session(browser, server)
        with server.client() as client:
            source = client.post("/api/sources", json={"name": "官网", "kind": "web"}).json()["id"]
            key = client.post(f"/api/sources/{source}/keys", json={"name": "k"}).json()["write_key"]
            leads = [_lead(n, "Select" if n < 10 else "website") for n in range(40)]
            sent = client.post("/api/events", json=leads, headers={"X-Write-Key": key})
            assert sent.json()["accepted"] == 40, sent.text
            until(lambda: len(client.get("/api/events?limit=100").json()["items"]) == 40)
        visitor = Visitor.open(browser, server.url, language="en", cookies=cookies)
        page = visitor.page
        page.goto(f"{server.url}/console/quality")
        page.get_by_role("button", name="Compute now").click()
        expect(page.get_by_text("Computed", exact=True)).to_be_visible(timeout=60_000)
        # Thirty of forty required channels say something: "Select" does not.
        card = page.locator("[data-dimension=completeness]")
        expect(card).to_contain_text("75.0%")
        expect(card).to_contain_text("30 of 40")
        page.get_by_role("button", name="官网").click()
        page.get_by_role("button", name="Lead submitted").click()
        row = page.get_by_role("row").filter(has_text=re.compile("^Channel"))
        expect(row).to_contain_text("75.0%")
        page.get_by_role("tab", name=re.compile("^Alerts")).click()
        expect(page.get_by_role("row").filter(has_text="Completeness")).to_contain_text("98.0%")
        page.get_by_role("tab", name="Findings").click()
        found = page.get_by_role("row").filter(has_text="Required")
        expect(found).to_contain_text("10 / 40")
        found.get_by_role("button").first.click()
        expect(page.get_by_text("Select", exact=True).first).to_be_visible()
        page.get_by_role("tab", name="Rules").click()
        switch = page.get_by_role("switch", name="On plan:required", exact=True)
        expect(switch).to_be_checked()
        switch.click()
        expect(switch).not_to_be_checked()
        with server.client() as client:
            rules = client.get("/api/quality/rules").json()["items"]
        assert [r["enabled"] for r in rules if r["key"] == "plan:required"] == [False]
        page.goto(f"{server.url}/console/imports")
        lines = [f"139123456{n:02},website" for n in range(40)]
        file = "\n".join(["mobile,channel", *lines, "13800138000,Select"]).encode()
        upload = {"name": "leads.csv", "mimeType": "text/csv", "buffer": file}
        page.locator("input[type=file]").set_input_files(upload)
        page.get_by_role("combobox", name="Into the source").fill("files")
        page.get_by_role("button", name="Dry run").click()
        fake = page.get_by_role("row").filter(has_text="Identifier").filter(has_text="1 / 41")
        expect(fake).to_contain_text("99999999999", timeout=60_000)
        said = page.get_by_role("row").filter(has_text="channel").filter(has_text="Required")
        expect(said).to_contain_text("Select")
        visitor.close()
