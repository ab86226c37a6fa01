"""The guides to carloop's own clients, run as they are written, against a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import STATIC
from tests.support.server import Server, serving
from tests.support.waiting import BROWSER_MS, PATIENCE_SECONDS
from tests.support.website import Source, visiting, website

ROOT = Path(__file__).resolve().parents[2]
MINI = STATIC.parents[1] / "sdk" / "carloop-mini.cjs"


def block(guide: str, label: str) -> str:
    """The one code block of a guide with this label."""
    text = (ROOT / "docs" / "guides" / guide).read_text("utf-8")
    (found,) = re.findall(rf"^```\w+ {re.escape(label)}\n(.*?)^```", text, re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("guides") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token()


def person(server: Server, token: str, identifier: str) -> dict[str, Any]:
    """Everything that is shown of the one person with this identifier."""
    with server.client(token) as api:
        (found,) = api.get("/api/persons", params={"identifier": identifier}).json()["items"]
        shown: dict[str, Any] = api.get(f"/api/persons/{found['id']}").json()
    return shown


@pytest.mark.browser
def test_a_website_sends_as_its_guide_says(server: Server, token: str) -> None:
    guide = "send-from-a-website.md"
    with website() as site, visiting() as browser:
        source = Source.make(server, token, "website", site.origin())
        head = block(guide, "page").replace("https://cdp.example.com", server.url)
        head = head.replace("WRITE_KEY", source.key)
        site.pages["/"] = f"<!doctype html><title>看车</title>{head}{block(guide, 'marks')}"
        page = browser.new_context().new_page()
        page.set_default_timeout(BROWSER_MS)
        page.goto(site.origin() + "/")
        page.evaluate(f"() => {{ {block(guide, 'consent')} }}")
        page.evaluate(f"() => {{ {block(guide, 'events')} }}")
        page.click("[data-carloop-click]")
        page.click("[data-carloop-private]")
        events = source.wait(
            *("consent_given", "page_viewed", "test_drive_booked", "$identify", "$entity"),
            *("$relate", "element_clicked", "content_exposed"),
        )
    clicked = [e["properties"] for e in events if e["event"] == "element_clicked"]
    assert [(c["element"], c["series"]) for c in clicked] == [("book_test_drive", "C5")]
    shown = person(server, token, "login_id:m-1")
    types = {identifier["type"] for identifier in shown["identifiers"]}
    assert types == {"login_id", "mobile", "anonymous_id"}
    assert "customer_of" in {relation["kind"] for relation in shown["relations"]}


@pytest.mark.node
def test_a_mini_program_sends_as_its_guide_says(server: Server, token: str) -> None:
    node = shutil.which("node")
    if node is None or not MINI.is_file():
        pytest.skip("Node.js is not installed, or the tracker is not built")
    source = Source.make(server, token, "mini")
    labels = {"tracker": "carloop.js", "app": "app.js", "page": "page.js"}
    files = {name: block("send-from-a-mini-program.md", label) for name, label in labels.items()}
    asked = {"server": server.url, "key": source.key, "sdk": str(MINI), "files": files}
    done = subprocess.run(
        [node, str(ROOT / "clients/javascript/test/mini_guide.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["before"] == {"requests": 0, "stored": 0}
    assert told["after"]["requests"] >= 1
    events = source.wait(
        *("mini_program_opened", "screen_viewed", "$identify", "test_drive_booked"),
        *("element_clicked", "content_shared", "page_left", "mini_program_hidden"),
    )
    (opened,) = [e["properties"] for e in events if e["event"] == "mini_program_opened"]
    assert (opened["utm_campaign"], opened["scene"]) == ("D001", 1047)
    shown = person(server, token, "unionid:uGUIDE0001")
    types = {identifier["type"] for identifier in shown["identifiers"]}
    assert types == {"openid", "unionid", "anonymous_id"}


def test_python_sends_as_its_guide_says(
    server: Server, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source.make(server, token, "python")
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    given = {"SERVER": server.url, "WRITE_KEY": source.key, "DEEP": deep}
    for label in ("client", "spool", "hook"):
        spool = str(tmp_path / f"{label}.db")
        exec(block("send-from-python.md", label), {**given, "SPOOL": spool})  # noqa: S102
    assert capsys.readouterr().out == "too_deep order_placed\n"
    events = source.wait("order_placed", "$identify", "$relate", "$entity", "lead_submitted")
    (order,) = [e for e in events if e["event"] == "order_placed"]
    assert order["properties"]["order_no"] == "A-17"
    assert "owns" in {r["kind"] for r in person(server, token, "login_id:m-1")["relations"]}
