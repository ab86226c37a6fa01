"""The console has words, in both languages, for every code that it may be shown."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "console" / "src" / "locales"
CODE = r"([a-z][a-z0-9_]*)"


def test_every_problem_code_has_words() -> None:
    assert _raised() - _worded("problem") == set()


def test_every_quarantine_code_has_words() -> None:
    page = (ROOT / "docs" / "reference" / "quarantine.md").read_text()
    listed = set(re.findall(rf"^\| `{CODE}`", page, re.M))
    named = page.partition("The codes:")[2].partition(".")[0]
    listed |= set(re.findall(rf"`{CODE}`", named))
    assert len(listed) > 30
    assert listed - _worded("reason") - _worded("problem") == set()


def test_every_reason_of_a_send_has_words() -> None:
    told: set[str] = set()
    for part in ("channels", "engines/journeys"):
        for text in _sources(part):
            told |= set(re.findall(rf'(?:Refused|Unclear|Suppress)\(f?"{CODE}', text))
            told |= set(re.findall(rf'_coded\(\w+, "{CODE}"', text))
    sends = (ROOT / "src" / "carloop" / "app" / "sends.py").read_text()
    told |= set(re.findall(rf'Unclear\("{CODE}"\)', sends))
    told = {code.removesuffix("_") for code in told} - {"reason"}
    assert "connect_failed" in told
    assert told - _worded("sendReason") == set()


def test_every_reason_of_a_refused_tie_has_words() -> None:
    graph = (ROOT / "src" / "carloop" / "engines" / "identity" / "graph.py").read_text()
    told = set(re.findall(rf'Verdict\(edge, False, "{CODE}"\)|return f?"{CODE}', graph))
    flat = {code for pair in told for code in pair if code}
    assert {"hub", "limit"} <= flat
    assert flat - _worded("refusal") == set()


def _sources(part: str = "") -> list[str]:
    return [p.read_text() for p in (ROOT / "src" / "carloop" / part).rglob("*.py")]


def _raised() -> set[str]:
    found: set[str] = set()
    for text in _sources():
        found |= set(re.findall(rf'\bcode="{CODE}"', text))
        found |= set(re.findall(rf'default_code(?:: ClassVar\[str\])? = "{CODE}"', text))
    assert len(found) > 100
    return found


def _worded(group: str) -> set[str]:
    codes = (LOCALES / "codes.ts").read_text()
    block = re.search(rf"^const {group}: Words = {{(.*?)^}};", codes, re.M | re.S)
    assert block
    words = set(re.findall(rf'^  {CODE}: \["[^"]+", "[^"]+"\],$', block[1], re.M))
    both = [
        set(re.findall(rf'^  "{group}\.{CODE}":', (LOCALES / f"{lang}.ts").read_text(), re.M))
        for lang in ("zh", "en")
    ]
    return words | (both[0] & both[1])
