"""Users: who may sign in, in which roles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.paging import MOST, CursorText, Limit, page_of
from carloop.api.parameters import MAX_ID, Name
from carloop.core.access import User
from carloop.core.scope import Caller, Permission, Role
from carloop.kit.clock import from_ms

router = APIRouter(tags=["users"])

Manager = Annotated[Caller, require(Permission.USER_MANAGE)]
UserId = Annotated[int, Path(ge=1, le=MAX_ID)]
Dims = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[list[Name], Field(max_length=1000)],
    ],
    Field(max_length=16, description='Entity keys by dimension: `{"<dimension>": ["<key>"]}`.'),
]
Roles = Annotated[list[Role], Field(min_length=1, max_length=6)]


class UserOut(BaseModel):
    """A user."""

    id: int
    username: str
    roles: list[Role]
    dims: dict[str, list[str]]
    disabled: bool
    must_change: bool
    created_at: datetime
    last_login_at: datetime | None


class UserPage(BaseModel):
    """Users by name."""

    items: list[UserOut]
    next_cursor: str | None


class UserBody(BaseModel):
    """A new user; without a password one is made."""

    username: Name
    roles: Roles
    dims: Dims = {}
    password: Annotated[str, StringConstraints(max_length=1000)] | None = None


class UserPatch(BaseModel):
    """What to change; what is absent stays."""

    roles: Roles | None = None
    dims: Dims | None = None
    disabled: bool | None = None
    reset_password: bool = False


class NewUser(BaseModel):
    """The user, and the first password where one was made; it is shown this once."""

    user: UserOut
    password: str | None


@router.get("/api/users", operation_id="list_users")
def list_users(
    caller: Manager, use: Use, limit: Limit = MOST, cursor: CursorText = None
) -> UserPage:
    """All users by name."""
    users = use.users.list(caller)
    found, more = page_of(users, lambda it: (it.username.casefold(), it.id), cursor, limit)
    return UserPage(items=[_out(user) for user in found], next_cursor=more)


@router.post("/api/users", operation_id="create_user", status_code=201)
def create_user(body: UserBody, caller: Manager, response: Response, use: Use) -> NewUser:
    """Create a user, who must change the first password."""
    user, password = use.users.create(caller, body.username, body.roles, body.dims, body.password)
    response.headers["ETag"] = etag(user.version)
    return NewUser(user=_out(user), password=None if body.password else password)


@router.get("/api/users/{id}", operation_id="get_user")
def get_user(id: UserId, caller: Manager, response: Response, use: Use) -> UserOut:
    """One user, with the ETag to change it by."""
    user = use.users.get(caller, id)
    response.headers["ETag"] = etag(user.version)
    return _out(user)


@router.patch("/api/users/{id}", operation_id="update_user")
def update_user(
    id: UserId,
    body: UserPatch,
    caller: Manager,
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> NewUser:
    """Change roles and dimensions, disable, or reset the password."""
    user = use.users.change(
        caller,
        id,
        version_of(if_match),
        roles=body.roles,
        dims=body.dims,
        disabled=body.disabled,
    )
    password = use.users.reset_password(caller, id) if body.reset_password else None
    user = use.users.get(caller, id)
    response.headers["ETag"] = etag(user.version)
    return NewUser(user=_out(user), password=password)


@router.delete("/api/users/{id}", operation_id="delete_user", status_code=204)
def delete_user(id: UserId, caller: Manager, use: Use) -> None:
    """Remove a user and end its sessions."""
    use.users.remove(caller, id)


def _out(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        roles=list(user.roles),
        dims={name: list(keys) for name, keys in user.dims.items()},
        disabled=user.disabled,
        must_change=user.must_change,
        created_at=from_ms(user.created_at),
        last_login_at=None if user.last_login_at is None else from_ms(user.last_login_at),
    )
