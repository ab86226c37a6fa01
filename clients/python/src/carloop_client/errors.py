"""What can go wrong, named by what the caller can do.

CarloopError
├── InvalidEvent    the event can never be taken; mend the call
├── QueueFull       the server is away for too long; slow down, or give a spool
├── SpoolFailed     the spool cannot be written (disk full, no permission)
├── Closed          the client was closed
├── KeyRefused      the write key is wrong, revoked or for browsers alone
└── NotDelivered    time is up; events still wait
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class CarloopError(Exception):
    """Any error of this client."""


class InvalidEvent(CarloopError):
    """The event can never be taken.

    Attributes:
        code: a stable name, one of carloop's own reasons (``missing_identifier`` …).
        path: the part of the event that is wrong.
    """

    def __init__(self, code: str, path: str = "") -> None:
        super().__init__(f"{code} ({path})" if path else code)
        self.code = code
        self.path = path


class QueueFull(CarloopError):
    """As many events wait as may wait; this one was not taken."""


class SpoolFailed(CarloopError):
    """The spool cannot be written; this event was not taken."""


class Closed(CarloopError):
    """The client was closed; this event was not taken."""


class KeyRefused(CarloopError):
    """The server refuses the write key; events wait, and are tried again now and then.

    Attributes:
        code: the server's own reason (``key_invalid``, ``origin_missing`` …).
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"the write key is refused: {code}")
        self.code = code


class NotDelivered(CarloopError):
    """Time is up and events still wait.

    Attributes:
        waiting: how many; in a spool they stay, otherwise they are lost when the process ends.
    """

    def __init__(self, waiting: int, why: str = "") -> None:
        super().__init__(f"{waiting} events still wait" + (f": {why}" if why else ""))
        self.waiting = waiting


@dataclass(frozen=True)
class Rejected:
    """An event that the server did not take for good; carloop keeps it in quarantine.

    Attributes:
        event: as it was sent.
        code: the reason (``missing_property`` …), or ``http_<status>``.
        path: the part of the event that is wrong.
    """

    event: dict[str, Any]
    code: str
    path: str = ""
