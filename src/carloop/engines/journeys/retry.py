"""When to try again after a clear refusal."""

from __future__ import annotations

MAX_ATTEMPTS = 12
_FIRST_MS = 5_000
_LONGEST_MS = 3_600_000


def wait_ms(attempts: int, retry_after_seconds: float | None = None) -> int:
    """How long to wait after the given number of attempts, in milliseconds.

    Doubles from 5 s up to an hour; never sooner than the receiver asked.

    >>> [wait_ms(n) // 1000 for n in (1, 2, 3, 20)], wait_ms(1, 60) // 1000
    ([5, 10, 20, 3600], 60)
    """
    doubled = min(_FIRST_MS << min(attempts - 1, 20), _LONGEST_MS)
    return max(doubled, int((retry_after_seconds or 0) * 1000))
