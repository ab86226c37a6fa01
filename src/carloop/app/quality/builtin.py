"""The rules an installation begins with: those of any tracking plan, and those of its packs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from carloop.core.fields import FieldClass, FieldType
from carloop.core.pack import EventType, Pack, Property, QualityRule
from carloop.engines.quality import AnyRow, Codes, DateRule, Placeholder, Range, Required

EVERY_FIELD = "*"
"""Of a rule: every property that the tracking plan declares and the kind of rule suits."""
PLANNED = "plan"
"""The code table of a ``codes`` rule for every field: the codes of the tracking plan."""
_PLANNED = (Required, Placeholder, DateRule, Range)

OF_ANY_PLAN = (
    QualityRule("plan:required", {"kind": "required", "field": EVERY_FIELD}),
    QualityRule("plan:placeholder", {"kind": "placeholder", "field": EVERY_FIELD}),
    QualityRule("plan:number", {"kind": "range", "field": EVERY_FIELD}),
    QualityRule("plan:date", {"kind": "date", "field": EVERY_FIELD}),
    QualityRule("plan:codes", {"kind": "codes", "field": EVERY_FIELD, "table": PLANNED}),
    QualityRule(
        "plan:clock",
        {
            "kind": "chronology",
            "field": "received_at",
            "not_before": "occurred_at",
            "tolerance_seconds": 300,
        },
    ),
)


def builtin_rules(packs: Iterable[Pack]) -> list[QualityRule]:
    """Rules of any plan, then those of the packs, keys led by the pack's name."""
    of_packs = [
        replace(rule, key=f"{pack.name}:{rule.key}") for pack in packs for rule in pack.quality
    ]
    return [*OF_ANY_PLAN, *of_packs]


def expand(rule: AnyRow, event: EventType | None) -> Iterator[AnyRow]:
    """The rule itself; of one for every field, one for each property that it suits."""
    if getattr(rule, "field", "") != EVERY_FIELD:
        yield rule
        return
    for planned in event.properties if event else ():
        if isinstance(rule, Codes):
            if rule.table == PLANNED and planned.codes:
                yield Codes(planned.name, allowed=planned.codes)
        elif isinstance(rule, _PLANNED) and _suits(rule, planned):
            yield replace(rule, field=planned.name)


def _suits(rule: Required | Placeholder | DateRule | Range, planned: Property) -> bool:
    if isinstance(rule, Required):
        return planned.required
    if isinstance(rule, Placeholder):
        plain = planned.cls is not FieldClass.IDENTIFYING and planned.entity is None
        return plain and planned.type is FieldType.STRING
    if isinstance(rule, DateRule):
        return planned.type in (FieldType.DATE, FieldType.DATETIME)
    return planned.type is FieldType.NUMBER
