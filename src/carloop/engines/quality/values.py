"""Reading cells: emptiness, placeholders, numbers, instants, and shapes that may be shown."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from unicodedata import category, normalize

from carloop.core.cells import as_text

PLACEHOLDERS = frozenset(
    (
        *("select", "please select", "choose", "#null!", "#n/a", "#value!", "#ref!", "#div/0!"),
        *("null", "(null)", "nil", "none", "nan", "n/a", "na", "undefined", "unknown", "\\n"),
        *("-", "--", "---", "/", "?", "??", ".", "[object object]", "test", "tbd"),
        *("无", "暂无", "未知", "空", "没有", "不详", "不明", "未填写", "请选择", "测试", "待定"),
    )
)
"""What people and programs write to say "nothing"; compared without case."""
_NINES = re.compile(r"-?9{4,}(\.9+)?\Z|-9{3}(\.0+)?\Z")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d{1,3})?\Z")
SHORT = 24


def is_empty(value: Any) -> bool:
    """True for nothing, NaN and blank text.

    >>> is_empty(None), is_empty("  "), is_empty(float("nan")), is_empty(0)
    (True, True, True, False)
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_placeholder(value: Any) -> bool:
    """True for text that says "nothing", and for numbers of nines alone (9999, -999).

    >>> [is_placeholder(v) for v in ("Select", "#NULL!", "无", "9999", -999, "999", "9998")]
    [True, True, True, True, True, False, False]
    """
    if isinstance(value, str):
        text = value.strip()
        return text.casefold() in PLACEHOLDERS or _NINES.match(text) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return _NINES.match(f"{value:g}" if isinstance(value, float) else str(value)) is not None


def number_in(value: Any) -> float | None:
    """The number a cell holds, with thousands separators or not; None where it is none.

    >>> number_in(" 1,299.50 "), number_in("12a"), number_in("1e400"), number_in(True)
    (1299.5, None, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = float(value)
    else:
        text = normalize("NFKC", as_text(value))
        if not any(char.isdigit() for char in text) or not _NUMBER.match(text):
            return None
        number = float(text.replace(",", ""))
    return number if math.isfinite(number) else None


def instant_in(value: Any, format_: str, zone: tzinfo) -> datetime | None:
    """The instant a cell holds; of a day, its beginning in ``zone``; None where it is none.

    Args:
        value: a cell.
        format_: as ``strptime``, or ``iso`` (dates and times with ``-``), or ``ms``.
        zone: of times without offset.

    >>> instant_in("24-12-2025", "%d-%m-%Y", UTC), instant_in("2025-02-30", "iso", UTC)
    (datetime.datetime(2025, 12, 24, 0, 0, tzinfo=datetime.timezone.utc), None)
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    try:
        if format_ == "ms":
            return datetime.fromtimestamp(float(value) / 1000, UTC)
        text = as_text(value)
        if format_ == "iso":
            if len(text) < 10 or "-" not in text:
                return None
            at = datetime.fromisoformat(text)
        else:
            at = datetime.strptime(text, format_)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError, TypeError, re.error):
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def shown(value: Any) -> str:
    """What may be shown of a faulty cell: short numbers, dates and placeholders as they are.

    Of everything else its shape, as data profilers do: ``9`` for a digit, ``A`` for a letter,
    ``文`` for a letter of another script; what says nothing of a person stays.

    >>> shown("753.04"), shown("#NULL!"), shown("2026-13-01"), shown("1380013800O")
    ('753.04', '#NULL!', '2026-13-01', '9999999999A')
    >>> shown("王芳"), shown(13800138001), shown("wang@x.cn")
    ('文文', '99999999999', 'AAAA@A.AA')
    """
    text = as_text(value) if value is not None else ""
    if is_placeholder(text) or re.fullmatch(r"[+-]?\d{0,6}(\.\d{0,6})?", text):
        return text[:SHORT]
    if re.fullmatch(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}([T ][\d:.]+(Z|[+-]\d\d:\d\d)?)?", text):
        return text[:40]
    return "".join(_shape(char) for char in text[:SHORT])


def _shape(char: str) -> str:
    kind = category(char)
    if kind[0] == "N":
        return "9"
    if kind[0] in "LM":
        return "A" if char.isascii() else "文"
    return char if char.isprintable() else "·"
