"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, public, signed_in
from carloop.api.security import COOKIE, SECURE_COOKIE, is_https
from carloop.app.access.signing_in import SignedIn
from carloop.core.scope import Caller, Permission, Role, Scope
from carloop.kit.errors import CarloopError, Unauthenticated

router = APIRouter(tags=["session"])

Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class SignInBody(BaseModel):
    """A user name and a password."""

    username: Annotated[
        str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    ]
    password: Secret


class PasswordBody(BaseModel):
    """A new password, with the old one as proof."""

    old: Secret
    new: Secret


class SessionUser(BaseModel):
    """Who is signed in: `user:3`, or an API token, `token:x`."""

    id: str
    username: str
    roles: list[Role]
    permissions: list[Permission]
    dims: dict[str, list[str]] = Field(description="Entity keys that limit what the user sees.")


class SessionTenant(BaseModel):
    """Whose data it is, and the zone in which its times are shown."""

    name: str
    zone: str


class SessionOut(BaseModel):
    """The session, with the token that changes must carry as `X-CSRF-Token`."""

    user: SessionUser
    tenant: SessionTenant
    csrf: str
    must_change: bool


@router.post("/api/session", operation_id="sign_in", status_code=201)
@public
def sign_in(body: SignInBody, request: Request, response: Response, use: Use) -> SessionOut:
    """Sign in; the answer sets the session cookie."""
    address = client_address(request)
    try:
        cookie, _ = use.access.sign_in(body.username, body.password, address)
    except CarloopError as error:
        nobody = Caller(
            "anonymous", "anonymous", frozenset(), Scope(use.access.tenant, persons=False)
        )
        use.audit.record(nobody, "sign_in_refused", "/api/session", code=error.code)
        raise
    found = use.access.by_session(cookie)
    if found is None:
        raise Unauthenticated("the session ended at once")
    use.audit.record(found.caller, "sign_in", "/api/session")
    secure = is_https(request.headers)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        cookie,
        httponly=True,
        secure=secure,
        samesite="lax",
        path="/",
    )
    return _out(found, use)


@router.get("/api/session", operation_id="get_session")
def get_session(caller: Annotated[Caller, signed_in()], request: Request, use: Use) -> SessionOut:
    """Who is signed in, and what they may do."""
    return _out(_signed_in(request), use)


@router.delete("/api/session", operation_id="sign_out", status_code=204)
def sign_out(
    caller: Annotated[Caller, signed_in()], request: Request, response: Response, use: Use
) -> None:
    """End the session."""
    use.access.sign_out(_signed_in(request).session)
    use.audit.record(caller, "sign_out", "/api/session")
    for name in (SECURE_COOKIE, COOKIE):
        response.delete_cookie(name, path="/", httponly=True, secure=name == SECURE_COOKIE)


@router.post("/api/session/password", operation_id="change_password", status_code=204)
def change_password(
    body: PasswordBody, caller: Annotated[Caller, signed_in()], request: Request, use: Use
) -> None:
    """Change one's own password; every other session of the user ends."""
    use.access.change_password(_signed_in(request), body.old, body.new, client_address(request))
    use.audit.record(caller, "change_password", "/api/session")


def client_address(request: Request) -> str:
    """The browser's address as the gateway, the only sender on the socket, saw it."""
    return request.headers.get("x-forwarded-for", "local").rpartition(",")[2].strip()[:64]


def _signed_in(request: Request) -> SignedIn:
    found = request.scope["carloop.signed_in"]
    assert isinstance(found, SignedIn)
    return found


def _out(found: SignedIn, use: Use) -> SessionOut:
    caller, user = found.caller, found.user
    tenant = use.tenant_settings.of(caller.scope.tenant)
    return SessionOut(
        user=SessionUser(
            id=caller.id,
            username=caller.name,
            roles=list(caller.roles),
            permissions=sorted(caller.permissions),
            dims={name: list(keys) for name, keys in user.dims.items()} if user else {},
        ),
        tenant=SessionTenant(name=tenant.name, zone=tenant.zone),
        csrf=found.csrf,
        must_change=found.must_change,
    )
