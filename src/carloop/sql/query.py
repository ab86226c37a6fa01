"""A ClickHouse query as text plus bound values, and the few safe ways to build one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_IDENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")


@dataclass(frozen=True, slots=True)
class Query:
    """ClickHouse SQL with ``{name:Type}`` placeholders and the values they bind to.

    >>> Query("SELECT {n:UInt8}", {"n": 1}).text
    'SELECT {n:UInt8}'
    """

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Params:
    """Collects bound values and names them, so that fragments never collide.

    >>> p = Params()
    >>> p.add("lead", "String"), p.add(3, "UInt32")
    ('{p0:String}', '{p1:UInt32}')
    >>> p.values
    {'p0': 'lead', 'p1': 3}
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def add(self, value: Any, type_: str) -> str:
        """Bind ``value``; the placeholder to write into the text is returned."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{type_}}}"


def ident(name: str) -> str:
    """A bare identifier, or ``ValueError``: never quote your way out of a bad name.

    >>> ident("events")
    'events'
    """
    if not _IDENT.match(name):
        raise ValueError(f"not an identifier: {name!r}")
    return name


def literal_ints(values: Iterable[int]) -> str:
    """A parenthesised list of checked integers, for settings that take no parameters.

    >>> literal_ints([3, 1])
    '(1, 3)'
    >>> literal_ints([])
    '(NULL)'
    """
    numbers = sorted({int(v) for v in values})
    return "(" + ", ".join(str(n) for n in numbers) + ")" if numbers else "(NULL)"
