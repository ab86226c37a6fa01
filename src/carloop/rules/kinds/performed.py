"""``performed``: an event done a number of times in a window of time."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal
from zoneinfo import ZoneInfo

from carloop.rules.comparison import Comparison, Op, Value
from carloop.rules.history import History, Occurrence
from carloop.rules.people import EVERYONE, NOBODY, People
from carloop.rules.reading import check_property, property_of, read_property
from carloop.rules.window import Bounds, Window, ever
from carloop.rules.words import Names, comparison_words, count_words, joined

if TYPE_CHECKING:
    from carloop.rules.compiler import Compiler

CountOp = Literal[">=", ">", "=", "!=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on one property of the event itself."""

    property: str
    op: Op
    value: Value = None

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_property(self.property)
        Comparison(self.op, self.value)

    @builtins.property
    def comparison(self) -> Comparison:
        """The operator and its value."""
        return Comparison(self.op, self.value)

    def holds(self, occurrence: Occurrence, now: datetime, zone: ZoneInfo) -> bool:
        """The meaning for one event."""
        actual = read_property(property_of(occurrence.properties, self.property))
        return self.comparison.holds(actual, now, zone)


@dataclass(frozen=True, slots=True)
class Count:
    """How many times; with ``distinct``, how many different values of that property."""

    op: CountOp = ">="
    n: int = 1
    distinct: str | None = None

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 0 <= self.n <= 1_000_000_000:
            raise ValueError("n between 0 and 1000000000")
        if self.distinct is not None:
            check_property(self.distinct)

    def holds(self, number: int) -> bool:
        """Whether ``number`` satisfies the count."""
        inside = self.least <= number and (self.most is None or number <= self.most)
        return inside != self.negated

    @property
    def negated(self) -> bool:
        """True where 0 satisfies it (or ``!=``): persons *outside* ``least … most`` are meant."""
        return self._satisfied_by_zero or (self.op == "!=" and self.n > 0)

    @property
    def least(self) -> int:
        """Lower bound of the numbers that decide."""
        if self.op in ("=", "!="):
            return self.n if self.n else 1
        return {">=": self.n, ">": self.n + 1, "<": self.n, "<=": self.n + 1}[self.op]

    @property
    def most(self) -> int | None:
        """Upper bound of the numbers that decide; None: no bound."""
        return self.n if self.op in ("=", "!=") and self.n else None

    @property
    def _satisfied_by_zero(self) -> bool:
        zero = {"=": self.n == 0, "<": True, "<=": True}
        return zero.get(self.op, False)


@dataclass(frozen=True, slots=True)
class Performed:
    """Persons who did ``event`` (one of several names) ``count`` times within ``window``.

    ``count`` absent means at least once; a count that 0 satisfies includes persons who never did
    it. ``window`` absent means ever, up to now. ``where`` filters the events that count.
    """

    event: str | tuple[str, ...]
    count: Count = Count()
    window: Window | None = None
    where: tuple[Where, ...] = ()
    kind: Literal["performed"] = "performed"

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= len(self.events) <= 50:
            raise ValueError("1 to 50 events")
        if any(not 1 <= len(name) <= 200 for name in self.events):
            raise ValueError("an event name has 1 to 200 characters")
        if len(self.where) > 20:
            raise ValueError("at most 20 conditions on properties")

    @property
    def events(self) -> tuple[str, ...]:
        """The event names, each once."""
        names = (self.event,) if isinstance(self.event, str) else self.event
        return tuple(sorted(set(names)))

    def bounds(self, now: datetime, zone: ZoneInfo) -> Bounds:
        """The window as of ``now``."""
        return self.window.bounds(now, zone) if self.window else ever(now)

    def people(self, compiler: Compiler) -> People:
        """The meaning for the whole store."""
        if self.count.least == 0:
            return NOBODY if self.count.negated else EVERYONE
        found = compiler.performed(self)
        return found.inverted() if self.count.negated else found

    def matches(self, history: History, now: datetime) -> bool:
        """The meaning for one person."""
        bounds = self.bounds(now, history.zone)
        counted = [
            occurrence
            for occurrence in history.events
            if occurrence.event in self.events
            and bounds.holds(occurrence.occurred_at)
            and all(where.holds(occurrence, now, history.zone) for where in self.where)
        ]
        if self.count.distinct is None:
            return self.count.holds(len(counted))
        readings = (read_property(property_of(o.properties, self.count.distinct)) for o in counted)
        return self.count.holds(len({(r.text, r.number) for r in readings if r.present}))

    def sentence(self, lang: str, names: Names) -> str:
        """In words."""
        titles = joined(lang, [names.event(name, lang) for name in self.events])
        window = self.window.sentence(lang) if self.window else ""
        conditions = [
            comparison_words(lang, names.property(self.events[0], w.property, lang), w.comparison)
            for w in self.where
        ]
        return count_words(lang, titles, window, self.count, conditions)
