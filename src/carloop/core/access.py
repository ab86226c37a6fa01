"""Who may sign in and with what: users, sessions, API tokens, write keys, and their secrets."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carloop.core.scope import Role

_LETTERS = string.ascii_letters + string.digits


class KeyKind(StrEnum):
    """What an access key is for: write events of one source, or call the API."""

    WRITE = "write"
    TOKEN = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who signs in.

    Attributes:
        password: Argon2id hash.
        dims: keys of the entities the user is limited to, ``{"dealer": ("D001",)}``.
        version: counts changes; the ETag of the user.
    """

    tenant: int
    id: int
    username: str
    password: str
    roles: tuple[Role, ...]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    disabled: bool = False
    must_change: bool = False
    created_at: int = 0
    last_login_at: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser; ``id`` is the SHA-256 of the cookie, times are epoch ms."""

    id: bytes
    tenant: int
    user: int
    csrf: str
    created_at: int
    seen_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A write key or an API token; ``hash`` is the SHA-256 of the clear key, times epoch ms.

    Attributes:
        source: source number of a write key; None for a token.
        origins: browser origins that may use it (``https://www.example.com``); empty: any.
        rate: requests a second; 0: no limit.
    """

    tenant: int
    id: str
    kind: KeyKind
    name: str
    hash: bytes
    hint: str
    source: int | None = None
    roles: tuple[Role, ...] = ()
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    rate: int = 0
    created_at: int = 0
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None

    def works_at(self, now_ms: int) -> bool:
        """Whether the key is neither revoked nor expired at ``now_ms``."""
        if self.revoked_at is not None and self.revoked_at <= now_ms:
            return False
        return self.expires_at is None or now_ms < self.expires_at


def random_text(length: int) -> str:
    """``length`` random letters and digits (5.95 bits each)."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def new_token(key_id: str) -> str:
    """A fresh API token ``carloop_<id>_<secret>``; the secret has 256 bits."""
    return f"carloop_{key_id}_{random_text(43)}"


def new_write_key() -> str:
    """A fresh write key ``clw_<secret>``, fit for a URL and every SDK; the secret has 190 bits."""
    return f"clw_{random_text(32)}"


def fingerprint(secret: str) -> bytes:
    """What is stored of a random secret: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()
