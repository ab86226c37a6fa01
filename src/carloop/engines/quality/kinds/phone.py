"""``phone``: a telephone number of mainland China that somebody can call: mobile, landline, 400."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from unicodedata import normalize

from carloop.core.cells import as_text
from carloop.core.identifiers import InvalidIdentifier
from carloop.core.identifiers.normalisers import mobile
from carloop.engines.quality.checks import GOOD, CellCheck, Check, Context, Dimension, Row
from carloop.engines.quality.values import is_empty

_SERVICE = re.compile(r"[48]00\d{7}")
_LANDLINE = re.compile(r"0(10|2\d|[3-9]\d{2})[2-9]\d{6,7}")
_LOCAL = re.compile(r"[2-9]\d{6,7}")
_EXTENSION = re.compile(r"(转|分机|ext\.?|#).*\Z", re.IGNORECASE)
_SIGNS = re.compile(r"[\s()./\-\u2010-\u2015]")


@dataclass(frozen=True, slots=True)
class Phone:
    """Faults: ``area_code_missing``, ``placeholder`` (00000000000, 13800138000), ``format``.

    A landline is 0, two or three digits of area, seven or eight digits; Beijing and the 02x areas
    have eight.
    """

    field: str
    kind: Literal["phone"] = "phone"

    dimension: ClassVar = Dimension.CORRECTNESS
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.field,)

    def open(self, context: Context) -> Check:
        """Judges cells that hold something, a placeholder too."""
        return _Callable(self.field)


class _Callable(CellCheck):
    def look(self, number: int, row: Row) -> str | None:
        value = row.get(self.column)
        return None if is_empty(value) else self.judge(value, row)

    def judge(self, value: Any, row: Row) -> str | None:
        return phone_fault(as_text(value))


def phone_fault(text: str) -> str:
    """What is wrong with a number; empty where nothing is.

    >>> [phone_fault(n) for n in ("010-51626616", "58990279", "13800138000", "13912345679")]
    ['', 'area_code_missing', 'placeholder', '']
    >>> [phone_fault(n) for n in ("00000000000", "400-820-8820", "0571-8765", "021-64321098转8")]
    ['placeholder', '', 'format', '']
    """
    digits = _SIGNS.sub("", _EXTENSION.sub("", normalize("NFKC", text)))
    digits = re.sub(r"\A(\+|00)86", "0", digits) if not digits.startswith("1") else digits
    if len(digits) > 1 and (len(set(digits)) == 1 or _counts(digits)):
        return "placeholder"
    if digits.isascii() and (_SERVICE.fullmatch(digits) or _is_landline(digits)):
        return GOOD
    if digits.isascii() and _LOCAL.fullmatch(digits):
        return "area_code_missing"
    try:
        mobile(text)
    except InvalidIdentifier as error:
        return error.code
    return GOOD


def _counts(digits: str) -> bool:
    """Seven digits or more that count up or down, 0 after 9."""
    up = "1234567890" * 3
    return 7 <= len(digits) <= 20 and (digits in up or digits in up[::-1])


def _is_landline(digits: str) -> bool:
    if not _LANDLINE.fullmatch(digits):
        return False
    short_area = digits[1:3] == "10" or digits[1] == "2"
    return len(digits) == 11 if short_area else len(digits) in (11, 12)
