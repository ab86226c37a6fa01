"""Sources of tests of data quality."""

from __future__ import annotations

import httpx


def write_key(client: httpx.Client, source: str) -> str:
    """A write key of a new source, which works at once."""
    made = client.post("/api/sources", json={"name": source, "kind": "server"})
    assert made.status_code == 201, made.text
    key = client.post(f"/api/sources/{made.json()['id']}/keys", json={"name": "k"})
    return str(key.json()["write_key"])
