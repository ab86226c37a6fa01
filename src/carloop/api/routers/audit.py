"""The audit log, for those who may read it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.core.ports.audit import AuditEntry
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms

router = APIRouter(tags=["audit"])

Filter = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


class AuditOut(BaseModel):
    """One thing that somebody did."""

    id: int
    at: datetime
    caller: str
    action: str
    object: str
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Entries, newest first."""

    items: list[AuditOut]
    next_cursor: str | None


@router.get("/api/audit", operation_id="list_audit")
def list_audit(
    caller: Annotated[Caller, require(Permission.AUDIT_READ)],
    use: Use,
    by: Filter = None,
    action: Filter = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> AuditPage:
    """What was done by whom, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    entries = use.audit.page(caller, before=before, limit=limit, by=by, action=action)
    more = encode_cursor(entries[-1].id) if len(entries) == limit else None
    return AuditPage(items=[_out(entry) for entry in entries], next_cursor=more)


def _out(entry: AuditEntry) -> AuditOut:
    return AuditOut(
        id=entry.id,
        at=from_ms(entry.at),
        caller=entry.caller,
        action=entry.action,
        object=entry.object,
        detail=json.loads(entry.detail),
    )
