"""``agreement``: sources that tell one attribute of one person or thing tell the same value."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from carloop.engines.quality.checks import Dimension
from carloop.engines.quality.stored import Period
from carloop.rules.reading import check_property, property_operand
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import Rights, events, person
from carloop.sql.select import nested, select

PERSON = "person"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Fault: ``disagreement``: several sources hold the attribute, and not all the same.

    Of each source its newest value counts, at most ``days`` old at the end of the period. What one
    source alone holds cannot disagree and is not counted.

    ``entity``: an entity type that events name, or ``person``. ``property``: of those events.
    """

    entity: str
    property: str
    days: int = 366
    kind: Literal["agreement"] = "agreement"

    dimension: ClassVar = Dimension.CONSISTENCY
    code: ClassVar = "disagreement"
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        check_property(self.property)
        if not 1 <= self.days <= 3653:
            raise ValueError("days between 1 and ten years")

    @builtins.property
    def table(self) -> str:
        """The kind of thing."""
        return f"entity:{self.entity}"

    @builtins.property
    def field(self) -> str:
        """The attribute."""
        return self.property

    def query(self, rights: Rights, period: Period) -> Query:
        """The period's last day, source 0 (all), judged, faulty, examples: none."""
        params = Params()
        wide = replace(period, since=period.until - self.days * 86_400_000)
        operand = property_operand(self.property, params)
        value = f"coalesce({operand.text}, toString({operand.number}))"
        entity = params.add(self.entity, "String")
        number = person(rights.tenant) if self.entity == PERSON else f"entities[{entity}]"
        told = events(
            rights,
            params,
            f"{number} AS who, source, argMax({value}, (occurred_at, seq)) AS told",
            [f"{number} != 0", f"{value} IS NOT NULL", *wide.within(params)],
            group="who, source",
        )
        pairs = select(
            "who, uniqExact(source) AS sources, uniqExact(told) AS values",
            nested(told),
            group="who",
            having="sources > 1",
        )
        last = params.add(period.last_day.isoformat(), "Date")
        text = select(
            f"{last} AS local_day, toUInt32(0) AS source, count() AS judged, "
            "countIf(values > 1) AS faulty, CAST([], 'Array(UUID)') AS examples",
            nested(pairs),
        )
        return Query(text, params.values)
