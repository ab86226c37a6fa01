"""Contact sheets: many pictures on one page, to be looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from playwright.sync_api import Browser

from tests.screens.camera import Shot

COLUMNS = 3
EACH = 9
STYLE = """
body { margin: 12px; font: 13px sans-serif; background: #ccc }
main { display: grid; gap: 12px; grid-template-columns: repeat(%d, 1fr) }
figure { margin: 0; background: #fff; padding: 6px }
div { height: 440px; overflow: hidden }
img { width: 100%% }
"""


def sheets(browser: Browser, shots: Sequence[Shot], out: Path) -> list[Path]:
    """Write one sheet for each ``EACH`` pictures of the same state and look."""
    groups: dict[str, list[Shot]] = {}
    for shot in shots:
        groups.setdefault(f"{shot.state}--{shot.look}", []).append(shot)
    made = []
    for name, group in groups.items():
        for start in range(0, len(group), EACH):
            file = out / f"sheet--{name}--{start // EACH + 1}.png"
            _write(browser, group[start : start + EACH], file)
            made.append(file)
    return made


def _write(browser: Browser, shots: Sequence[Shot], file: Path) -> None:
    figures = "".join(
        f"<figure>{escape(s.scene.name)}<div><img src='{s.file.name}'></div></figure>"
        for s in shots
    )
    page_file = file.with_suffix(".html")
    page_file.write_text(f"<style>{STYLE % COLUMNS}</style><main>{figures}</main>", "utf-8")
    page = browser.new_page(viewport={"width": 1920, "height": 600})
    page.goto(page_file.resolve().as_uri())
    page.screenshot(path=file, full_page=True)
    page.close()
    page_file.unlink()
