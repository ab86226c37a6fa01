"""Log lines by a pattern of named groups, in RE2: no pattern takes more than linear time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from carloop.kit.errors import InvalidInput

LONGEST_PATTERN = 2_000
MOST_GROUPS = 100
_GROUP = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]{0,99})>")


class LinePattern:
    r"""A pattern that tells a line's columns; all groups are named.

    The engine is the RE2 that pyarrow carries along: it knows no back-references and no
    look-around, and so has nothing to backtrack over (Cox, *Regular Expression Matching Can Be
    Simple And Fast*, 2007).

    Raises:
        InvalidInput: ``pattern_invalid``.

    >>> LinePattern(r"^(?P<day>\S+) (?P<vin>[A-Z0-9]{17})$").groups
    ('day', 'vin')
    """

    def __init__(self, text: str) -> None:
        names = tuple(_GROUP.findall(text))
        if not 0 < len(names) <= MOST_GROUPS or len(set(names)) < len(names):
            raise _invalid()
        self._text = text
        self.groups = names
        self.match([""])

    def match(self, lines: Sequence[str]) -> list[dict[str, Any] | None]:
        """The groups of each line; None: the pattern does not fit it. No line holds U+0000."""
        return _matched(self._text, lines)


def _matched(text: str, lines: Sequence[str]) -> list[dict[str, Any] | None]:
    pa, extract = _arrow()
    try:
        found: list[dict[str, Any] | None] = extract(pa.array(lines, pa.string()), text).to_pylist()
    except pa.ArrowInvalid as error:
        raise _invalid() from error
    return found


@lru_cache(1)
def _arrow() -> tuple[Any, Any]:
    import pyarrow as pa  # slow to import, and an engine is to be back soon
    import pyarrow.compute as pc

    return pa, pc.extract_regex


def _invalid() -> InvalidInput:
    return InvalidInput(
        "a pattern of RE2 with named groups: (?P<name>…)",
        code="pattern_invalid",
        path="line_pattern",
    )
