"""What one value can be read as, in both meanings: text, number, date, list of texts.

A comparison never asks what type a value has; it asks for a reading, and a value that has none
counts as missing. The rules, the same in Python and in SQL:

* text: a string as it is; of an event property also an integer and a boolean in JSON's spelling.
* number: a JSON number; a string that is itself a JSON number of at most 18 characters (``"3"``,
  ``"-0.5"``; not ``"007"``, which is a code).
* date: a string ``YYYY-MM-DD`` (midnight UTC) or ``YYYY-MM-DDThh:mm:ss[.fff][Z|±hh:mm]``.
* items: the strings of a list of strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from carloop.kit.clock import to_ms
from carloop.sql.query import Params

_NUMBER = r"^-?(0|[1-9][0-9]{0,15})([.][0-9]{1,15})?$"
_DATE = (
    r"^(19[0-9][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,3})?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?)?$"
)
_NUMBER_LENGTH = 18
_SEGMENT = re.compile(r"^[^\x00-\x20\x7f`\[\]\"'\\^:@][^\x00-\x1f\x7f`\[\]\"'\\]*$")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value's readings; None where it has none. ``date`` in ms since the epoch."""

    text: str | None = None
    number: float | None = None
    date: int | None = None
    items: tuple[str, ...] = ()
    present: bool = False


@dataclass(frozen=True, slots=True)
class Operand:
    """The same readings as SQL expressions; ``text``, ``number``, ``date`` are Nullable."""

    text: str
    number: str
    date: str
    items: str
    present: str


MISSING = Reading()


def read_property(value: Any) -> Reading:
    """The readings of one JSON value of an event.

    >>> read_property("3").number, read_property(3).text, read_property("007").number
    (3.0, '3', None)
    """
    if value is None or isinstance(value, dict):
        return MISSING
    if isinstance(value, bool):
        return Reading(text="true" if value else "false", present=True)
    if isinstance(value, int) and abs(value) >= 2**63:
        return Reading(present=True)
    if isinstance(value, int):
        return Reading(text=str(value), number=float(value), present=True)
    if isinstance(value, float):
        return Reading(number=value, present=True)
    if isinstance(value, str):
        return Reading(value, number_in(value), date_in(value), present=True)
    return Reading(items=_items(value), present=True)


def read_attribute(value: Any) -> Reading:
    """The readings of one profile attribute: typed already, so never parsed.

    Numbers and booleans also read as text, numbers to 15 digits.

    >>> read_attribute("3").number is None
    True
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return Reading("true" if value else "false", float(value), present=True)
    if isinstance(value, int | float):
        return Reading(f"{value:.15g}", float(value), present=True)
    if isinstance(value, datetime):
        return Reading(date=to_ms(value), present=True)
    if isinstance(value, str):
        return Reading(text=value, present=True)
    return Reading(items=_items(value), present=bool(value))


def _items(value: Any) -> tuple[str, ...]:
    items = [item for item in value if item is not None]
    return tuple(items) if all(isinstance(item, str) for item in items) else ()


def number_in(text: str) -> float | None:
    """The number a string spells as a JSON number without exponent, of at most 18 characters.

    >>> number_in("1e3"), number_in("-0.5")
    (None, -0.5)
    """
    if len(text) <= _NUMBER_LENGTH and re.match(_NUMBER, text) and not text.endswith("\n"):
        return float(text)
    return None


def date_in(text: str) -> int | None:
    """The instant a string spells, in ms since the epoch; no offset means UTC.

    >>> date_in("1970-01-02"), date_in("1970-01-01T08:00:00+08:00"), date_in("2026-02-30")
    (86400000, 0, None)
    """
    if not re.match(_DATE, text) or text.endswith("\n"):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_ms(at if at.tzinfo else at.replace(tzinfo=UTC))


def attribute_operand() -> Operand:
    """The columns of one ``attributes`` row."""
    return Operand(
        text="text",
        number="number",
        date="toUnixTimestamp64Milli(date)",
        items="list",
        present="text IS NOT NULL OR number IS NOT NULL OR date IS NOT NULL OR notEmpty(list)",
    )


def property_operand(name: str, params: Params) -> Operand:
    """A path of the ``properties`` JSON column, read as one sub-column; the path is bound.

    Raises:
        ValueError: the name is none that :func:`check_property` lets pass.
    """
    check_property(name)
    path = f"properties.{params.add(name, 'Identifier')}"
    string = f"dynamicElement({path}, 'String')"
    integer = f"dynamicElement({path}, 'Int64')"
    boolean = f"dynamicElement({path}, 'Bool')"
    short = f"length({string}) <= {_NUMBER_LENGTH} AND match({string}, '{_NUMBER}')"
    parsed = f"JSONExtract({string}, 'Nullable(Float64)')"
    real = f"dynamicElement({path}, 'Float64')"
    date = f"toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull({string}, 3, 'UTC'))"
    strings = f"dynamicElement({path}, 'Array(Nullable(String))')"
    return Operand(
        text=f"coalesce({string}, toString({integer}), toString({boolean}))",
        number=f"coalesce(toFloat64({integer}), {real}, if({short}, {parsed}, NULL))",
        date=f"if(match({string}, '{_DATE}'), {date}, NULL)",
        items=strings,
        present=f"{path} IS NOT NULL",
    )


def check_property(name: str) -> str:
    """Refuse names that are no plain JSON path: quotes, brackets, control characters.

    Dots separate levels; ``^``, ``:`` and ``@`` may not begin a level. Names of any script pass.

    Raises:
        ValueError: with the reason.

    >>> check_property("渠道 x.y")
    '渠道 x.y'
    """
    if not 1 <= len(name) <= 200 or not all(_SEGMENT.fullmatch(part) for part in name.split(".")):
        raise ValueError("not a property name")
    return name


def property_of(properties: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted path; a key that itself holds dots counts as levels.

    >>> property_of({"a": {"b": 1}}, "a.b"), property_of({"a.b": 2}, "a.b")
    (1, 2)
    """
    if name in properties:
        return properties[name]
    for key, inner in properties.items():
        if isinstance(inner, Mapping) and name.startswith(f"{key}."):
            found = property_of(inner, name[len(key) + 1 :])
            if found is not None:
                return found
    return None
