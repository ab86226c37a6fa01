"""Users: who may sign in, in which roles, limited to which entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from carloop.app.access.callers import Callers
from carloop.app.access.passwords import Passwords
from carloop.app.access.signing_in import Access
from carloop.core.access import User, random_text
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller, Role
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, NotFound


class Users:
    """Creates and changes users; there is always one enabled admin left."""

    def __init__(
        self, state: State, clock: Clock, callers: Callers, passwords: Passwords, access: Access
    ) -> None:
        self._state = state
        self._clock = clock
        self._callers = callers
        self._passwords = passwords
        self._access = access

    def list(self, caller: Caller) -> Sequence[User]:
        """All users of the tenant by name."""
        with self._state.read() as tx:
            return tx.access.users(caller.scope.tenant)

    def get(self, caller: Caller, id: int) -> User:
        """One user.

        Raises:
            NotFound: ``not_found``.
        """
        with self._state.read() as tx:
            return _found(tx, caller, id)

    def create(
        self,
        caller: Caller,
        username: str,
        roles: Sequence[Role],
        dims: Mapping[str, Sequence[str]],
        password: str | None = None,
    ) -> tuple[User, str]:
        """Create a user; returns it with its first password, to be changed at sign-in.

        Raises:
            Conflict: ``username_taken``.
            InvalidInput: ``password_weak``, ``role_missing``, ``dimension_…``.
        """
        self._callers.check(roles, dims)
        if password is not None:
            self._passwords.check_new(password, username)
        first = password or random_text(16)
        hashed = self._passwords.hash(first)
        with self._state.write() as tx:
            user = tx.access.add_user(
                User(
                    tenant=caller.scope.tenant,
                    id=0,
                    username=username,
                    password=hashed,
                    roles=tuple(dict.fromkeys(roles)),
                    dims={name: tuple(keys) for name, keys in dims.items()},
                    must_change=True,
                    created_at=to_ms(self._clock.now()),
                )
            )
        return user, first

    def change(
        self,
        caller: Caller,
        id: int,
        version: int | None,
        *,
        roles: Sequence[Role] | None = None,
        dims: Mapping[str, Sequence[str]] | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change roles, dimensions or the right to sign in at all; None leaves a part as it is.

        ``version`` is the one that was read; None takes whatever is there.

        Raises:
            Conflict: ``stale``, ``last_admin``.
        """
        with self._state.write() as tx:
            user = _found(tx, caller, id)
            changed = replace(
                user,
                version=user.version if version is None else version,
                roles=user.roles if roles is None else tuple(dict.fromkeys(roles)),
                dims=user.dims if dims is None else {n: tuple(k) for n, k in dims.items()},
                disabled=user.disabled if disabled is None else disabled,
            )
            self._callers.check(changed.roles, changed.dims)
            saved = tx.access.save_user(changed)
            _refuse_without_admin(tx, caller.scope.tenant)
            if saved.disabled:
                tx.access.end_sessions(saved.tenant, saved.id)
        self._access.forget()
        return saved

    def reset_password(self, caller: Caller, id: int) -> str:
        """Give a user a generated password; its sessions end.

        Raises:
            NotFound: ``not_found``.
        """
        password = random_text(16)
        hashed = self._passwords.hash(password)
        with self._state.write() as tx:
            user = _found(tx, caller, id)
            tx.access.save_user(replace(user, password=hashed, must_change=True))
            tx.access.end_sessions(user.tenant, user.id)
        self._access.forget()
        return password

    def remove(self, caller: Caller, id: int) -> None:
        """Remove a user.

        Raises:
            NotFound: ``not_found``.
            Conflict: ``last_admin``.
        """
        with self._state.write() as tx:
            if not tx.access.remove_user(caller.scope.tenant, id):
                raise NotFound("no such user")
            _refuse_without_admin(tx, caller.scope.tenant)
        self._access.forget()


def _found(tx: Tx, caller: Caller, id: int) -> User:
    user = tx.access.user(caller.scope.tenant, id)
    if user is None:
        raise NotFound("no such user")
    return user


def _refuse_without_admin(tx: Tx, tenant: int) -> None:
    if not any(Role.ADMIN in user.roles and not user.disabled for user in tx.access.users(tenant)):
        raise Conflict("the last admin stays", code="last_admin")
