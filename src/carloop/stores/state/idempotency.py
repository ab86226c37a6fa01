"""Kept answers in the state store."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from carloop.core.ports.idempotency import Answer
from carloop.stores.state.tables.idempotency import idempotency as t


class SqlIdempotency:
    """The :class:`~carloop.core.ports.idempotency.IdempotencyRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def claim(self, key: bytes, body_hash: bytes, at: int) -> Answer | None:
        """Claim a key, or return what is kept under it."""
        kept = self._db.execute(
            select(t.c.body_hash, t.c.at, t.c.status, t.c.media_type, t.c.answer).where(
                t.c.key == key
            )
        ).first()
        if kept is not None:
            return Answer(*kept)
        self._db.execute(
            insert(t).values(
                key=key, body_hash=body_hash, at=at, status=0, media_type="", answer=b""
            )
        )
        return None

    def finish(self, key: bytes, answer: Answer) -> None:
        """Keep the answer of a claimed key."""
        self._db.execute(update(t).where(t.c.key == key).values(answer._asdict()))

    def release(self, key: bytes) -> None:
        """Give a claim up."""
        self._db.execute(delete(t).where(t.c.key == key))

    def expire(self, before: int) -> int:
        """Forget answers older than ``before``."""
        return self._db.execute(delete(t).where(t.c.at < before)).rowcount
