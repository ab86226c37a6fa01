"""Time as an argument: whoever needs *now* is handed a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; always aware, always UTC."""

    def now(self) -> datetime:
        """The current instant in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class ManualClock:
    """A clock that a story or a test moves by hand."""

    at: datetime

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def advance(self, delta: timedelta) -> None:
        """Move forward by ``delta``."""
        self.at += delta


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch, floored.

    >>> to_ms(datetime(1970, 1, 1, 0, 0, 1, 5000, tzinfo=UTC))
    1005
    """
    return (at - EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The UTC instant ``ms`` milliseconds after the epoch.

    >>> from_ms(1005).isoformat()
    '1970-01-01T00:00:01.005000+00:00'
    """
    return EPOCH + timedelta(milliseconds=ms)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
