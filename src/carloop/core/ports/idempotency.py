"""Answers to POSTs that carried an ``Idempotency-Key``, kept for a day."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """One kept answer; ``status`` 0 while the first request is still being worked on."""

    body_hash: bytes
    at: int
    status: int
    media_type: str
    answer: bytes


class IdempotencyRepository(Protocol):
    """Kept answers by the hash of (caller, path, key)."""

    def claim(self, key: bytes, body_hash: bytes, at: int) -> Answer | None:
        """Claim a key for this request, or return what is kept under it."""
        ...

    def finish(self, key: bytes, answer: Answer) -> None:
        """Keep the answer of a claimed key."""
        ...

    def release(self, key: bytes) -> None:
        """Give a claim up, so that the request may be tried again."""
        ...

    def expire(self, before: int) -> int:
        """Forget answers older than ``before`` (epoch ms); returns how many."""
        ...
