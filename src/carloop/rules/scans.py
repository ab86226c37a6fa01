"""The table reads that leaves share: one scan per set of events, one per field."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from carloop.rules.reading import Operand
from carloop.rules.window import Bounds
from carloop.sql.query import Params
from carloop.sql.scope import Rights, attributes, events, person
from carloop.sql.select import both, either, nested, select

_NEWEST = "tuple(-toInt32(rank), occurred_at, message_id)"


@dataclass(frozen=True, slots=True)
class EventLeaf:
    """One bitmap of a scan: persons with ``least`` to ``most`` matching events.

    ``distinct``: count different values of this property instead of events.
    """

    column: str
    window: Bounds
    condition: str
    least: int
    most: int | None
    distinct: Operand | None
    params: Params

    @property
    def once(self) -> bool:
        """True where one matching event is enough, so that nothing need be counted."""
        if self.least != 1 or self.most is not None:
            return False
        return self.distinct is None

    def counted(self, condition: str) -> str:
        """The person's number of rows that satisfy ``condition``, as a column."""
        if self.distinct is None:
            return f"countIf({condition}) AS n_{self.column}"
        value = f"tuple({self.distinct.text}, {self.distinct.number})"
        counted = both([condition, self.distinct.present])
        return f"uniqExactIf({value}, {counted}) AS n_{self.column}"

    def bitmap(self) -> str:
        """The bitmap over counted persons, as a column of the outer query."""
        number = f"n_{self.column}"
        conditions = [f"{number} >= {self.params.add(self.least, 'UInt64')}"]
        if self.most is not None:
            conditions.append(f"{number} <= {self.params.add(self.most, 'UInt64')}")
        return f"groupBitmapStateIf(person, {both(conditions)}) AS {self.column}"


@dataclass(slots=True)
class EventScan:
    """One read of the events named; every leaf over them is a column."""

    events: tuple[str, ...]
    leaves: list[EventLeaf] = dataclasses.field(default_factory=list)

    def sql(self, rights: Rights, params: Params) -> str:
        """One row of bitmaps."""
        number = person(rights.tenant)
        names = params.add(list(self.events), "Array(String)")
        where = [
            "fragment != 0",
            f"event IN {names}",
            either(leaf.condition for leaf in self.leaves),
        ]
        alone = len(self.leaves) == 1
        conditions = ["1" if alone else leaf.condition for leaf in self.leaves]
        if all(leaf.once for leaf in self.leaves):
            columns = ", ".join(
                f"groupBitmapStateIf({number}, {condition}) AS {leaf.column}"
                for leaf, condition in zip(self.leaves, conditions, strict=True)
            )
            return events(rights, params, columns, where)
        counted = ", ".join(
            leaf.counted(condition) for leaf, condition in zip(self.leaves, conditions, strict=True)
        )
        inner = events(rights, params, f"{number} AS person, {counted}", where, group="person")
        return select(", ".join(leaf.bitmap() for leaf in self.leaves), nested(inner))


@dataclass(slots=True)
class AttributeScan:
    """One read of a field; per person the newest row of its best source."""

    field: str
    leaves: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def sql(self, rights: Rights, params: Params) -> str:
        """One row of bitmaps."""
        columns = ", ".join(
            f"groupBitmapStateIf(person, {condition}) AS {column}"
            for column, condition in self.leaves
        )
        return select(columns, nested(winners(rights, params, self.field)))


def winners(rights: Rights, params: Params, field: str) -> str:
    """A query of one row per person: ``person``, ``text``, ``number``, ``date``, ``list``.

    Of several fragments that hold the field, the best source wins, then the newest write.
    """
    name = params.add(field, "String")
    rows = attributes(
        rights,
        params,
        f"{person(rights.tenant)} AS person, "
        f"argMax(tuple(text, number, date, list), {_NEWEST}) AS winner",
        ["fragment != 0", f"field = {name}"],
        group="person",
    )
    columns = "person, winner.1 AS text, winner.2 AS number, winner.3 AS date, winner.4 AS list"
    return select(columns, nested(rows))
