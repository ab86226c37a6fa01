"""The vault's cryptography: blake2b for look-up keys, AES-256-GCM for values and keys."""

from __future__ import annotations

import os
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carloop.core.identifiers import Identifier, identifier_bytes
from carloop.kit.errors import Permanent
from carloop.stores.vault.keys import KEY_BYTES, MasterKey

_NONCE = 12
_TAG = 16
_WRAP_VERSION = 1
_VALUE_VERSION = 1


class VaultCipher:
    """``core.ports.vault.Cipher``. Thread-safe; holds derived keys, never a value.

    A wrapped key is ``version, key id (4), nonce (12), AES-GCM``; an encrypted value is
    ``version, nonce (12), AES-GCM``.
    """

    def __init__(self, master: MasterKey) -> None:
        self.key_id = master.key_id
        self._identifiers = blake2b(key=master.derive("identifier key"), digest_size=16)
        self._blind = blake2b(key=master.derive("blind index"), digest_size=16)
        self._wrapping = AESGCM(master.derive("wrapping"))
        self._wrap_header = bytes([_WRAP_VERSION]) + bytes.fromhex(self.key_id)

    def identifier_key(self, tenant: int, identifier: Identifier) -> bytes:
        """16-byte keyed hash of a normalised identifier."""
        digest = self._identifiers.copy()
        digest.update(tenant.to_bytes(4, "big") + identifier_bytes(identifier))
        return digest.digest()

    def blind_index(self, tenant: int, field: str, value: str) -> bytes:
        """16-byte keyed hash of a field's normalised value, for equality."""
        name = field.encode()
        digest = self._blind.copy()
        digest.update(tenant.to_bytes(4, "big") + len(name).to_bytes(2, "big") + name)
        digest.update(value.encode())
        return digest.digest()

    def new_subject_key(self) -> tuple[bytes, bytes]:
        """A fresh data key for one subject: ``(plain, wrapped)``; only ``wrapped`` is stored."""
        plain = AESGCM.generate_key(8 * KEY_BYTES)
        return plain, self.wrap(plain, "")

    def wrap(self, plain: bytes, purpose: str) -> bytes:
        """A key encrypted under the master key, bound to what it is for."""
        nonce = os.urandom(_NONCE)
        sealed = self._wrapping.encrypt(nonce, plain, self._wrap_header + purpose.encode())
        return self._wrap_header + nonce + sealed

    def unwrap(self, wrapped: bytes, purpose: str = "") -> bytes:
        """The plain data key; ``Permanent`` (``key_unreadable``) where it cannot be had."""
        start = len(self._wrap_header)
        if wrapped[:start] != self._wrap_header:
            raise Permanent("wrapped by another master key", code="key_unreadable")
        nonce, sealed = wrapped[start : start + _NONCE], wrapped[start + _NONCE :]
        try:
            return self._wrapping.decrypt(nonce, sealed, self._wrap_header + purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise Permanent("the wrapped key was altered", code="key_unreadable") from error

    def encrypt(self, key: bytes, value: bytes, aad: str) -> bytes:
        """AES-256-GCM with ``aad`` = ``tenant:field:subject`` bound in."""
        nonce = os.urandom(_NONCE)
        return bytes([_VALUE_VERSION]) + nonce + AESGCM(key).encrypt(nonce, value, aad.encode())

    def decrypt(self, key: bytes, blob: bytes, aad: str) -> bytes:
        """The clear value; ``Permanent`` (``value_unreadable``) where it cannot be had."""
        if len(blob) < 1 + _NONCE + _TAG or blob[0] != _VALUE_VERSION:
            raise Permanent("not an encrypted value", code="value_unreadable")
        try:
            return AESGCM(key).decrypt(blob[1 : 1 + _NONCE], blob[1 + _NONCE :], aad.encode())
        except InvalidTag as error:
            raise Permanent("wrong key, or altered", code="value_unreadable") from error
