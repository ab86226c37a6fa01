"""``event_order``: an event that may not come before another one of the same person or object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from carloop.engines.quality.checks import Dimension
from carloop.engines.quality.stored import EXAMPLES, Period, local_day
from carloop.rules.reading import check_property, property_operand
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import Rights, events, person
from carloop.sql.select import nested, select

PERSON = "person"
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class EventOrder:
    """Fault: ``out_of_order``: ``event`` before the first ``not_before`` of the same ``by``.

    ``by``: ``person``, or a property that both events hold (``order_no``). Judged where both are
    known; the other one is looked for in the ``days`` before the end of the period.
    """

    event: str
    not_before: str
    by: str = PERSON
    days: int = 730
    kind: Literal["event_order"] = "event_order"

    dimension: ClassVar = Dimension.CORRECTNESS
    code: ClassVar = "out_of_order"
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_property(self.by)
        if self.event == self.not_before:
            raise ValueError("two different events")
        if not 1 <= self.days <= 3653:
            raise ValueError("days between 1 and ten years")

    @property
    def table(self) -> str:
        """The event it judges."""
        return self.event

    @property
    def field(self) -> str:
        """The cell it judges."""
        return "occurred_at"

    def query(self, rights: Rights, period: Period) -> Query:
        """Day, source, judged, faulty, examples."""
        params = Params()
        wide = replace(period, since=period.until - self.days * DAY_MS)
        later = events(
            rights,
            params,
            f"{self._key(rights, params)} AS joined, occurred_at AS at, source, event_id, "
            f"{local_day(params, period)} AS local_day",
            [*self._of(self.event, params), *period.within(params)],
        )
        first = events(
            rights,
            params,
            f"{self._key(rights, params)} AS joined, min(occurred_at) AS earliest",
            [*self._of(self.not_before, params), *wide.within(params)],
            group="joined",
        )
        rows = f"{nested(later)} AS later INNER JOIN {nested(first)} AS first USING (joined)"
        text = select(
            "local_day, source, count() AS judged, countIf(at < earliest) AS faulty, "
            f"groupArrayIf({EXAMPLES})(event_id, at < earliest) AS examples",
            rows,
            group="local_day, source",
        )
        return Query(text, params.values)

    def _key(self, rights: Rights, params: Params) -> str:
        if self.by == PERSON:
            return person(rights.tenant)
        return property_operand(self.by, params).text

    def _of(self, event: str, params: Params) -> list[str]:
        known = "fragment != 0" if self.by == PERSON else property_operand(self.by, params).present
        return [f"event = {params.add(event, 'String')}", known]
