"""Named places where a process may be made to die or to fail, to prove that nothing is lost there.

Off unless :func:`arm` was called. Armed, the first process that reaches a point for which a file
of that name lies in the directory takes the file away and does what it says: ``kill`` (SIGKILL),
``kill 7`` (7 ms later, in the middle of whatever follows), ``raise`` (``Unavailable``) or ``full``
(ENOSPC).
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from pathlib import Path

from carloop.kit.errors import Unavailable

POINTS = (
    "journal.before_commit",
    "journal.committed",
    "journal.expired",
    "loader.read",
    "loader.inserting",
    "loader.inserted",
    "loader.before_commit",
    "loader.committed",
    "loader.recovered",
    "projector.inserted",
    "projector.erased",
    "projector.done",
    "segments.computed",
    "sends.claimed",
    "sends.attempting",
    "sends.sent",
    "erasure.before_commit",
    "erasure.committed",
    "erasure.settled",
    "backup.cut",
    "backup.copied",
    "migrations.applied",
)
"""Every point, named ``<who>.<what is done, and what is not yet>``."""

_directory: Path | None = None


def arm(directory: Path) -> None:
    """From now on look for files named after points in ``directory``."""
    global _directory
    _directory = directory


def reach(point: str) -> None:
    """Say that a point is reached; does nothing unless armed.

    Raises:
        Unavailable: ``fault_injected``, where a test asked for it.
        OSError: ENOSPC, where a test asked for it.
    """
    if _directory is not None:
        _act(_directory / point)


def _act(file: Path) -> None:
    taken = file.with_suffix(f"{file.suffix}.taken")
    try:
        file.rename(taken)
    except FileNotFoundError:
        return
    what, _, delay_ms = taken.read_text("ascii").strip().partition(" ")
    taken.unlink()
    if what == "kill" and delay_ms:
        threading.Timer(int(delay_ms) / 1000, _die).start()
    elif what == "kill":
        _die()
    elif what == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    else:
        raise Unavailable(f"a fault at {file.name}", code="fault_injected")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
