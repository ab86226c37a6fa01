"""The second lock: what ``additional_table_filters`` says of each table for a scope.

The first lock is compiled into every read (:mod:`carloop.sql.scope`); this one says the same
without bound values, which the setting cannot take, and stands where a read forgot it. It leaks
through roll-ups, ``merge()`` and ``dictGet``, so it never stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from carloop.sql.query import ident, literal_ints
from carloop.sql.scope import Rights, person
from carloop.sql.select import nested, select


def filters(rights: Rights) -> Mapping[str, str]:
    """A condition for every table that holds rows of persons.

    >>> class Everything:
    ...     tenant, dims = 1, {}
    >>> filters(Everything)["events"]
    'tenant = 1'
    """
    tenant = f"tenant = {int(rights.tenant)}"
    dims = [(ident(name), sorted(own)) for name, own in sorted(rights.dims.items())]
    if not dims:
        return dict.fromkeys(("events", "attributes", "fragments", "grants"), tenant)
    number = person(rights.tenant)
    visible = " AND ".join(
        f"{number} IN {nested(select(number, 'grants FINAL', where=[tenant, *_own(name, own)]))}"
        for name, own in dims
    )
    alone = " AND ".join(f"entities['{name}'] != 0" for name, _ in dims)
    named = " AND ".join(_among(f"entities['{name}']", [0, *own]) for name, own in dims)
    granted = " AND ".join(
        f"(dimension != '{name}' OR {_among('entity', own)})" for name, own in dims
    )
    return {
        "events": f"{tenant} AND (({visible}) OR (fragment = 0 AND {alone})) AND {named}",
        "attributes": f"{tenant} AND {visible}",
        "fragments": f"{tenant} AND {visible}",
        "grants": f"{tenant} AND {granted}",
    }


def _own(name: str, numbers: list[int]) -> tuple[str, str]:
    return f"dimension = '{name}'", _among("entity", numbers)


def setting(rights: Rights) -> str:
    """The value of ``additional_table_filters``: a map, as text."""
    quoted = (f"'{table}': '{_escape(text)}'" for table, text in filters(rights).items())
    return f"{{{', '.join(quoted)}}}"


def _among(expression: str, numbers: list[int]) -> str:
    return f"{expression} IN {literal_ints(numbers)}" if numbers else "0"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
