"""What is planted in the demo is found: fake phones, and leads under the phone of an advisor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from carloop.packs.automotive.demo import demo
from tests.support.quality import write_key
from tests.support.server import serving
from tests.support.waiting import until

FAKE = "13800138000"
DAYS = 40
FASTER = 15
"""The demo's eighteen months are told as if they had passed in weeks: fewer days to compute."""


def leads() -> pd.DataFrame:
    """Leads of the demo that name a phone alone, as the generator wrote them but for their days."""
    now = datetime.now(UTC)
    since = now - timedelta(days=DAYS)
    rows: list[dict[str, Any]] = []
    for batch in demo("4000", 7, int(now.timestamp() * 1000)):
        for event in json.loads(batch.body) if b"lead_submitted" in batch.body else ():
            if event["event"] != "lead_submitted" or set(event["identifiers"]) != {"mobile"}:
                continue
            at = now - (now - datetime.fromisoformat(event["occurred_at"])) / FASTER
            event["occurred_at"] = at.isoformat(timespec="milliseconds")
            at = datetime.fromisoformat(event["occurred_at"])
            if since < at < now:
                phone, series = event["identifiers"]["mobile"], event["properties"]["series"]
                rows.append(
                    {
                        "source": batch.source,
                        "at": at,
                        "phone": phone,
                        "series": series,
                        "it": event,
                    }
                )
    return pd.DataFrame(rows)


def test_fake_phones_and_advisors_phones_are_found(tmp_path: Path) -> None:
    table = leads()
    real = table[table.phone != FAKE].sort_values("at", kind="stable")
    gap = real.groupby(["phone", "series"])["at"].diff()
    again = real[gap <= pd.Timedelta(days=30)]
    staff = real.groupby("phone").size()
    assert (table.phone == FAKE).sum() > 0
    assert staff.max() > 5, "an advisor's phone stands in many leads"
    with (
        serving(tmp_path / "data") as server,
        server.client(server.token()) as client,
        server.client() as sender,
    ):
        for source, rows in table.groupby("source"):
            key = {"X-Write-Key": write_key(client, str(source))}
            for first in range(0, len(rows), 500):
                body = rows["it"].tolist()[first : first + 500]
                assert sender.post("/api/events", json=body, headers=key).status_code == 200
        server.settle()
        job = client.post("/api/quality/run", json={"days": DAYS + 1}).json()["id"]
        until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")
        names = {s["id"]: s["name"] for s in client.get("/api/sources").json()["items"]}
        failed: dict[tuple[str, str, str], int] = {}
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {
                "days": DAYS + 1,
                "limit": 200,
                **({"cursor": cursor} if cursor else {}),
            }
            page = client.get("/api/quality/findings", params=query).json()
            for item in page["items"]:
                place = (names.get(item["source"], ""), item["field"], item["code"])
                failed[place] = failed.get(place, 0) + item["failed"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    fakes = table[table.phone == FAKE].groupby("source").size().to_dict()
    found = {
        s: n for (s, f, c), n in failed.items() if (f, c) == ("identifiers.mobile", "placeholder")
    }
    assert found == fakes
    twins = {s: n for (s, f, c), n in failed.items() if (f, c) == ("person + series", "duplicate")}
    assert twins == again.groupby("source").size().to_dict()
