"""Users, sessions and keys in the state store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from carloop.core.access import AccessKey, KeyKind, Session, User


class Failures(NamedTuple):
    """Failed sign-ins of one subject (a user name or an address) since its last success."""

    failed: int
    last_at: int


class AccessRepository(Protocol):
    """Users, sessions, keys and failed sign-ins; times are epoch milliseconds."""

    def add_user(self, user: User) -> User:
        """Store a new user (``id`` 0); returns it with its number.

        Raises:
            Conflict: ``username_taken``.
        """
        ...

    def save_user(self, user: User) -> User:
        """Store a changed user whose ``version`` is the one that was read; returns the next.

        Raises:
            Conflict: ``stale``: somebody else changed it since.
        """
        ...

    def user(self, tenant: int, id: int) -> User | None:
        """One user by number."""
        ...

    def user_named(self, tenant: int, username: str) -> User | None:
        """One user by name, whatever its case."""
        ...

    def users(self, tenant: int) -> Sequence[User]:
        """All users by name."""
        ...

    def note_sign_in(self, tenant: int, id: int, at: int) -> None:
        """Note when a user signed in; not a change of its version."""
        ...

    def remove_user(self, tenant: int, id: int) -> bool:
        """Remove a user and its sessions; False where there was none."""
        ...

    def add_session(self, session: Session) -> None:
        """Store a new session."""
        ...

    def session(self, id: bytes) -> Session | None:
        """One session by the hash of its cookie."""
        ...

    def touch_session(self, id: bytes, seen_at: int) -> None:
        """Note that a session was used."""
        ...

    def end_sessions(self, tenant: int, user: int, *, keep: bytes | None = None) -> None:
        """End all sessions of a user but ``keep``."""
        ...

    def end_session(self, id: bytes) -> None:
        """End one session."""
        ...

    def expire_sessions(self, now: int) -> int:
        """Remove sessions whose time has passed; returns how many."""
        ...

    def add_key(self, key: AccessKey) -> None:
        """Store a new key."""
        ...

    def save_key(self, key: AccessKey) -> None:
        """Store a changed key."""
        ...

    def key(self, tenant: int, id: str) -> AccessKey | None:
        """One key by its id."""
        ...

    def key_of(self, hash: bytes) -> AccessKey | None:
        """One key by the hash of its clear text."""
        ...

    def keys(self, kind: KeyKind, tenant: int | None = None) -> Sequence[AccessKey]:
        """All keys of a kind, oldest first, of one tenant or of all."""
        ...

    def failures(self, subject: bytes) -> Failures:
        """Failed sign-ins of a subject, given by its hash."""
        ...

    def add_failure(self, subject: bytes, at: int) -> None:
        """Count one more failed sign-in."""
        ...

    def clear_failures(self, subject: bytes) -> None:
        """Forget the failed sign-ins of a subject."""
        ...
