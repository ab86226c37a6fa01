"""API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from carloop.api.deps import Use, require
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.api.parameters import Name
from carloop.api.routers.users import Dims, Roles
from carloop.core.access import AccessKey, KeyKind
from carloop.core.scope import Caller, Permission, Role
from carloop.kit.clock import from_ms, to_ms

router = APIRouter(tags=["keys"])

Manager = Annotated[Caller, require(Permission.SYSTEM_MANAGE)]
KeyId = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,40}$")]


class TokenOut(BaseModel):
    """An API token; `hint` is the end of its clear text."""

    id: str
    name: str
    hint: str
    roles: list[Role]
    dims: dict[str, list[str]]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenPage(BaseModel):
    """API tokens, oldest first."""

    items: list[TokenOut]
    next_cursor: str | None


class TokenBody(BaseModel):
    """A new API token."""

    name: Name
    roles: Roles
    dims: Dims = {}
    expires_at: AwareDatetime | None = None


class NewToken(BaseModel):
    """The token and its clear text, which is shown this once."""

    key: TokenOut
    token: str = Field(description="Send it as `Authorization: Bearer …`.")


@router.get("/api/keys", operation_id="list_keys")
def list_keys(
    caller: Manager, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> TokenPage:
    """All API tokens, revoked ones too."""
    keys = use.keys.tokens(caller)
    found, more = page_of(keys, lambda it: (it.created_at, it.id), cursor, limit)
    return TokenPage(items=[_out(key) for key in found], next_cursor=more)


@router.post("/api/keys", operation_id="create_key", status_code=201)
def create_key(body: TokenBody, caller: Manager, use: Use) -> NewToken:
    """Issue an API token."""
    expires_at = epoch_ms(body.expires_at)
    key, clear = use.keys.create_token(caller, body.name, body.roles, body.dims, expires_at)
    return NewToken(key=_out(key), token=clear)


@router.delete("/api/keys/{id}", operation_id="revoke_key", status_code=204)
def revoke_key(id: KeyId, caller: Manager, use: Use) -> None:
    """Revoke an API token at once."""
    use.keys.revoke(caller, KeyKind.TOKEN, id)


def epoch_ms(at: datetime | None) -> int | None:
    """Milliseconds since the epoch, or None."""
    return None if at is None else to_ms(at)


def instant(ms: int | None) -> datetime | None:
    """The instant of some milliseconds since the epoch, or None."""
    return None if ms is None else from_ms(ms)


def _out(key: AccessKey) -> TokenOut:
    return TokenOut(
        id=key.id,
        name=key.name,
        hint=key.hint,
        roles=list(key.roles),
        dims={name: list(keys) for name, keys in key.dims.items()},
        created_at=from_ms(key.created_at),
        expires_at=instant(key.expires_at),
        last_used_at=instant(key.last_used_at),
        revoked_at=instant(key.revoked_at),
    )
