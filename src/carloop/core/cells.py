"""What a cell of a file or table holds, as a person reads it."""

from __future__ import annotations

from datetime import date
from typing import Any


def as_text(value: Any) -> str:
    """The cell as a person reads it; a whole float without its point.

    >>> as_text(13912345678.0), as_text(" a "), as_text(True)
    ('13912345678', 'a', 'true')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
