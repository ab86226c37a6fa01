"""Reading stored settings of channels and feeds: one small checked accessor per type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carloop.kit.errors import InvalidInput


class Reader:
    """Typed access to stored settings; every complaint names its field.

    >>> Reader({"port": 25}).integer("port", 587, 1, 65535)
    25
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def text(self, name: str, default: str | None = None, limit: int = 2000) -> str:
        """A string; required where ``default`` is None.

        Raises:
            InvalidInput: missing, empty, too long, not text, or with control characters.
        """
        value = self._settings.get(name, default)
        if value is None or (value == "" and default is None):
            raise InvalidInput(f"{name} is required", code="setting_missing", path=name)
        if not isinstance(value, str) or len(value) > limit or not value.isprintable():
            raise InvalidInput(f"{name} is not usable text", code="setting_invalid", path=name)
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within ``[low, high]``.

        Raises:
            InvalidInput: not a whole number, or out of range.
        """
        value = self._settings.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidInput(f"{name} must be {low} to {high}", code="setting_invalid", path=name)
        return value

    def choice(self, name: str, default: str, options: tuple[str, ...]) -> str:
        """One of ``options``.

        Raises:
            InvalidInput: anything else.
        """
        value = self._settings.get(name, default)
        if value not in options:
            raise InvalidInput(
                f"{name} must be one of {', '.join(options)}", code="setting_invalid", path=name
            )
        return str(value)


def refuse_unknown(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` for a setting that ``schema`` does not name."""
    for name in settings:
        if name not in schema["properties"]:
            raise InvalidInput("unknown setting", code="setting_unknown", path=str(name)[:100])
