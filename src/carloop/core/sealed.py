"""Settings with credentials among them, as they lie in the state store: one data key each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from carloop.core.ports.vault import Cipher


def seal(cipher: Cipher, settings: Mapping[str, Any], aad: str) -> tuple[bytes, bytes]:
    """``(wrapped key, encrypted settings)``; ``aad`` names the owner (``tenant:noun:uuid``)."""
    key, wrapped = cipher.new_subject_key()
    return wrapped, cipher.encrypt(key, json.dumps(settings, ensure_ascii=False).encode(), aad)


def unseal(cipher: Cipher, key: bytes, sealed: bytes, aad: str) -> dict[str, Any]:
    """The clear settings.

    Raises:
        Permanent: ``key_unreadable``, ``value_unreadable``.
    """
    settings: dict[str, Any] = json.loads(cipher.decrypt(cipher.unwrap(key), sealed, aad))
    return settings


def renewed(
    before: Mapping[str, Any], after: Mapping[str, Any], secrets: Iterable[str]
) -> dict[str, Any]:
    """Settings after an edit: a secret that is left out or null stays as it was.

    >>> renewed({"host": "a", "password": "x"}, {"host": "b", "password": None}, ["password"])
    {'password': 'x', 'host': 'b'}
    """
    kept = {name: before[name] for name in secrets if name in before}
    return kept | {name: value for name, value in after.items() if value is not None}


def secret_names(schema: Mapping[str, Any]) -> list[str]:
    """Settings that are shown to nobody: those whose schema says ``writeOnly``.

    >>> secret_names({"properties": {"host": {}, "password": {"writeOnly": True}}})
    ['password']
    """
    return [name for name, it in schema["properties"].items() if it.get("writeOnly")]
