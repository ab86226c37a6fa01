"""Settings of the installation that change while it runs, by key."""

from __future__ import annotations

from typing import Any, Protocol


class Settings(Protocol):
    """Key → JSON value."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``."""
        ...

    def put(self, key: str, value: Any) -> None:
        """Set or replace the value (anything JSON can hold)."""
        ...

    def remove(self, key: str) -> None:
        """Forget the key; nothing happens when it is unknown."""
        ...
