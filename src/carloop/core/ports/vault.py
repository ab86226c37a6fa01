"""The vault's cryptography: keyed hashes for look-up, envelope encryption for values."""

from __future__ import annotations

from typing import Protocol

from carloop.core.identifiers import Identifier


class Cipher(Protocol):
    """Encrypts personal values and makes blind indexes; holds the master key, never a value."""

    def identifier_key(self, tenant: int, identifier: Identifier) -> bytes:
        """16-byte keyed hash of a normalised identifier (blake2b); what look-ups use."""
        ...

    def blind_index(self, tenant: int, field: str, value: str) -> bytes:
        """16-byte keyed hash of a field's normalised value, for equality."""
        ...

    def new_subject_key(self) -> tuple[bytes, bytes]:
        """A fresh data key for one subject: ``(plain, wrapped)``; only ``wrapped`` is stored."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """The plain data key.

        Raises:
            Permanent: ``key_unreadable``: wrong master key, or tampered.
        """
        ...

    def encrypt(self, key: bytes, value: bytes, aad: str) -> bytes:
        """AES-256-GCM with ``aad`` = ``tenant:field:subject`` bound in."""
        ...

    def decrypt(self, key: bytes, blob: bytes, aad: str) -> bytes:
        """The clear value.

        Raises:
            Permanent: ``value_unreadable``.
        """
        ...
