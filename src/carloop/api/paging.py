"""Lists a page at a time: limits, and cursors that callers cannot read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from carloop.kit.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most.")]
MOST = 200
"""The longest page; the first one of lists that are mostly short."""
CursorText = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
]

T = TypeVar("T")


def page_of(
    items: Sequence[T], key: Callable[[T], tuple[int | str, ...]], cursor: str | None, limit: int
) -> tuple[list[T], str | None]:
    """A page of a short list that is at hand as a whole, and the cursor of the next.

    Args:
        items: all of them.
        key: unique, and the order of the list: a page begins where the one before it ended,
            whatever came or went meanwhile.
        cursor: of the page before; None begins.
        limit: how many at most.

    >>> page_of([1, 2, 3], lambda n: (n,), encode_cursor(1), 1)
    ([2], 'WzJd')
    >>> page_of([1, 2, 3], lambda n: (n,), encode_cursor(2), 1)
    ([3], None)
    """
    items = sorted(items, key=key)
    if cursor is not None and items:
        after = decode_cursor(cursor, *(type(part) for part in key(items[0])))
        items = [item for item in items if key(item) > after]
    page = list(items[:limit])
    return page, encode_cursor(*key(page[-1])) if len(items) > limit else None


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
