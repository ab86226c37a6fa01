"""The guides and the page of reasons hold what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import carloop.app.imports.report as report
from carloop.app.imports import parse_mapping
from carloop.app.imports.rows import RowMapper
from carloop.bootstrap.packs import load_catalogue
from carloop.connectors import PROTOCOLS
from carloop.connectors.files import Row
from carloop.core.events import OWN_LIMITS, Received
from tests.support.capture import KEY, capturing

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "carloop"
RAISED = re.compile(
    r"""(?:BadEvent|BadValue|Violation)\(\s*"([a-z_0-9]+)"|else\s"(name_invalid|nul)"|code="([a-z_0-9]+)\""""
)


def blocks(guide: str, label: str) -> list[str]:
    text = (ROOT / "docs" / "guides" / guide).read_text("utf-8")
    return re.findall(rf"^```\w+ {label}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def raised_by(*paths: Path) -> set[str]:
    return {
        code
        for path in paths
        for groups in RAISED.findall(path.read_text("utf-8"))
        for code in groups
    } - {""}


def test_every_reason_of_the_protocols_and_the_plan_is_on_the_page() -> None:
    page = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs/reference/quarantine.md").read_text()))
    files = [
        *(SOURCES / "connectors").glob("*.py"),
        *(SOURCES / "app" / "ingest").glob("*.py"),
        SOURCES / "app" / "plan.py",
    ]
    codes = {code for code in raised_by(*files) if not code.startswith("setting_")}
    assert {"too_deep", "checksum_wrong", "missing_property"} <= codes
    assert codes - page == set()


def test_every_fault_of_a_row_has_its_reason_in_words() -> None:
    codes = raised_by(*(SOURCES / "app" / "imports").glob("values.py"))
    codes |= set(re.findall(r'CellFault\([^,]*, "([a-z_]+)"', _text("rows.py")))
    codes |= {
        code
        for path in (SOURCES / "connectors" / "files").glob("*.py")
        for code in re.findall(r'BadRow\(\w+, "([a-z_]+)"\)|return "([a-z_]+)"', path.read_text())
        for code in code
        if "_" in code and code != "file_broken"
    }
    assert codes - report.REASONS.keys() == set()


def _text(name: str) -> str:
    return (SOURCES / "app" / "imports" / name).read_text("utf-8")


def test_the_example_of_the_own_protocol_is_taken() -> None:
    (body,) = blocks("send-events.md", "own")
    own = PROTOCOLS["own"]
    received = Received(tenant=1, source=1, protocol="own", received_at=0, body=body.encode())
    decoded = own.decode(received, OWN_LIMITS)
    (answer,) = blocks("send-events.md", "answer")
    assert json.loads(answer) == {"accepted": len(decoded.events), "rejected": decoded.rejected}


def test_the_clients_in_the_guide_send() -> None:
    with capturing() as capture:
        for label in ("segment", "sensors"):
            (script,) = blocks("send-events.md", label)
            exec(script, {"WRITE_KEY": KEY, "SERVER": capture.url})  # noqa: S102
        capture.wait(lambda: len(capture.events) == 4)
        assert sorted(capture.names()) == ["$SignUp", "$identify", *["test_drive_booked"] * 2]


def test_the_mapping_in_the_guide_makes_two_events_of_a_won_lead() -> None:
    (text,) = blocks("import-files.md", "mapping")
    headers = [*json.loads(text)["columns"], "是否成交"]
    mapper = RowMapper(
        parse_mapping(text), headers, load_catalogue("automotive"), digest="", default_ms=0
    )
    values = [
        *("13905712846", "K1", "王芳", "LSVAA4182E2184847", "2026/11/1 08:00", "2026/11/9 08:00"),
        *("C5", "x", "是"),
    ]
    events = mapper.apply(Row(1, values)).events
    assert [event["event"] for event in events] == ["lead_imported", "deal_imported"]
