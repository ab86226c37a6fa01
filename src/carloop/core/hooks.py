"""Settings of sources that are called by an address of their own, as the gateway reads them.

``DIR/run/hooks.json``: what is secret in them stays sealed under the master key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from carloop.core.ports.vault import Cipher
from carloop.core.sealed import seal, unseal


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """One source in force.

    Attributes:
        protocol: name of the protocol, which is the kind of the source.
        version: of the settings.
        settings: a JSON object without its secret members.
        key, sealed: those, encrypted; both empty where there are none.
    """

    tenant: int
    source: int
    protocol: str
    version: int
    settings: str
    key: bytes = b""
    sealed: bytes = b""


class Hooks(msgspec.Struct, frozen=True):
    """The whole file; it is replaced by an atomic rename whenever settings change."""

    hooks: tuple[Hook, ...] = ()


def encode_hooks(hooks: Iterable[Hook]) -> bytes:
    """The bytes of ``hooks.json``."""
    return msgspec.json.encode(Hooks(tuple(hooks)))


def decode_hooks(data: bytes) -> tuple[Hook, ...]:
    """The hooks of ``hooks.json``.

    Raises:
        msgspec.ValidationError: the file is not one of ours.
    """
    return msgspec.json.decode(data, type=Hooks).hooks


def seal_secrets(
    cipher: Cipher, tenant: int, source: int, secrets: Mapping[str, Any]
) -> tuple[bytes, bytes]:
    """``(wrapped key, encrypted secrets)``; empty where there are none."""
    if not secrets:
        return b"", b""
    return seal(cipher, dict(secrets), _owner(tenant, source))


def clear_settings(
    cipher: Cipher, tenant: int, source: int, settings: str, key: bytes, sealed: bytes
) -> dict[str, Any]:
    """All settings, the secret ones among them.

    Raises:
        Permanent: ``key_unreadable``, ``value_unreadable``.
    """
    found: dict[str, Any] = json.loads(settings)
    if key:
        found |= unseal(cipher, key, sealed, _owner(tenant, source))
    return found


def _owner(tenant: int, source: int) -> str:
    return f"{tenant}:source:{source}"
