"""The state store: one transaction per use case, repositories by noun.

Repositories never commit; the transaction does, at the edge. Each repository's protocol lives in
the file of its noun beside this one; its SQLAlchemy adapter in ``stores.state.<noun>``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Tx(Protocol):
    """One open transaction and the repositories that take part in it."""


class State(Protocol):
    """The state store."""

    def read(self) -> AbstractContextManager[Tx]:
        """A consistent read; never blocks writers (SQLite WAL, PostgreSQL snapshot)."""
        ...

    def write(self) -> AbstractContextManager[Tx]:
        """A write transaction: commits on leaving, rolls back on an exception."""
        ...
