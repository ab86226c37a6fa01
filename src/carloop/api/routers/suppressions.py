"""Suppressions: addresses that nothing is sent to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.paging import CursorText, Limit, decode_cursor, encode_cursor
from carloop.api.parameters import Reason
from carloop.app.suppressions import SuppressionView
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms
from carloop.kit.errors import InvalidInput

router = APIRouter(tags=["suppressions"])

Reader = Annotated[Caller, require(Permission.JOURNEY_READ)]
Writer = Annotated[Caller, require(Permission.JOURNEY_WRITE)]
SuppressionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_TEXT = r"^[^\x00-\x1f\x7f]*$"
Address = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=_TEXT)]
AddressQuery = Annotated[
    str | None,
    Query(min_length=1, max_length=400, pattern=_TEXT, description="`type:value`, to look it up."),
]


class SuppressionOut(BaseModel):
    """One address; `id` is its keyed hash.

    `type`, `address` (masked), `person` and `display` are null for callers who may not see people,
    and where the address belongs to nobody we know.
    """

    id: str
    reason: str
    at: datetime
    type: str | None
    address: str | None
    person: str | None
    display: str | None


class SuppressionPage(BaseModel):
    """Suppressed addresses, newest first."""

    items: list[SuppressionOut]
    next_cursor: str | None


class SuppressionBody(BaseModel):
    """An address (`type:value`) that nothing may be sent to, and why."""

    address: Address
    reason: Reason


class LiftBody(BaseModel):
    """Why the address may be written to again."""

    reason: Reason


@router.get("/api/suppressions", operation_id="list_suppressions")
def list_suppressions(
    caller: Reader,
    use: Use,
    address: AddressQuery = None,
    limit: Limit = 50,
    cursor: CursorText = None,
) -> SuppressionPage:
    """Addresses that nothing is sent to, newest first; or the one of `address`."""
    if address is not None:
        found = use.suppressions.find(caller, address)
        return SuppressionPage(items=[_out(view) for view in found], next_cursor=None)
    before = _place(cursor) if cursor else None
    found = use.suppressions.page(caller, before=before, limit=limit + 1)
    last = found[limit - 1].entry if len(found) > limit else None
    return SuppressionPage(
        items=[_out(view) for view in found[:limit]],
        next_cursor=encode_cursor(last.at, last.key.hex()) if last else None,
    )


@router.post("/api/suppressions", operation_id="add_suppression", status_code=201)
def add_suppression(body: SuppressionBody, caller: Writer, use: Use) -> SuppressionOut:
    """Put an address on the list; whatever waits for it is not sent."""
    return _out(use.suppressions.add(caller, body.address, body.reason))


@router.post("/api/suppressions/{id}/lift", operation_id="lift_suppression", status_code=204)
def lift_suppression(id: SuppressionId, body: LiftBody, caller: Writer, use: Use) -> None:
    """Take an address off the list; consent that was withdrawn stays withdrawn."""
    use.suppressions.lift(caller, id, body.reason)


def _place(cursor: str) -> tuple[int, bytes]:
    at, key = decode_cursor(cursor, int, str)
    try:
        return at, bytes.fromhex(key)
    except ValueError as error:
        raise InvalidInput(
            "not a cursor of this list", code="cursor_invalid", path="query.cursor"
        ) from error


def _out(view: SuppressionView) -> SuppressionOut:
    return SuppressionOut(
        id=view.entry.key.hex(),
        reason=view.entry.reason,
        at=from_ms(view.entry.at),
        type=view.type,
        address=view.address,
        person=None if view.person is None else str(view.person.id),
        display=None if view.person is None else view.person.display,
    )
