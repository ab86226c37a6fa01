"""Optimistic locking: the version that was read travels as an ETag and returns in ``If-Match``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from carloop.kit.errors import InvalidInput

IfMatch = Annotated[str | None, Header(max_length=40, description="The ETag that was read.")]


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
