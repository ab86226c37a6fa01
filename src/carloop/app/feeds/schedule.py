"""When a feed runs: ``manual``, ``continuous``, ``every 15m``, or a cron line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from carloop.kit.errors import InvalidInput

MANUAL = "manual"
CONTINUOUS = "continuous"
SHORTEST = timedelta(seconds=10)
_EVERY = re.compile(r"every ([1-9]\d{0,4})([smhd])\Z")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)


def check(schedule: str) -> None:
    """Refuse a schedule nobody can follow.

    Raises:
        InvalidInput: ``schedule_invalid``.
    """
    if schedule in (MANUAL, CONTINUOUS):
        return
    every = _EVERY.match(schedule)
    if every is not None:
        if _period(every) < SHORTEST:
            raise InvalidInput("at most every 10 s", code="schedule_invalid", path="schedule")
        return
    if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
        raise InvalidInput(
            "manual, continuous, every <n>s|m|h|d, or five fields of cron",
            code="schedule_invalid",
            path="schedule",
        )


def next_run(schedule: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant after ``now`` (UTC) at which a feed is to run; None: not by itself.

    A cron line is read in ``zone``; a local time that a clock change skips runs just after it.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 22, 10, 7, tzinfo=UTC)
    >>> next_run("0 2 * * *", at, ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-11-22T18:00:00+00:00'
    >>> next_run("every 15m", at, ZoneInfo("UTC")).isoformat()
    '2026-11-22T10:22:00+00:00'
    """
    if schedule == MANUAL:
        return None
    if schedule == CONTINUOUS:
        return now
    every = _EVERY.match(schedule)
    if every is not None:
        return now + _period(every)
    local: datetime = croniter(schedule, now.astimezone(zone)).get_next(datetime)
    return local.astimezone(now.tzinfo)


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 15 s, doubling, at most an hour.

    >>> [int(pause(n).total_seconds()) for n in (1, 2, 5, 50)]
    [15, 30, 240, 3600]
    """
    return min(FIRST_PAUSE * (1 << min(failures, 20) - 1), LONGEST_PAUSE)


def _period(every: re.Match[str]) -> timedelta:
    return int(every[1]) * _UNITS[every[2]]
