"""Passwords: Argon2id hashes, and what a password must be."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from carloop.kit.errors import InvalidInput

MIN_LENGTH = 10
MAX_LENGTH = 128


class Passwords:
    """Hashes and checks passwords; at most two at a time, for each takes 64 MiB.

    Args:
        hasher: Argon2id with its costs; the defaults follow RFC 9106's low-memory profile.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = threading.BoundedSemaphore(2)
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The hash to store."""
        with self._slots:
            return self._hasher.hash(password)

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether the password is right; takes as long for a user that does not exist (None)."""
        with self._slots:
            try:
                return self._hasher.verify(hashed or self._nobody, password) and hashed is not None
            except (VerificationError, InvalidHashError):
                return False

    def check_new(self, password: str, username: str) -> None:
        """Refuse a password that is too short, too long or the user's name.

        Raises:
            InvalidInput: ``password_weak``.
        """
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise InvalidInput(
                f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters",
                code="password_weak",
                path="password",
            )
        if username.casefold() in password.casefold() or len(set(password)) < 5:
            raise InvalidInput(
                "a password must not be the user name or a repeated character",
                code="password_weak",
                path="password",
            )
