"""The statements of the outbox's hot path, where SQLite and PostgreSQL need different words.

Conditions of partial indexes stand in them literally: a planner cannot prove a bound value.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from carloop.core.message import SendKey
from carloop.core.ports.journeys import JourneyStatus
from carloop.stores.state.sets import TALLY
from carloop.stores.state.tables.journeys import outbox

LIVE = f"status = '{JourneyStatus.LIVE}' AND deleted_at IS NULL"
POST = """
INSERT INTO outbox (enrol, node, visit, tenant, journey, version, person, channel, purpose, state,
 reason, not_before, expires_at, attempts, fence, provider_id, created_at, updated_at, announced)
SELECT id, :node, CAST(:visit AS integer), tenant, journey, version, person,
 CAST(:channel AS bigint), :purpose, 'new', '', CAST(:not_before AS bigint),
 CAST(:expires_at AS bigint), 0, 0, '', CAST(:not_before AS bigint), CAST(:not_before AS bigint),
 false
FROM enrol WHERE {among}
"""
WAITING = text(f"""
SELECT c.id FROM channel c WHERE c.enabled AND c.deleted_at IS NULL AND (
 EXISTS (SELECT 1 FROM outbox WHERE channel = c.id AND lease IS NOT NULL AND lease <= :now)
 OR EXISTS (SELECT 1 FROM (SELECT id, tenant FROM journey WHERE {LIVE}) j
  WHERE j.tenant = c.tenant AND EXISTS (SELECT 1 FROM outbox
   WHERE channel = c.id AND journey = j.id AND state = 'new' AND not_before <= :now)))
ORDER BY c.id
""")  # noqa: S608
FIRST_READY = text(f"""
SELECT id, (SELECT not_before FROM outbox WHERE channel = :channel AND journey = journey.id
 AND state = 'new' ORDER BY not_before LIMIT 1) AS first
FROM journey WHERE tenant = (SELECT tenant FROM channel WHERE id = :channel) AND {LIVE}
""")  # noqa: S608
_PICK = """SELECT enrol, node, visit FROM outbox WHERE channel = :channel AND journey = :journey
 AND state = 'new' AND not_before <= :now ORDER BY not_before LIMIT :limit {lock}"""
_TAKE = "SET state = 'claimed', lease = :lease, fence = fence + 1, updated_at = :now"
_COLUMNS = ", ".join(f"outbox.{column.name}" for column in outbox.columns)
CLAIM = {
    "sqlite": f"UPDATE outbox {_TAKE} WHERE (enrol, node, visit) IN ({_PICK}) RETURNING {_COLUMNS}",
    "postgresql": f"WITH picked AS MATERIALIZED ({_PICK}) UPDATE outbox {_TAKE} FROM picked"
    " WHERE outbox.enrol = picked.enrol AND outbox.node = picked.node"
    f" AND outbox.visit = picked.visit RETURNING {_COLUMNS}",
}
"""Keys are picked and locked alone; nothing is joined on a column that may have moved."""

_KEYED = """
 FROM unnest(CAST(%(enrol)s AS bigint[]), CAST(%(node)s AS text[]), CAST(%(visit)s AS integer[]),
 CAST(%(fence)s AS integer[]){more}) AS v (enrol, node, visit, fence{names})
 WHERE outbox.enrol BETWEEN %(low)s AND %(high)s AND outbox.enrol = v.enrol
 AND outbox.node = v.node AND outbox.visit = v.visit AND outbox.fence = v.fence AND outbox.state"""
_ALIKE = """
 WHERE enrol IN (SELECT value FROM json_each(:enrolments)) AND node = :node AND visit = :visit
 AND fence = :fence AND state"""
_OPEN = " IN ('claimed', 'attempting', 'unknown')"
ATTEMPT = {
    "sqlite": "UPDATE outbox SET state = 'attempting', attempts = attempts + 1,"
    f" attempted_at = :now, lease = :lease, updated_at = :now{_ALIKE} = 'claimed'",
    "postgresql": "UPDATE outbox SET state = 'attempting', attempts = attempts + 1,"
    " attempted_at = %(now)s, lease = %(lease)s, updated_at = %(now)s"
    + _KEYED.replace("{more}", "").replace("{names}", "")
    + " = 'claimed'",
}
SETTLE = {
    "sqlite": "UPDATE outbox SET state = :state, reason = :reason, not_before = :not_before,"
    " provider_id = :provider_id, lease = NULL, updated_at = :now, announced = false"
    f"{_ALIKE}{_OPEN}",
    "postgresql": "UPDATE outbox SET state = v.state, reason = v.reason,"
    " not_before = v.not_before, provider_id = v.provider_id, lease = NULL,"
    " updated_at = %(now)s, announced = false"
    + _KEYED.replace(
        "{more}",
        ", CAST(%(state)s AS text[]), CAST(%(reason)s AS text[]),"
        " CAST(%(not_before)s AS bigint[]), CAST(%(provider_id)s AS text[])",
    ).replace("{names}", ", state, reason, not_before, provider_id")
    + _OPEN,
}
_OLD = """outbox.enrol > :after AND outbox.enrol <= :upto AND outbox.tenant = :tenant
 AND outbox.updated_at < :before AND outbox.announced
 AND outbox.state IN ('sent', 'failed', 'unknown', 'suppressed', 'expired')
 AND NOT EXISTS (SELECT 1 FROM send_receipt r WHERE r.enrol = outbox.enrol
  AND r.node = outbox.node AND r.visit = outbox.visit AND NOT r.announced)"""
AGE = (
    text(
        TALLY.format(
            kind="sends",
            name="state",
            reason="reason",
            group="state, reason",
            table="outbox",
            where=_OLD,
        )
    ),
    text(
        "DELETE FROM send_receipt WHERE enrol > :after AND enrol <= :upto AND (enrol, node, visit)"
        f" IN (SELECT enrol, node, visit FROM outbox WHERE {_OLD})"  # noqa: S608
    ),
    text(f"DELETE FROM outbox WHERE {_OLD}"),  # noqa: S608
)
"""Count what is about to go, then receipts, then sends."""


def alike(
    names: tuple[str, ...], sends: Iterable[tuple[SendKey, int, tuple[Any, ...]]], **same: Any
) -> list[dict[str, Any]]:
    """For SQLite: sends that become the same in one statement each.

    Args:
        names: of the further values.
        sends: key, fence and further values of each.
        same: values of all.
    """
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for (enrolment, node, visit), fence, more in sends:
        found[node, visit, fence, *more].append(enrolment)
    told = ("node", "visit", "fence", *names)
    return [
        {**same, **dict(zip(told, values, strict=True)), "enrolments": json.dumps(enrolments)}
        for values, enrolments in found.items()
    ]


def keys(sends: Sequence[tuple[SendKey, int]]) -> dict[str, Any]:
    """Keys and fences as columns, for one statement on PostgreSQL."""
    numbers = [key.enrolment for key, _ in sends]
    return {
        "enrol": numbers,
        "node": [key.node for key, _ in sends],
        "visit": [key.visit for key, _ in sends],
        "fence": [fence for _, fence in sends],
        "low": min(numbers),
        "high": max(numbers),
    }
