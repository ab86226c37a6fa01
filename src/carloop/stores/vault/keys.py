"""The master key, and the keys derived from it; nothing else leaves this module."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carloop.kit.errors import InvalidInput, Permanent
from carloop.stores.vault.files import create_once

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """32 secret bytes. ``key_id`` names them without telling anything about them."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise InvalidInput("the master key must be 32 bytes", code="master_key_invalid")

    @classmethod
    def generate(cls) -> MasterKey:
        """A fresh random key."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """The key from 64 hex digits or its base64.

        Raises:
            InvalidInput: ``master_key_invalid``.
        """
        compact = text.strip()
        try:
            if len(compact) == 2 * KEY_BYTES:
                return cls(bytes.fromhex(compact))
            return cls(base64.b64decode(compact, validate=True))
        except (ValueError, binascii.Error):
            raise InvalidInput(
                "the master key is neither hex nor base64", code="master_key_invalid"
            ) from None

    def to_text(self) -> str:
        """Base64, as the key file holds it."""
        return base64.b64encode(self.secret).decode()

    def derive(self, purpose: str) -> bytes:
        """The 32-byte sub-key for one purpose (HKDF-SHA256, RFC 5869)."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"carloop/" + purpose.encode()).derive(
            self.secret
        )

    @property
    def key_id(self) -> str:
        """Eight hex digits."""
        return self.derive("key id")[:4].hex()


def load_master_key(path: Path, text: str | None = None) -> MasterKey:
    """The installation's master key; made at first start, readable by its owner only.

    Args:
        path: the key file, ``DIR/secret/master.key``; not touched when ``text`` is given.
        text: the key itself from ``CARLOOP_MASTER_KEY``, for keys that live outside the machine.

    Raises:
        InvalidInput: ``master_key_invalid``.
        Permanent: ``master_key_exposed``: others may read the file.
    """
    if text:
        return MasterKey.from_text(text)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        create_once(path, MasterKey.generate().to_text().encode() + b"\n")
    if path.stat().st_mode & 0o077:
        raise Permanent("the master key file must have mode 0600", code="master_key_exposed")
    return MasterKey.from_text(path.read_text("ascii"))
