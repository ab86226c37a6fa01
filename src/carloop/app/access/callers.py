"""From a user or a key to a :class:`Caller`: permissions, and the scope compiled into reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from carloop.core.access import AccessKey, User
from carloop.core.ports.state import Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import ROLE_PERMISSIONS, Caller, Permission, Role, Scope
from carloop.kit.errors import InvalidInput

LIMITED_ROLES = frozenset({Role.DEALER_MANAGER, Role.DEALER_ADVISOR})
"""Roles that mean nothing without the entities they are limited to."""

NOBODY = "nobody"
"""A dimension that is never granted: its scope shows nobody."""


class EntityNumbers(Protocol):
    """Looks entities up without creating them."""

    def __call__(self, tx: Tx, tenant: int, type: str, keys: Sequence[str]) -> Sequence[int]:
        """Numbers of the entities of ``type`` among ``keys`` that exist."""
        ...


class Callers:
    """Builds callers.

    Args:
        numbers: looks up entity numbers; asked anew each time, so that a dealer that appears
            later counts from then on.
    """

    def __init__(self, catalogue: Catalogue, numbers: EntityNumbers) -> None:
        self._dimensions = frozenset(catalogue.scope_dimensions)
        self._numbers = numbers

    def of_user(self, tx: Tx, user: User) -> Caller:
        """The caller that a signed-in user is."""
        return self._caller(
            tx, user.tenant, f"user:{user.id}", user.username, user.roles, user.dims
        )

    def of_token(self, tx: Tx, key: AccessKey) -> Caller:
        """The caller that an API token is."""
        return self._caller(tx, key.tenant, f"token:{key.id}", key.name, key.roles, key.dims)

    def check(self, roles: Iterable[Role], dims: Mapping[str, Sequence[str]]) -> None:
        """Refuse roles and dimensions that do not go together.

        Raises:
            InvalidInput: ``role_missing``, ``dimension_unknown``, ``dimension_needed``.
        """
        roles = set(roles)
        if not roles:
            raise InvalidInput("at least one role is needed", code="role_missing", path="roles")
        for name in dims:
            if name not in self._dimensions:
                raise InvalidInput(
                    "no such scope dimension", code="dimension_unknown", path=f"dims.{name}"
                )
        if roles & LIMITED_ROLES and not any(dims.values()):
            raise InvalidInput(
                "this role needs the entities it is limited to",
                code="dimension_needed",
                path="dims",
            )

    def _caller(
        self,
        tx: Tx,
        tenant: int,
        id: str,
        name: str,
        roles: tuple[Role, ...],
        dims: Mapping[str, tuple[str, ...]],
    ) -> Caller:
        permissions = frozenset(p for role in roles for p in ROLE_PERMISSIONS[role])
        limits = {
            dimension: frozenset(self._numbers(tx, tenant, dimension, keys))
            for dimension, keys in dims.items()
        }
        if not limits and LIMITED_ROLES.intersection(roles):
            limits = {NOBODY: frozenset()}
        scope = Scope(tenant, limits, persons=Permission.PERSON_READ in permissions)
        return Caller(id, name, permissions, scope, roles)


def system_caller(tenant: int, name: str = "local") -> Caller:
    """The operator at the machine itself, by the command line: everything but write keys' right."""
    permissions = ROLE_PERMISSIONS[Role.ADMIN]
    return Caller(name, name, permissions, Scope(tenant), (Role.ADMIN,))
