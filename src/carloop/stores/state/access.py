"""Users, sessions and keys in the state store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from carloop.core.access import AccessKey, KeyKind, Session, User
from carloop.core.ports.access import Failures
from carloop.core.scope import Role
from carloop.kit.errors import Conflict
from carloop.stores.state.tables.access import access_key as k
from carloop.stores.state.tables.access import session as s
from carloop.stores.state.tables.access import sign_in_failure as f
from carloop.stores.state.tables.access import user as u


class SqlAccess:
    """The :class:`~carloop.core.ports.access.AccessRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add_user(self, user: User) -> User:
        """Store a new user; the next free number is given."""
        if self.user_named(user.tenant, user.username) is not None:
            raise Conflict("there is a user of that name", code="username_taken", path="username")
        top = self._db.scalar(select(func.max(u.c.id)).where(u.c.tenant == user.tenant))
        user = replace(user, id=int(top or 0) + 1)
        self._db.execute(insert(u).values(_user_values(user)))
        return user

    def save_user(self, user: User) -> User:
        """Store a changed user under optimistic locking."""
        saved = replace(user, version=user.version + 1)
        done = self._db.execute(
            update(u)
            .where(u.c.tenant == user.tenant, u.c.id == user.id, u.c.version == user.version)
            .values(_user_values(saved))
        )
        if done.rowcount == 0:
            raise Conflict("the user changed since it was read", code="stale")
        return saved

    def user(self, tenant: int, id: int) -> User | None:
        """One user by number."""
        return self._user(u.c.tenant == tenant, u.c.id == id)

    def user_named(self, tenant: int, username: str) -> User | None:
        """One user by name, whatever its case."""
        return self._user(u.c.tenant == tenant, u.c.username_folded == username.casefold())

    def users(self, tenant: int) -> Sequence[User]:
        """All users by name."""
        query = select(u).where(u.c.tenant == tenant).order_by(u.c.username_folded)
        return [_user(row) for row in self._db.execute(query).mappings()]

    def note_sign_in(self, tenant: int, id: int, at: int) -> None:
        """Note when a user signed in; not a change of its version."""
        where = (u.c.tenant == tenant, u.c.id == id)
        self._db.execute(update(u).where(*where).values(last_login_at=at))

    def remove_user(self, tenant: int, id: int) -> bool:
        """Remove a user and its sessions."""
        self.end_sessions(tenant, id)
        done = self._db.execute(delete(u).where(u.c.tenant == tenant, u.c.id == id))
        return done.rowcount > 0

    def add_session(self, session: Session) -> None:
        """Store a new session."""
        self._db.execute(insert(s).values(asdict(session)))

    def session(self, id: bytes) -> Session | None:
        """One session by the hash of its cookie."""
        row = self._db.execute(select(s).where(s.c.id == id)).mappings().first()
        return Session(**row) if row else None

    def touch_session(self, id: bytes, seen_at: int) -> None:
        """Note that a session was used."""
        self._db.execute(update(s).where(s.c.id == id).values(seen_at=seen_at))

    def end_sessions(self, tenant: int, user: int, *, keep: bytes | None = None) -> None:
        """End all sessions of a user but ``keep``."""
        query = delete(s).where(s.c.tenant == tenant, s.c.user == user)
        self._db.execute(query if keep is None else query.where(s.c.id != keep))

    def end_session(self, id: bytes) -> None:
        """End one session."""
        self._db.execute(delete(s).where(s.c.id == id))

    def expire_sessions(self, now: int) -> int:
        """Remove sessions whose time has passed."""
        return self._db.execute(delete(s).where(s.c.expires_at <= now)).rowcount

    def add_key(self, key: AccessKey) -> None:
        """Store a new key."""
        self._db.execute(insert(k).values(_key_values(key)))

    def save_key(self, key: AccessKey) -> None:
        """Store a changed key."""
        where = (k.c.tenant == key.tenant, k.c.id == key.id)
        self._db.execute(update(k).where(*where).values(_key_values(key)))

    def key(self, tenant: int, id: str) -> AccessKey | None:
        """One key by its id."""
        return self._key(k.c.tenant == tenant, k.c.id == id)

    def key_of(self, hash: bytes) -> AccessKey | None:
        """One key by the hash of its clear text."""
        return self._key(k.c.hash == hash)

    def keys(self, kind: KeyKind, tenant: int | None = None) -> Sequence[AccessKey]:
        """All keys of a kind, oldest first."""
        query = select(k).where(k.c.kind == kind.value).order_by(k.c.created_at, k.c.id)
        if tenant is not None:
            query = query.where(k.c.tenant == tenant)
        return [_key(row) for row in self._db.execute(query).mappings()]

    def failures(self, subject: bytes) -> Failures:
        """Failed sign-ins of a subject."""
        query = select(f.c.failed, f.c.last_at).where(f.c.subject == subject)
        row = self._db.execute(query).first()
        return Failures(*row) if row else Failures(0, 0)

    def add_failure(self, subject: bytes, at: int) -> None:
        """Count one more failed sign-in."""
        done = self._db.execute(
            update(f).where(f.c.subject == subject).values(failed=f.c.failed + 1, last_at=at)
        )
        if done.rowcount == 0:
            self._db.execute(insert(f).values(subject=subject, failed=1, last_at=at))

    def clear_failures(self, subject: bytes) -> None:
        """Forget the failed sign-ins of a subject."""
        self._db.execute(delete(f).where(f.c.subject == subject))

    def _user(self, *where: Any) -> User | None:
        row = self._db.execute(select(u).where(*where)).mappings().first()
        return _user(row) if row else None

    def _key(self, *where: Any) -> AccessKey | None:
        row = self._db.execute(select(k).where(*where)).mappings().first()
        return _key(row) if row else None


def _user_values(user: User) -> dict[str, Any]:
    values = asdict(user)
    values["username_folded"] = user.username.casefold()
    values["roles"] = [role.value for role in user.roles]
    values["dims"] = _plain(user.dims)
    return values


def _user(row: RowMapping) -> User:
    values = dict(row)
    del values["username_folded"]
    values["roles"] = tuple(Role(role) for role in values["roles"])
    values["dims"] = {name: tuple(keys) for name, keys in values["dims"].items()}
    return User(**values)


def _key_values(key: AccessKey) -> dict[str, Any]:
    values = asdict(key)
    values["kind"] = key.kind.value
    values["roles"] = [role.value for role in key.roles]
    values["dims"] = _plain(key.dims)
    values["origins"] = list(key.origins)
    return values


def _key(row: RowMapping) -> AccessKey:
    values = dict(row)
    values["kind"] = KeyKind(values["kind"])
    values["roles"] = tuple(Role(role) for role in values["roles"])
    values["dims"] = {name: tuple(keys) for name, keys in values["dims"].items()}
    values["origins"] = tuple(values["origins"])
    return AccessKey(**values)


def _plain(dims: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {name: list(keys) for name, keys in dims.items()}
