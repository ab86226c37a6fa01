"""A small table of orders in a SQLite file, and a feed that reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.support.waiting import until

ROWS = (
    (1001, "13966280801", "赵一", 218800.0, "2026-11-01 10:00:00"),
    (1002, "13966280802", "钱二", 176500.0, "2026-11-02 11:30:00"),
    (1003, None, "孙三", 99000.0, "2026-11-03 09:15:00"),
)
"""``order_no``, ``mobile``, ``buyer``, ``amount``, ``ordered_at``; the last names nobody."""
MAPPING: dict[str, Any] = {
    "columns": {
        "mobile": {"as": "identifier", "type": "mobile"},
        "buyer": {"as": "profile", "field": "name"},
        "amount": {"as": "property", "name": "amount", "type": "number"},
        "ordered_at": {"as": "time", "format": "iso"},
    },
    "events": [{"event": "dms_order_read"}],
    "keep_unmapped": True,
}


def orders(file: Path) -> Path:
    """Write the table ``orders`` into a new file."""
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE orders (order_no INTEGER PRIMARY KEY, mobile TEXT, buyer TEXT,"
            " amount REAL, ordered_at TEXT)"
        )
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ROWS)
    return file


def make_feed(client: httpx.Client, name: str, file: Path) -> str:
    """A feed of such a file, run once to its end; its id."""
    settings = {"dialect": "sqlite", "database": str(orders(file)), "table": "orders"}
    body = {"name": name, "kind": "database", "settings": settings, "mapping": MAPPING}
    made = client.post("/api/feeds", json=body).raise_for_status().json()
    path = f"/api/feeds/{made['id']}"
    client.post(f"{path}/run", json={}).raise_for_status()

    def ended() -> Any:
        feed = client.get(path).raise_for_status().json()
        last = feed["last_run"]
        return last and not feed["running"] and last["state"] != "running" and last

    run = until(ended, "the feed was not read")
    assert run["state"] == "done", run
    return str(made["id"])
