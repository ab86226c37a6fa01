"""One place that joins SQL fragments into a SELECT; values never pass through here, only text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def select(
    columns: str,
    source: str,
    *,
    where: Iterable[str] = (),
    group: str = "",
    having: str = "",
    order: str = "",
    limit: str = "",
) -> str:
    """A SELECT over ``source`` (a table, or a query in parentheses).

    >>> select("a", "t", where=["x = 1", "", "y OR z"], order="a")
    'SELECT a FROM t WHERE (x = 1) AND (y OR z) ORDER BY a'
    """
    parts = ["SELECT", columns, "FROM", source]
    conditions = both(where)
    for keyword, text in (
        ("WHERE", conditions),
        ("GROUP BY", group),
        ("HAVING", having),
        ("ORDER BY", order),
        ("LIMIT", limit),
    ):
        if text:
            parts += [keyword, text]
    return " ".join(parts)


def both(conditions: Iterable[str]) -> str:
    """All of the conditions, each in parentheses; empty ones are skipped.

    >>> both(["a", "b OR c"])
    '(a) AND (b OR c)'
    """
    return " AND ".join(f"({c})" for c in conditions if c)


def either(conditions: Iterable[str]) -> str:
    """Any of the conditions, each in parentheses.

    >>> either(["a", "b AND c"])
    '(a) OR (b AND c)'
    """
    return " OR ".join(f"({c})" for c in conditions if c)


def nested(query: str) -> str:
    """A query as a table of another.

    >>> nested("SELECT 1")
    '(SELECT 1)'
    """
    return f"({query})"


def with_tables(tables: Mapping[str, str], query: str) -> str:
    """``query`` with named sub-queries in front.

    >>> with_tables({"a": "SELECT 1"}, "SELECT * FROM a")
    'WITH a AS (SELECT 1) SELECT * FROM a'
    """
    names = ", ".join(f"{name} AS ({text})" for name, text in tables.items())
    return f"WITH {names} {query}" if names else query
