"""Statements over many rows at once, in the words of SQLite or PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, text

_FORMS = {
    "sqlite": {
        "people": "json_each(:people)",
        "person": "value",
        "among": "id IN (SELECT value FROM json_each(:ids))",
        "lock": "",
    },
    "postgresql": {
        "people": "unnest(CAST(:people AS bigint[])) AS value",
        "person": "value",
        "among": "id BETWEEN :low AND :high AND id = ANY(CAST(:ids AS bigint[]))",
        "lock": "FOR UPDATE SKIP LOCKED",
    },
}
"""``among`` names the range too: without it a planner may read the whole table for a chunk."""


def run(db: Connection, statement: str, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run ``statement`` with its ``{people}``, ``{among}``, ``{lock}`` filled in.

    Args:
        db: the open connection.
        statement: constant text; ``people`` and ``ids`` among its values are sequences of numbers.
        values: what to bind.
    """
    dialect = db.dialect.name
    bound = dict(values)
    for name in ("people", "ids"):
        if name in bound:
            numbers: Sequence[int] = bound[name]
            if name == "ids" and dialect == "postgresql":
                bound |= {"low": min(numbers), "high": max(numbers)}
            bound[name] = json.dumps(list(numbers)) if dialect == "sqlite" else list(numbers)
    result: CursorResult[Any] = db.execute(text(statement.format(**_FORMS[dialect])), bound)
    return result


TALLY = """
INSERT INTO journey_tally (tenant, journey, kind, name, reason, number)
SELECT tenant, journey, '{kind}', {name}, {reason}, count(*) FROM {table} WHERE {where}
GROUP BY tenant, journey, {group}
ON CONFLICT (tenant, journey, kind, name, reason)
DO UPDATE SET number = journey_tally.number + excluded.number
"""
"""Keeps count of rows that are about to go."""
