"""What every analysis model is asked with, and what it runs as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from carloop.rules.compiler import Context
from carloop.sql import Query

Rows = Sequence[Mapping[str, Any]]


class Model(Protocol):
    """One analysis: parameters → queries → result. ``name`` is its path in the API."""

    name: str

    def to_queries(self, params: Any, context: Context) -> Mapping[str, Query]:
        """The queries to run, by name."""
        ...

    def shape(self, params: Any, rows: Mapping[str, Rows]) -> Any:
        """The result from the rows of the queries, by the same names."""
        ...
