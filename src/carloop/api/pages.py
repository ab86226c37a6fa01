"""Lists a page at a time, and optimistic locking by ETag."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import StringConstraints

from carloop.kit.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most.")]
CursorText = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
]
IfMatch = Annotated[str | None, Header(max_length=40, description="The ETag that was read.")]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""A name for people to read: one line without control characters."""
MAX_ID = 2**31 - 1


def encode_cursor(*key: int | str) -> str:
    """An opaque cursor for the key of the last item shown.

    >>> decode_cursor(encode_cursor(3, "a"), int, str)
    (3, 'a')
    """
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The key inside a cursor, whose parts are of ``types``.

    Raises:
        InvalidInput: ``cursor_invalid``.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if (
        not isinstance(key, list)
        or [type(part) for part in key] != list(types)
        or any(isinstance(part, int) and not 0 <= part < 2**63 for part in key)
        or any(isinstance(part, str) and "\x00" in part for part in key)
    ):
        raise InvalidInput("not a cursor of this list", code="cursor_invalid", path="query.cursor")
    return tuple(key)


def etag(version: int) -> str:
    """The ETag of a version.

    >>> etag(3)
    '"3"'
    """
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that the caller has read; None where it does not say, or takes any.

    Raises:
        InvalidInput: ``etag_invalid``.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput("not an ETag of this object", code="etag_invalid", path="if-match")
    return int(text)
