"""Consent: what a person allowed, and the page behind an unsubscribe link."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, StringConstraints
from starlette.responses import HTMLResponse

from carloop.api.deps import Use, public, require
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.core.consent import ANY_CHANNEL, ConsentEntry, ConsentState
from carloop.core.scope import Caller, Permission
from carloop.kit.clock import from_ms, to_ms

router = APIRouter(tags=["consents"])

Reader = Annotated[Caller, require(Permission.PERSON_READ)]
Writer = Annotated[Caller, require(Permission.PERSON_WRITE)]
PersonId = Annotated[str, Path(max_length=64)]
Code = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]
Line = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Evidence = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Token = Annotated[str, Path(max_length=1000)]
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


class ConsentOut(BaseModel):
    """One line of the ledger."""

    purpose: str
    channel: str
    state: ConsentState
    policy_version: str
    source: str
    evidence: str
    at: datetime


class ConsentsOut(BaseModel):
    """The ledger, oldest first, and what stands now per purpose and channel."""

    items: list[ConsentOut]
    standing: list[ConsentOut]
    next_cursor: str | None


class ConsentBody(BaseModel):
    """One statement of the person; `channel` `*` is every channel, `at` absent is now.

    `evidence` is a reference (a form, a recording), never a personal value.
    """

    purpose: Code
    state: ConsentState
    channel: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,63}|\*)$")] = ANY_CHANNEL
    policy_version: Line = ""
    source: Line = "console"
    evidence: Evidence = ""
    at: AwareDatetime | None = None


@router.get("/api/persons/{id}/consents", operation_id="list_consents")
def list_consents(
    id: PersonId, caller: Reader, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> ConsentsOut:
    """What the person allowed and withdrew."""
    view = use.consents.of(caller, id)
    found, more = page_of(view.entries, lambda it: (it.at, it.id), cursor, limit)
    return ConsentsOut(
        items=[_out(it) for it in found],
        standing=[_out(it) for it in view.standing],
        next_cursor=more,
    )


@router.post("/api/persons/{id}/consents", operation_id="record_consent", status_code=201)
def record_consent(id: PersonId, body: ConsentBody, caller: Writer, use: Use) -> ConsentOut:
    """Append one statement to the ledger; nothing is ever changed in it."""
    entry = use.consents.record(
        caller,
        id,
        purpose=body.purpose,
        channel=body.channel,
        state=body.state,
        policy_version=body.policy_version,
        source=body.source,
        evidence=body.evidence,
        at=None if body.at is None else to_ms(body.at),
    )
    return _out(entry)


@router.get("/unsubscribe/{token}", include_in_schema=False)
@public
def show_unsubscribe(token: Token, use: Use) -> HTMLResponse:
    """Ask before unsubscribing: mail scanners open links, people press buttons."""
    use.unsubscribe_links.read(token)
    button = '<form method="post"><button>确认退订 Unsubscribe</button></form>'
    return _page("不再接收此类消息? Stop receiving these messages?", button)


@router.post("/unsubscribe/{token}", include_in_schema=False)
@public
def leave_by_link(token: Token, use: Use) -> HTMLResponse:
    """Unsubscribe; mail programs post here by themselves (RFC 8058)."""
    use.unsubscribe_links.leave(token)
    return _page("已退订。You are unsubscribed.", "")


def _page(heading: str, rest: str) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="zh"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>退订 Unsubscribe</title>'
        "<style>body{font:18px sans-serif;margin:3em auto;max-width:30em;padding:0 1em}"
        f"button{{font:inherit;padding:.5em 1em}}</style><h1>{heading}</h1>{rest}</html>",
        headers={"Content-Security-Policy": _CSP},
    )


def _out(entry: ConsentEntry) -> ConsentOut:
    return ConsentOut(
        purpose=entry.purpose,
        channel=entry.channel,
        state=entry.state,
        policy_version=entry.policy_version,
        source=entry.source,
        evidence=entry.evidence,
        at=from_ms(entry.at),
    )
