"""``repeated_event``: the same event of the same person again within some days: a twin lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from carloop.engines.quality.checks import Dimension
from carloop.engines.quality.stored import EXAMPLES, Period, local_day
from carloop.rules.reading import check_property, property_operand
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import Rights, events, person
from carloop.sql.select import nested, select

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class RepeatedEvent:
    """Fault: ``duplicate``: the person's last such event is at most ``days`` old.

    ``same``: properties that must be equal too (``series``); one that is absent equals its absence.
    """

    event: str
    same: tuple[str, ...] = ()
    days: float = 30
    kind: Literal["repeated_event"] = "repeated_event"

    dimension: ClassVar = Dimension.CORRECTNESS
    code: ClassVar = "duplicate"
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if len(self.same) > 5:
            raise ValueError("at most five properties")
        for name in self.same:
            check_property(name)
        if not 0 < self.days <= 366:
            raise ValueError("days between 0 and 366")

    @property
    def table(self) -> str:
        """The event it judges."""
        return self.event

    @property
    def field(self) -> str:
        """What is the same."""
        return " + ".join(("person", *self.same))

    def query(self, rights: Rights, period: Period) -> Query:
        """Day, source, judged, faulty, examples."""
        params = Params()
        within = round(self.days * DAY_MS)
        keys = [f"coalesce({property_operand(name, params).text}, '')" for name in self.same]
        rows = events(
            rights,
            params,
            f"{person(rights.tenant)} AS who, "
            f"{''.join(f'{key} AS key_{n}, ' for n, key in enumerate(keys))}"
            "toUnixTimestamp64Milli(occurred_at) AS at, seq, source, event_id, "
            f"{local_day(params, period)} AS local_day",
            [
                f"event = {params.add(self.event, 'String')}",
                "fragment != 0",
                *period.within(params, before_ms=within),
            ],
        )
        among = ", ".join(("who", *(f"key_{n}" for n in range(len(keys)))))
        gaps = select(
            "local_day, source, event_id, at, at - lagInFrame(toNullable(at)) OVER "
            f"(PARTITION BY {among} ORDER BY at, seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) "
            "AS gap",
            nested(rows),
        )
        again = f"ifNull(gap <= {params.add(within, 'Int64')}, 0)"
        text = select(
            f"local_day, source, count() AS judged, countIf({again}) AS faulty, "
            f"groupArrayIf({EXAMPLES})(event_id, {again}) AS examples",
            nested(gaps),
            where=[f"at >= {params.add(period.since, 'Int64')}"],
            group="local_day, source",
        )
        return Query(text, params.values)
