"""Who may send: the published write keys, their origins and their rates."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from carloop.core.events import Limits, raised
from carloop.core.write_keys import WriteKey, decode_write_keys
from carloop.gateway.published import PublishedFile
from carloop.kit.errors import PermissionDenied, TooMany, Unauthenticated


@dataclass(slots=True)
class _Bucket:
    """A token bucket that holds two seconds of its rate."""

    tokens: float
    at: float


class KeyRing:
    """The write keys in force; one that was just made is found at once.

    Args:
        path: ``keys.json``; while it is absent or unreadable, the keys read last stay in force.
    """

    def __init__(self, path: Path) -> None:
        self._file = PublishedFile(path, decode_write_keys)
        self._keys: dict[bytes, WriteKey] = {}
        self._widest = (0, 0)
        self._buckets: dict[bytes, _Bucket] = {}

    def check(self, clear: str, origin: str, now: float) -> WriteKey:
        """The key a request may write with.

        Args:
            clear: the key as sent.
            origin: the browser's origin; empty where the sender is no browser.
            now: seconds since the epoch.

        Raises:
            Unauthenticated: ``key_missing``, ``key_invalid``.
            PermissionDenied: ``origin_missing``, ``origin_not_allowed``: the key names origins.
            TooMany: ``rate_limited``.
        """
        self._look(now)
        if not clear:
            raise Unauthenticated("a write key is needed", code="key_missing")
        digest = hashlib.sha256(clear.encode("utf-8", "surrogateescape")).digest()
        key = self._keys.get(digest)
        if key is None and self._look(now, at_once=True):
            key = self._keys.get(digest)
        if key is None or not hmac.compare_digest(key.hash, digest.hex()):
            raise Unauthenticated("no such write key", code="key_invalid")
        if key.expires_at is not None and now * 1000 >= key.expires_at:
            raise Unauthenticated("the write key has expired", code="key_invalid")
        if key.origins and not origin:
            raise PermissionDenied("this key is for browsers alone", code="origin_missing")
        if key.origins and origin not in key.origins:
            raise PermissionDenied("origin not allowed for this key", code="origin_not_allowed")
        if key.rate:
            self._spend(digest, key.rate, now)
        return key

    def room(self, usual: Limits, key: WriteKey | None) -> Limits:
        """What may be sent with ``key``; None, a key still in the body: as much as any key may."""
        if key is not None:
            return raised(usual, key.event_bytes, key.wire_bytes)
        return raised(usual, *self._widest)

    def welcomes(self, origin: str, now: float) -> bool:
        """Whether any key may be used from ``origin``: what a preflight asks."""
        self._look(now)
        return self._welcomed(origin) or (self._look(now, at_once=True) and self._welcomed(origin))

    def _welcomed(self, origin: str) -> bool:
        return any(not key.origins or origin in key.origins for key in self._keys.values())

    def _spend(self, digest: bytes, rate: int, now: float) -> None:
        bucket = self._buckets.setdefault(digest, _Bucket(2.0 * rate, now))
        bucket.tokens = min(2.0 * rate, bucket.tokens + max(0.0, now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1:
            raise TooMany("too many requests", code="rate_limited", retry_after_seconds=1)
        bucket.tokens -= 1

    def _look(self, now: float, *, at_once: bool = False) -> bool:
        """Take over what is new; False where nothing is."""
        keys = self._file.fresh(now, at_once=at_once)
        if keys is None:
            return False
        self._keys = {bytes.fromhex(key.hash): key for key in keys}
        self._widest = (
            max((key.event_bytes for key in keys), default=0),
            max((key.wire_bytes for key in keys), default=0),
        )
        self._buckets = {d: b for d, b in self._buckets.items() if d in self._keys}
        return True
