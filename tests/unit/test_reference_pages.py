"""Generated pages are as the code is; every page can be reached from the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.reference import DIRECTORY, pages

DOCS = DIRECTORY.parent
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_not_stale(name: str) -> None:
    assert (DIRECTORY / name).read_text("utf-8") == PAGES[name], "run `make docs`"


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    missing = [
        str(page.relative_to(DOCS))
        for page in sorted(Path(DOCS).rglob("*.md"))
        if page.name != "README.md" and f"]({page.relative_to(DOCS)})" not in index
    ]
    assert missing == []
