"""How a body lies in the journal: compressed, then encrypted under the key of its day."""

from __future__ import annotations

import os
from datetime import timedelta

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carloop.core.events import Received
from carloop.core.ports.journal import JournalKeys
from carloop.kit.clock import EPOCH
from carloop.kit.errors import Permanent

DAY_MS = 86_400_000
_NONCE = 12


def day_of(ms: int) -> str:
    """The UTC day of an instant.

    >>> day_of(1_763_769_600_000)
    '2025-11-22'
    """
    return (EPOCH + timedelta(days=ms // DAY_MS)).date().isoformat()


class Sealer:
    """Seals and opens bodies; keeps the ciphers of recent days. Not thread-safe: one per thread."""

    def __init__(self, keys: JournalKeys) -> None:
        self._keys = keys
        self._ciphers: dict[str, AESGCM] = {}
        self._compress = zstandard.ZstdCompressor(level=1)
        self._decompress = zstandard.ZstdDecompressor()

    def renew(self) -> None:
        """Before sealing: look again which keys there are."""
        self._ciphers.clear()

    def seal(self, received: Received) -> bytes:
        """Nonce and AES-256-GCM of the zstd-1 body; the header is authenticated with it."""
        day = day_of(received.received_at)
        cipher = self._ciphers.get(day)
        if cipher is None:
            cipher = self._remember(day, self._keys.key(day))
        nonce = os.urandom(_NONCE)
        packed = self._compress.compress(received.body)
        return nonce + cipher.encrypt(nonce, packed, _header(received))

    def open(self, header: Received, sealed: bytes) -> bytes:
        """The body again.

        Raises:
            Permanent: ``journal_unreadable``: the day's key is gone, or the row was altered.
        """
        day = day_of(header.received_at)
        cipher = self._ciphers.get(day)
        if cipher is None:
            key = self._keys.find(day)
            if key is None:
                raise Permanent("no key for that day", code="journal_unreadable", day=day)
            cipher = self._remember(day, key)
        try:
            packed = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _header(header))
        except InvalidTag:
            packed = self._decrypt_anew(day, header, sealed)
        return self._decompress.decompress(packed)

    def _decrypt_anew(self, day: str, header: Received, sealed: bytes) -> bytes:
        """With the key that the day has now: it may have been destroyed and made again."""
        key = self._keys.find(day)
        if key is None:
            raise Permanent("no key for that day", code="journal_unreadable", day=day)
        try:
            cipher = self._remember(day, key)
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _header(header))
        except InvalidTag as error:
            raise Permanent("altered", code="journal_unreadable", day=day) from error

    def _remember(self, day: str, key: bytes) -> AESGCM:
        if len(self._ciphers) >= 4:
            self._ciphers.clear()
        cipher = self._ciphers[day] = AESGCM(key)
        return cipher


def _header(r: Received) -> bytes:
    return f"{r.tenant}/{r.source}/{r.protocol}/{r.received_at}/{r.hint}".encode()
