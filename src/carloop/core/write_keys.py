"""Write keys as the engine publishes them to the gateway: ``DIR/run/keys.json``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """One working write key. Keys that are revoked, or whose source is disabled, are left out.

    Attributes:
        hash: SHA-256 of the clear key, in hex.
        origins: browser origins that may use it; empty: any.
        rate: requests a second; 0: no limit.
        event_bytes, wire_bytes: room that its source was given on the Segment routes; 0: the usual.
        expires_at: epoch milliseconds; None: never.
    """

    hash: str
    tenant: int
    source: int
    origins: tuple[str, ...] = ()
    rate: int = 0
    event_bytes: int = 0
    wire_bytes: int = 0
    expires_at: int | None = None


class WriteKeys(msgspec.Struct, frozen=True):
    """The whole file; it is replaced by an atomic rename whenever a key changes."""

    keys: tuple[WriteKey, ...] = ()


def encode_write_keys(keys: Iterable[WriteKey]) -> bytes:
    """The bytes of ``keys.json``.

    >>> decode_write_keys(encode_write_keys([WriteKey(hash="ab", tenant=1, source=2)]))[0].source
    2
    """
    return msgspec.json.encode(WriteKeys(tuple(keys)))


def decode_write_keys(data: bytes) -> tuple[WriteKey, ...]:
    """The keys of ``keys.json``.

    Raises:
        msgspec.ValidationError: the file is not one of ours.
    """
    return msgspec.json.decode(data, type=WriteKeys).keys
