"""Errors, named by what the caller can do about them.

    CarloopError
    ├── InvalidInput        the caller can fix it          422
    ├── Unauthenticated     who are you?                   401
    ├── PermissionDenied    you may not                    403
    ├── NotFound            no such thing (or not yours)   404
    ├── Conflict            it changed, or exists          409
    ├── TooLarge            a size limit                   413
    ├── TooMany             a rate limit; try later        429
    ├── Unavailable         a part of carloop is down      503
    └── UpstreamError       a store or channel failed      502
        ├── Retryable       the worker tries again
        └── Permanent       keep the record, tell a person

``code`` is stable and machine-readable; the console owns the wording. ``details`` never holds a
personal value.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CarloopError(Exception):
    """Base of every expected error."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        path: str | None = None,
        retry_after_seconds: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.path = path
        self.retry_after_seconds = retry_after_seconds
        self.details = details


class InvalidInput(CarloopError):
    """The request is understood but wrong; the caller can fix it."""

    status = 422
    default_code = "invalid_input"


class Malformed(InvalidInput):
    """The body cannot be read at all (JSON, encoding, compression)."""

    status = 400
    default_code = "malformed"


class Unauthenticated(CarloopError):
    """No credentials, or credentials that are not valid."""

    status = 401
    default_code = "unauthenticated"


class PermissionDenied(CarloopError):
    """The caller is known but lacks the permission."""

    status = 403
    default_code = "permission_denied"


class NotFound(CarloopError):
    """No such thing, or not within the caller's scope."""

    status = 404
    default_code = "not_found"


class Conflict(CarloopError):
    """The thing changed since it was read, or exists already."""

    status = 409
    default_code = "conflict"


class TooLarge(CarloopError):
    """A size limit was exceeded."""

    status = 413
    default_code = "too_large"


class TooMany(CarloopError):
    """A rate limit was exceeded; ``retry_after_seconds`` says when to come back."""

    status = 429
    default_code = "too_many_requests"


class Unavailable(CarloopError):
    """A part of carloop cannot serve now (disk full, engine restarting)."""

    status = 503
    default_code = "unavailable"


class UpstreamError(CarloopError):
    """A store, channel or provider failed."""

    status = 502
    default_code = "upstream"


class Retryable(UpstreamError):
    """The failure may pass; a worker tries again by itself."""

    default_code = "upstream_retryable"


class Permanent(UpstreamError):
    """The failure will not pass; keep the record and tell a person."""

    default_code = "upstream_permanent"
