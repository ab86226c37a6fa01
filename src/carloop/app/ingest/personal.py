"""Personal values that nobody declared: found by their form, replaced by tokens.

The same value gives the same token within a tenant, so that equality still works in analysis.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from carloop.core.identifiers.check_digits import id_card_check

Tokenise = Callable[[str], str]

_MAYBE = re.compile(
    rb"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    rb"|@"
    rb"|\d{17}[\dXx]"
    rb"|(?<![A-Za-z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Za-z0-9])"
    rb"|[A-HJ-NP-Z][\xc2\xb7 -]{0,2}[A-HJ-NP-Z0-9]{5,6}"
    rb"|\\u"
)
_PERSONAL = re.compile(
    r"(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"|(?P<mobile>(?<![\d])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d))"
    r"|(?P<id_card>(?<!\w)\d{17}[\dXx](?!\w))"
    r"|(?P<vin>(?<!\w)(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?!\w))"
    r"|(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][·  ]?[A-HJ-NP-Z0-9]{5,6})"
)
_MOBILE_NUMBER = range(13_000_000_000, 20_000_000_000)


def suspicious(raw: bytes) -> bool:
    """Whether JSON text could hold a personal value; cheap, and errs towards yes."""
    return _MAYBE.search(raw) is not None


def without_personal(value: Any, tokenise: Tokenise) -> Any:
    """A decoded JSON value with every personal-looking part replaced.

    Mobile numbers, e-mail addresses, ID cards with a valid check digit, plates, and whatever has
    the form of a VIN. Keys are treated like values.
    """
    if isinstance(value, str):
        return _PERSONAL.sub(lambda found: _replace(found, tokenise), value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return tokenise(str(value)) if value in _MOBILE_NUMBER else value
    if isinstance(value, list):
        return [without_personal(item, tokenise) for item in value]
    return {
        without_personal(key, tokenise): without_personal(item, tokenise)
        for key, item in value.items()
    }


def _replace(found: re.Match[str], tokenise: Tokenise) -> str:
    text = found[0]
    if found.lastgroup == "id_card" and id_card_check(text[:17]) != text[17].upper():
        return text
    if found.lastgroup == "mobile":
        text = re.sub(r"[- ]", "", text)[-11:]
    return tokenise(text)
