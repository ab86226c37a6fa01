"""Windows of time. Each becomes half-open bounds in milliseconds before either meaning sees it."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from carloop.kit.clock import to_ms

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]
_LENGTH = {"minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
_ZH = {"minutes": "分钟", "hours": "小时", "days": "天", "weeks": "周", "months": "个月"}
_ZH_CALENDAR = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
_EN_CALENDAR = {0: "this", -1: "last", 1: "next"}


class Bounds(NamedTuple):
    """``[since, until)`` in milliseconds since the epoch; ``since`` None: from the beginning."""

    since: int | None
    until: int

    def holds(self, at: int) -> bool:
        """Whether the instant ``at`` (ms) lies inside."""
        return (self.since is None or at >= self.since) and at < self.until


@dataclass(frozen=True, slots=True)
class Sliding:
    """The last so much time, ``(now − length, now]``; exactly one unit is given, at least 1.

    Months are calendar months in the tenant's zone: three months before 31 May is 28 February.
    """

    days: int | None = None
    hours: int | None = None
    minutes: int | None = None
    weeks: int | None = None
    months: int | None = None

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        given = [n for n in self._units().values() if n is not None]
        if len(given) != 1 or not 1 <= given[0] <= 10_000_000:
            raise ValueError("a sliding window has exactly one unit, at least 1")
        if self._seconds() > 100 * 366 * 86_400:
            raise ValueError("a sliding window spans at most 100 years")

    def bounds(self, now: datetime, zone: ZoneInfo) -> Bounds:
        """Bounds as of ``now``: the edge ``now − length`` is out, ``now`` is in."""
        if self.months is not None:
            since = _months_before(now, self.months, zone)
        else:
            since = now - timedelta(seconds=self._seconds())
        return Bounds(to_ms(since) + 1, to_ms(now) + 1)

    def sentence(self, lang: str) -> str:
        """``in the last 90 days``."""
        unit, n = next((u, n) for u, n in self._units().items() if n is not None)
        if lang == "zh":
            return f"最近 {n} {_ZH[unit]}内"
        return f"in the last {n} {unit if n != 1 else unit.removesuffix('s')}"

    def _units(self) -> dict[str, int | None]:
        names = ("days", "hours", "minutes", "weeks", "months")
        return {name: getattr(self, name) for name in names}

    def _seconds(self) -> int:
        lengths = {**_LENGTH, "months": 31 * 86_400}
        return sum(lengths[unit] * (n or 0) for unit, n in self._units().items())


@dataclass(frozen=True, slots=True)
class Between:
    """``[from, to)``, in JSON ``{"from", "to"}``; without an offset: in the tenant's zone."""

    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if (self.since.tzinfo is None) != (self.until.tzinfo is None):
            raise ValueError("give both ends an offset, or neither")
        if self.since >= self.until:
            raise ValueError("from must be before to")
        if self.since.year < 1970 or self.until.year > 2200:
            raise ValueError("years 1970 to 2200")

    def bounds(self, now: datetime, zone: ZoneInfo) -> Bounds:
        """The two ends; ``now`` plays no part."""
        return Bounds(to_ms(_in(self.since, zone)), to_ms(_in(self.until, zone)))

    def sentence(self, lang: str) -> str:
        """``from … to …``."""
        since, until = self.since.isoformat(" ", "minutes"), self.until.isoformat(" ", "minutes")
        return f"{since} 至 {until}" if lang == "zh" else f"from {since} to {until}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A whole calendar unit ``[start, next)`` in the tenant's zone; weeks begin on Monday.

    ``offset`` 0 is the current one, −1 the one before.
    """

    calendar: CalendarUnit
    offset: int = 0

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not -1_000 <= self.offset <= 1_000:
            raise ValueError("offset between -1000 and 1000")

    def bounds(self, now: datetime, zone: ZoneInfo) -> Bounds:
        """Midnight to midnight of the unit around ``now``, moved by ``offset`` units."""
        today = now.astimezone(zone).date()
        start = _unit_start(today, self.calendar, self.offset)
        following = _unit_start(today, self.calendar, self.offset + 1)
        return Bounds(to_ms(_midnight(start, zone)), to_ms(_midnight(following, zone)))

    def sentence(self, lang: str) -> str:
        """``last month``."""
        unit = _ZH_CALENDAR[self.calendar]
        if lang != "zh":
            word = _EN_CALENDAR.get(self.offset)
            return f"{word} {self.calendar}" if word else f"{self.calendar} {self.offset:+d}"
        word = {0: "本", -1: "上一", 1: "下一"}.get(self.offset)
        return f"{word}{unit}" if word else f"第 {self.offset:+d} {unit}"


Window = Sliding | Between | Calendar


def ever(now: datetime) -> Bounds:
    """No window: everything up to and including ``now``."""
    return Bounds(None, to_ms(now) + 1)


def _in(at: datetime, zone: ZoneInfo) -> datetime:
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _months_before(now: datetime, months: int, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def _unit_start(today: date, unit: CalendarUnit, offset: int) -> date:
    if unit == "day":
        return today + timedelta(days=offset)
    if unit == "week":
        return today - timedelta(days=today.weekday()) + timedelta(weeks=offset)
    size = {"month": 1, "quarter": 3, "year": 12}[unit]
    index = (today.year * 12 + today.month - 1) // size + offset
    year, month = divmod(index * size, 12)
    return date(year, month + 1, 1)
