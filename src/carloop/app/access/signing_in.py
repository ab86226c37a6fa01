"""Signing in and out, and knowing who asks."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from carloop.app.access.callers import Callers, system_caller
from carloop.app.access.passwords import Passwords
from carloop.core.access import Session, User, fingerprint, random_text
from carloop.core.ports.access import AccessRepository
from carloop.core.ports.state import State
from carloop.core.scope import Caller, Role
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import NotFound, TooMany, Unauthenticated, Unavailable

log = structlog.get_logger(__name__)

FREE_FAILURES = {"user": 5, "address": 20}
"""Failed sign-ins before the first wait; each further one doubles it."""
LONGEST_WAIT_SECONDS = 900
FORGET_MS = 3_600_000
TOUCH_MS = 60_000
CACHE_MS = 1_000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A known caller by cookie, with what the browser needs."""

    caller: Caller
    user: User | None
    csrf: str = ""
    must_change: bool = False
    session: bytes = b""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives, in milliseconds: without use, and at most."""

    idle: int = 2 * 3_600_000
    absolute: int = 24 * 3_600_000


class Access:
    """Sessions, tokens and passwords.

    Args:
        tenant: the one whose users sign in here.
        local_token: the credential of the command line on this machine; empty: none.
        password_changed: told of a user that has chosen a password.
    """

    def __init__(
        self,
        state: State,
        clock: Clock,
        callers: Callers,
        passwords: Passwords,
        *,
        tenant: int = 1,
        limits: SessionLimits | None = None,
        local_token: str = "",
        password_changed: Callable[[User], None] = lambda user: None,
    ) -> None:
        self.tenant = tenant
        self._state = state
        self._clock = clock
        self._callers = callers
        self._passwords = passwords
        self._limits = limits or SessionLimits()
        self._local = fingerprint(local_token) if local_token else b""
        self._password_changed = password_changed
        self._cache: dict[bytes, tuple[int, SignedIn]] = {}

    def first_admin(self) -> str | None:
        """Create the first admin; its generated password, or None where users exist already."""
        password = random_text(20)
        hashed = self._passwords.hash(password)
        with self._state.write() as tx:
            if tx.access.users(self.tenant):
                return None
            tx.access.add_user(
                User(
                    tenant=self.tenant,
                    id=0,
                    username="admin",
                    password=hashed,
                    roles=(Role.ADMIN,),
                    must_change=True,
                    created_at=self._now(),
                )
            )
        return password

    def sign_in(self, username: str, password: str, address: str) -> tuple[str, str]:
        """Start a session; returns the cookie's value and the CSRF token.

        Raises:
            TooMany: ``sign_in_limited``: too many failures of this user or address.
            Unauthenticated: ``sign_in_failed``: never says which part was wrong.
        """
        now, tenant = self._now(), self.tenant
        subjects = {
            "user": _subject("user", f"{tenant}/{username.casefold()}"),
            "address": _subject("address", address),
        }
        with self._state.read() as tx:
            for kind, subject in subjects.items():
                _refuse_if_waiting(tx.access, subject, FREE_FAILURES[kind], now)
            user = tx.access.user_named(tenant, username)
        right = self._passwords.matches(user.password if user else None, password)
        with self._state.write() as tx:
            if user is None or not right or user.disabled:
                for subject in subjects.values():
                    _forget_old(tx.access, subject, now)
                    tx.access.add_failure(subject, now)
            else:
                tx.access.clear_failures(subjects["user"])
                tx.access.expire_sessions(now)
                return self._new_session(tx.access, user, now)
        raise Unauthenticated("user name or password is wrong", code="sign_in_failed")

    def _new_session(self, access: AccessRepository, user: User, now: int) -> tuple[str, str]:
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        access.add_session(
            Session(
                id=fingerprint(cookie),
                tenant=user.tenant,
                user=user.id,
                csrf=csrf,
                created_at=now,
                seen_at=now,
                expires_at=now + self._limits.absolute,
            )
        )
        access.note_sign_in(user.tenant, user.id, now)
        return cookie, csrf

    def by_session(self, cookie: str) -> SignedIn | None:
        """Who holds the cookie; None where the session is unknown or over."""
        id = fingerprint(cookie)
        return self._cached(id, lambda: self._load_session(id))

    def recalled(self, secret: str) -> SignedIn | None:
        """Who holds this cookie or API token, where that was found out a moment ago."""
        kept = self._cache.get(fingerprint(secret))
        return kept[1] if kept is not None and 0 <= self._now() - kept[0] < CACHE_MS else None

    def by_token(self, token: str) -> SignedIn | None:
        """Who holds the API token; None where it does not work."""
        hash = fingerprint(token)
        if self._local and secrets.compare_digest(hash, self._local):
            return SignedIn(system_caller(self.tenant), None)
        return self._cached(hash, lambda: self._load_token(hash))

    def sign_out(self, session: bytes) -> None:
        """End one session."""
        with self._state.write() as tx:
            tx.access.end_session(session)
        self.forget()

    def change_password(self, signed_in: SignedIn, old: str, new: str, address: str) -> None:
        """Change one's own password; every other session of the user ends.

        Raises:
            Unauthenticated: ``password_wrong``.
            TooMany: ``sign_in_limited``.
            InvalidInput: ``password_weak``.
        """
        user = signed_in.user
        if user is None:
            raise NotFound("only a user has a password", code="no_password")
        now, subject = self._now(), _subject("user", f"{user.tenant}/{user.username.casefold()}")
        with self._state.read() as tx:
            _refuse_if_waiting(tx.access, subject, FREE_FAILURES["user"], now)
        if not self._passwords.matches(user.password, old):
            with self._state.write() as tx:
                tx.access.add_failure(subject, now)
            raise Unauthenticated("the old password is wrong", code="password_wrong")
        self._passwords.check_new(new, user.username)
        hashed = self._passwords.hash(new)
        with self._state.write() as tx:
            current = tx.access.user(user.tenant, user.id)
            if current is None:
                raise NotFound("no such user")
            saved = tx.access.save_user(replace(current, password=hashed, must_change=False))
            tx.access.end_sessions(user.tenant, user.id, keep=signed_in.session)
        self.forget()
        self._password_changed(saved)

    def forget(self) -> None:
        """Drop what is remembered of callers, so that a change of rights counts at once."""
        self._cache.clear()

    def _load_session(self, id: bytes) -> SignedIn | None:
        now = self._now()
        with self._state.read() as tx:
            session = tx.access.session(id)
            if session is None or now >= min(
                session.expires_at, session.seen_at + self._limits.idle
            ):
                return None
            user = tx.access.user(session.tenant, session.user)
            if user is None or user.disabled:
                return None
            caller = self._callers.of_user(tx, user)
        if now - session.seen_at >= TOUCH_MS:
            with _unless_full(), self._state.write() as tx:
                tx.access.touch_session(id, now)
        return SignedIn(caller, user, session.csrf, user.must_change, id)

    def _load_token(self, hash: bytes) -> SignedIn | None:
        now = self._now()
        with self._state.read() as tx:
            key = tx.access.key_of(hash)
            if key is None or key.source is not None or not key.works_at(now):
                return None
            caller = self._callers.of_token(tx, key)
        if now - (key.last_used_at or 0) >= TOUCH_MS:
            with _unless_full(), self._state.write() as tx:
                current = tx.access.key(key.tenant, key.id)
                if current is not None:
                    tx.access.save_key(replace(current, last_used_at=now))
        return SignedIn(caller, None)

    def _cached(self, key: bytes, load: Callable[[], SignedIn | None]) -> SignedIn | None:
        now = self._now()
        kept = self._cache.get(key)
        if kept is not None and 0 <= now - kept[0] < CACHE_MS:
            return kept[1]
        found = load()
        if found is None:
            self._cache.pop(key, None)
            return None
        if len(self._cache) > 10_000:
            self._cache.clear()
        self._cache[key] = (now, found)
        return found

    def _now(self) -> int:
        return to_ms(self._clock.now())


@contextmanager
def _unless_full() -> Iterator[None]:
    """Reading goes on while nothing can be written; the note is taken with a later request."""
    try:
        yield
    except Unavailable as error:
        log.warning("use_not_noted", code=error.code)


def _subject(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}:{text}".encode()).digest()


def _refuse_if_waiting(access: AccessRepository, subject: bytes, free: int, now: int) -> None:
    failures = access.failures(subject)
    over = failures.failed - free
    if over < 0 or now - failures.last_at >= FORGET_MS:
        return
    wait_ms = min(LONGEST_WAIT_SECONDS, 2 ** min(over, 20)) * 1000
    left = failures.last_at + wait_ms - now
    if left > 0:
        raise TooMany(
            "too many failed sign-ins; wait",
            code="sign_in_limited",
            retry_after_seconds=-(-left // 1000),
        )


def _forget_old(access: AccessRepository, subject: bytes, now: int) -> None:
    if now - access.failures(subject).last_at >= FORGET_MS:
        access.clear_failures(subject)
