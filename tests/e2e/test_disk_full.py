"""A disk that fills up: honest refusals, nothing acknowledged lost, recovery without restart."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import serving
from tests.support.waiting import until

SIZE_MB = 256


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def test_a_full_disk_loses_nothing_and_heals(small_disk: Path) -> None:
    data, ballast = small_disk / "data", small_disk / "ballast"
    acknowledged: set[str] = set()
    with serving(data) as server:
        key, token = server.write_key(), server.token()

        def post(number: int) -> httpx.Response:
            events = [
                {"message_id": f"d{number}-{n}", "event": "page_viewed",
                 "identifiers": {"login_id": f"u{n}"},
                 "properties": {"n": f"d{number}-{n}", "pad": os.urandom(500).hex()}}
                for n in range(20)
            ]  # fmt: skip
            answer = httpx.post(
                f"{server.url}/api/events", json=events, headers={"X-Write-Key": key}, timeout=30
            )
            if answer.status_code == 200:
                acknowledged.update(str(e["message_id"]) for e in events)
            return answer

        def ready() -> httpx.Response:
            return httpx.get(f"{server.url}/readyz", timeout=10)

        for number in range(10):
            assert post(number).status_code == 200
        server.settle()
        fill(ballast)
        refused = None
        for number in range(100, 400):
            answer = post(number)
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 503:
                refused = answer
                break
            fill(small_disk / f"more-{number}")
        assert refused is not None, "it never filled up"
        assert refused.json()["code"] == "disk_full"
        assert int(refused.headers["retry-after"]) >= 1
        red = until(lambda: (it := ready()).status_code == 503 and it, "it stays ready")
        assert "disk_full" in {part.get("reason") for part in red.json()["parts"].values()}
        with server.client(token) as client:
            page = client.get("/api/events", params={"limit": "5"})
            assert page.status_code == 200, page.text
            assert len(page.json()["items"]) == 5
            assert client.get("/api/segments").status_code == 200
        for path in (ballast, *small_disk.glob("more-*")):
            path.unlink()
        until(lambda: post(1000).status_code == 200, "still refused", every=0.25)
        until(lambda: ready().status_code == 200, lambda: ready().text)
        server.settle()
        assert stored(server.client(token)) == acknowledged


def stored(client: httpx.Client) -> set[str]:
    names: set[str] = set()
    asked = {"limit": "200"}
    with client:
        while True:
            page = client.get("/api/events", params=asked).json()
            names |= {str(event["properties"]["n"]) for event in page["items"]}
            if page["next_cursor"] is None:
                return names
            asked["cursor"] = page["next_cursor"]
