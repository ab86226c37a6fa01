"""The unmodified clients from PyPI and npm, each sending a small story to a server."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import BROWSER_MS, PATIENCE_SECONDS

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SENSORS_WEB = "node_modules/sa-sdk-javascript/sensorsdata.min.js"


def need_node(package: str) -> None:
    """Skip where Node.js or the test clients are absent."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    if not (CLIENTS / "node_modules" / package).is_dir():
        pytest.skip("the test clients are not installed: npm ci in tests/clients")


def node(script: str, *args: str) -> None:
    """Run one of the scripts in ``tests/clients`` to its end."""
    done = subprocess.run(
        ["node", script, *args],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def segment_python(url: str, key: str, gzip: bool = False) -> None:
    """``segment-analytics-python``: identify, track, page."""
    from segment.analytics.client import Client

    client = Client(key, host=url, gzip=gzip, sync_mode=False, send=True)
    client.identify("seg-py-1", {"email": "seg@example.com", "plan": "pro"})
    client.track("seg-py-1", "test_drive_booked", {"series": "C5"}, anonymous_id="seg-py-a")
    client.page("seg-py-1", "Docs", "Home", {"url": "https://example.com/"})
    client.flush()
    client.join()


def rudder_python(url: str, key: str) -> None:
    """``rudder-sdk-python``: identify, track; gzip is its default."""
    from rudderstack.analytics.client import Client

    client = Client(key, host=url, gzip=True)
    client.identify("rud-py-1", {"email": "rud@example.com"})
    client.track("rud-py-1", "test_drive_booked", {"series": "C5"})
    client.flush()
    client.join()


def sensors_python(url: str, consumer: str = "DefaultConsumer") -> None:
    """``SensorsAnalyticsSDK``: track, sign-up, profile, item, binding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sensorsanalytics as sdk

    out = getattr(sdk, consumer)(url)
    sa = sdk.SensorsAnalytics(out)
    sa.track("sa-py-visitor", "test_drive_booked", {"series": "C5"})
    sa.track_signup("sa-py-1", "sa-py-visitor", {"channel": "app"})
    sa.profile_set("sa-py-1", {"nickname": "python"}, is_login_id=True)
    sa.profile_append("sa-py-1", {"interests": ["suv"]}, is_login_id=True)
    sa.flush()
    sa.close()


@contextmanager
def browser_page() -> Iterator[Any]:
    """A page in a real Chromium; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        try:
            page = browser.new_page()
            page.set_default_timeout(BROWSER_MS)
            yield page
        finally:
            browser.close()


def sensors_page(server_url: str, options: str) -> bytes:
    """A page that loads the web client, tracks, logs in and sets a profile."""
    return f"""<!doctype html><title>看车</title><script src="/sensorsdata.js"></script><script>
var sensors = window.sensorsDataAnalytic201505;
sensors.init({{server_url: "{server_url}", is_track_single_page: false, heatmap: null, {options}}});
sensors.track("test_drive_booked", {{series: "C5"}});
sensors.login("sa-web-1");
sensors.setProfile({{nickname: "web"}});
sensors.quick("autoTrack");
</script>""".encode()
