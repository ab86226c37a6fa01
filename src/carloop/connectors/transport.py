"""Undoing transport: compression within bounds, credentials, times. Shared by the protocols."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from datetime import UTC, datetime

from carloop.connectors.json_guard import BadEvent
from carloop.connectors.protocol import Request
from carloop.core.events import Limits
from carloop.kit.clock import to_ms
from carloop.kit.errors import Malformed, TooLarge

GZIP_MAGIC = b"\x1f\x8b"
LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z."""


def plain_body(request: Request, limits: Limits) -> bytes:
    """The body without its content encoding; gzip is also recognised by its first bytes.

    Raises:
        TooLarge: on the wire, or unpacked.
        Malformed: ``encoding_unsupported``, ``compression_broken``, ``empty_body``.
    """
    if len(request.body) > limits.wire:
        raise TooLarge(f"more than {limits.wire} bytes")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    body = request.body
    if body[:2] == GZIP_MAGIC or encoding in ("gzip", "x-gzip"):
        body = inflate(body, limits.unpacked, zlib.MAX_WBITS | 16)
    elif encoding == "deflate":
        body = inflate(body, limits.unpacked, zlib.MAX_WBITS)
    elif encoding not in ("", "identity"):
        raise Malformed("content encoding not supported", code="encoding_unsupported")
    if not body.strip():
        raise Malformed("the body is empty", code="empty_body")
    return body


def inflate(data: bytes, limit: int, wbits: int = zlib.MAX_WBITS | 16) -> bytes:
    """Decompress at most ``limit`` bytes, whatever the data would unpack to.

    Raises:
        TooLarge: ``too_large_unpacked``.
        Malformed: ``compression_broken``.
    """
    out = bytearray()
    while data:
        stream = zlib.decompressobj(wbits)
        try:
            out += stream.decompress(data, limit - len(out) + 1)
        except zlib.error as error:
            raise Malformed("compressed data is broken", code="compression_broken") from error
        if len(out) > limit:
            raise TooLarge(f"more than {limit} bytes unpacked", code="too_large_unpacked")
        if not stream.eof:
            raise Malformed("compressed data ends early", code="compression_broken")
        data = stream.unused_data
    return bytes(out)


def unbase64(text: str) -> bytes:
    """Standard or URL-safe base64, padded or not; blanks were ``+`` before a form decoded them.

    Raises:
        Malformed: ``base64_broken``.
    """
    clean = text.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("base64 is broken", code="base64_broken") from error


def header_key(request: Request) -> str:
    """The write key from ``Authorization`` (Basic user name or Bearer) or ``X-Write-Key``.

    Jitsu's clients insist on ``key:secret``; what follows the colon is left out.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(value.strip()).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
        return user
    return request.headers.get("x-write-key", "").partition(":")[0].strip()


def parse_time(value: str | int | float | None, path: str, *, zoned: bool) -> int | None:
    """Milliseconds since the epoch of an ISO 8601 text or a number of milliseconds.

    A text without offset is refused where ``zoned``, and UTC otherwise.

    Raises:
        BadEvent: ``invalid_timestamp``.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                if zoned:
                    raise BadEvent("invalid_timestamp", path)
                at = at.replace(tzinfo=UTC)
            ms = to_ms(at)
        except (ValueError, OverflowError) as error:
            raise BadEvent("invalid_timestamp", path) from error
    else:
        ms = int(value)
    if not 0 <= ms <= LAST_MS:
        raise BadEvent("invalid_timestamp", path)
    return ms


def content_id(*parts: bytes) -> str:
    """A message id made of content: 32 hex digits, the same for the same parts."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
