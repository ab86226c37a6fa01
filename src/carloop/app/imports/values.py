"""Cells to values: placeholders, numbers, truths and times."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo

from carloop.connectors.files import Value
from carloop.core.cells import as_text
from carloop.core.fields import FieldType
from carloop.kit.clock import to_ms

TIME_FORMATS = (
    *("iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"),
    *("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d"),
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y"),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y"),
    *("%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日"),
    *("%Y%m%d%H%M%S", "%Y%m%d", "s", "ms"),
)
_DIGITS_OF = {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14}
TRUE = {"true", "yes", "y", "1", "是", "有"}
FALSE = {"false", "no", "n", "0", "否", "没有"}
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?(e[+-]?\d{1,3})?\Z", re.IGNORECASE)
_SIGNS = str.maketrans("", "", "¥￥$€£ %")


class BadValue(Exception):
    """A cell that does not hold what its column promises; ``args[0]`` is the code."""


def is_null(value: Value, nulls: frozenset[str]) -> bool:
    """True for nothing, NaN and placeholders."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().casefold() in nulls


def as_type(
    value: Value, type_: FieldType, format_: str, zone: tzinfo
) -> str | int | float | bool | list[str]:
    """The cell as a value of ``type_``.

    Raises:
        BadValue: ``not_a_number``, ``not_a_boolean``, ``invalid_timestamp``.
    """
    if type_ is FieldType.NUMBER:
        return as_number(value)
    if type_ is FieldType.BOOLEAN:
        text = as_text(value).casefold()
        if text not in TRUE | FALSE:
            raise BadValue("not_a_boolean")
        return text in TRUE
    if type_ is FieldType.DATE:
        return as_time(value, format_ or "iso", zone).astimezone(zone).date().isoformat()
    if type_ is FieldType.DATETIME:
        return as_time(value, format_ or "iso", zone).astimezone(UTC).isoformat()
    if type_ is FieldType.LIST:
        return [part for part in re.split(r"[,;|，；、]\s*", as_text(value)) if part]
    return as_text(value)


def as_number(value: Value) -> int | float:
    """A number, with thousands separators, currency or percent sign.

    Raises:
        BadValue: ``not_a_number``.

    >>> as_number("¥ 1,299.50"), as_number("12%"), as_number("7")
    (1299.5, 12, 7)
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise BadValue("not_a_number")
        return value
    text = unicodedata.normalize("NFKC", as_text(value)).translate(_SIGNS)
    if not any(char.isdigit() for char in text) or not _NUMBER.match(text):
        raise BadValue("not_a_number")
    text = text.replace(",", "")
    number = float(text)
    if not math.isfinite(number):
        raise BadValue("not_a_number")
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 19 else number


def as_time(value: Value, format_: str, zone: tzinfo) -> datetime:
    """An instant, or the start of a day in ``zone``.

    Raises:
        BadValue: ``invalid_timestamp``.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    text = as_text(value)
    try:
        if format_ in ("s", "ms"):
            if len(text.partition(".")[0]) != (10 if format_ == "s" else 13):
                raise BadValue("invalid_timestamp")
            return datetime.fromtimestamp(float(text) / (1 if format_ == "s" else 1000), UTC)
        if format_ == "iso":
            if len(text) < 10 or "-" not in text:
                raise BadValue("invalid_timestamp")
            at = datetime.fromisoformat(text)
        elif len(text) != _DIGITS_OF.get(format_, len(text)):
            raise BadValue("invalid_timestamp")
        else:
            at = datetime.strptime(text, format_)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError, re.error) as error:
        raise BadValue("invalid_timestamp") from error
    return at if at.tzinfo else at.replace(tzinfo=zone)


def time_ms(value: Value, format_: str, zone: tzinfo) -> int:
    """Milliseconds since the epoch; see :func:`as_time`."""
    return to_ms(as_time(value, format_, zone).astimezone(UTC))


def guess_time_format(values: Sequence[Value], zone: tzinfo) -> str | None:
    """The first format that nine in ten of the values follow; None where there is none.

    Month first wins where both orders fit every value.

    >>> guess_time_format(["13/1/2022", "2/1/2022"], UTC)
    '%d/%m/%Y'
    """
    if not values:
        return None
    if all(isinstance(value, date) for value in values):
        return "iso"
    return next(
        (f for f in TIME_FORMATS if sum(_fits(v, f, zone) for v in values) >= 0.9 * len(values)),
        None,
    )


def _fits(value: Value, format_: str, zone: tzinfo) -> bool:
    try:
        as_time(value, format_, zone)
    except BadValue:
        return False
    return True


def guess_type(values: Sequence[Value]) -> FieldType:
    """NUMBER where every value is one (and none has a leading zero); else STRING."""
    for value in values:
        text = as_text(value)
        try:
            as_number(value)
        except BadValue:
            return FieldType.STRING
        if isinstance(value, str) and len(text) > 1 and text[0] == "0" and text[1].isdigit():
            return FieldType.STRING
    return FieldType.NUMBER if values else FieldType.STRING
