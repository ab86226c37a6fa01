"""What routes depend on: the caller with a permission, and the use cases.

    @router.get("/api/things", operation_id="list_things")
    def list_things(caller: Annotated[Caller, require(Permission.EVENT_READ)], use: Use) -> Page:
        return use.things.list(caller.scope)

A route without ``require``, ``signed_in`` or ``public`` fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request

from carloop.api.services import Services
from carloop.core.scope import Caller, Permission
from carloop.kit.errors import PermissionDenied, Unauthenticated


def services(request: Request) -> Services:
    """The use cases of this process."""
    return cast(Services, request.app.state.services)


current_services = services
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
Use = Annotated[Services, Depends(services)]


def current_caller(request: Request) -> Caller:
    """Whoever asks, once known.

    Raises:
        Unauthenticated: no credentials, or bad ones.
    """
    caller = request.scope.get("carloop.caller")
    if caller is None:
        raise Unauthenticated("sign in, or send an API token")
    return cast(Caller, caller)


class Requires:
    """A dependency that returns the caller when it holds ``permission`` (None: any caller)."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Caller:
        """The caller.

        Raises:
            Unauthenticated: nobody is signed in.
            PermissionDenied: the caller lacks the permission, or must change the password first.
        """
        caller = current_caller(request)
        request.scope["carloop.permission"] = self.permission
        if self.permission is None:
            return caller
        if request.scope.get("carloop.must_change"):
            raise PermissionDenied("change the password first", code="password_change_required")
        if not caller.may(self.permission):
            raise PermissionDenied(
                f"this needs the permission {self.permission.value}",
                permission=self.permission.value,
            )
        return caller


def require(permission: Permission) -> Any:
    """The caller of a route that needs ``permission``."""
    return Depends(Requires(permission))


def signed_in() -> Any:
    """The caller of a route that any signed-in caller may use."""
    return Depends(Requires(None))


def public(endpoint: _Endpoint) -> _Endpoint:
    """Mark an endpoint that needs no caller; a test lists these by name."""
    endpoint.carloop_public = True  # type: ignore[attr-defined]
    return endpoint
