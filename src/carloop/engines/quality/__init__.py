"""Data quality: rules as data, their evaluation, and the four dimensions of the scorecard.

Pure: rows in, counts out; what needs stored events is returned as a query.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from carloop.core.documents import refused
from carloop.engines.quality.checks import Context, Dimension, Row, RowRule
from carloop.engines.quality.evaluate import Evaluation, Outcome, Share, evaluate
from carloop.engines.quality.kinds.agreement import Agreement
from carloop.engines.quality.kinds.chronology import Chronology
from carloop.engines.quality.kinds.codes import Codes
from carloop.engines.quality.kinds.dates import DateRule
from carloop.engines.quality.kinds.duplicate import Duplicate
from carloop.engines.quality.kinds.event_order import EventOrder
from carloop.engines.quality.kinds.foreign_key import ForeignKey
from carloop.engines.quality.kinds.identifier import IdentifierRule
from carloop.engines.quality.kinds.outlier import Outlier
from carloop.engines.quality.kinds.phone import Phone
from carloop.engines.quality.kinds.placeholder import Placeholder
from carloop.engines.quality.kinds.range import Range
from carloop.engines.quality.kinds.repeated_event import RepeatedEvent
from carloop.engines.quality.kinds.required import Required
from carloop.engines.quality.kinds.unique import Unique

ROW_KINDS = (
    Required,
    Placeholder,
    IdentifierRule,
    Phone,
    Range,
    Outlier,
    Codes,
    ForeignKey,
    DateRule,
    Chronology,
    Unique,
    Duplicate,
)
"""Judge the rows of one table: a file, or the events of one type."""
EVENT_KINDS = (EventOrder, RepeatedEvent, Agreement)
"""Judge stored events by a query."""

AnyRow = (
    Required
    | Placeholder
    | IdentifierRule
    | Phone
    | Range
    | Outlier
    | Codes
    | ForeignKey
    | DateRule
    | Chronology
    | Unique
    | Duplicate
)
AnyEvent = EventOrder | RepeatedEvent | Agreement
Rule = AnyRow | AnyEvent
_RULE: TypeAdapter[Rule] = TypeAdapter(Annotated[Rule, Field(discriminator="kind")])

__all__ = [
    "EVENT_KINDS",
    "ROW_KINDS",
    "Agreement",
    "AnyEvent",
    "AnyRow",
    "Codes",
    "Context",
    "DateRule",
    "Dimension",
    "Evaluation",
    "IdentifierRule",
    "Outcome",
    "Outlier",
    "Phone",
    "Placeholder",
    "Range",
    "Required",
    "Row",
    "RowRule",
    "Rule",
    "Share",
    "Unique",
    "document",
    "evaluate",
    "parse_rule",
]


def parse_rule(document: Mapping[str, Any]) -> Rule:
    """A rule from its document.

    Raises:
        InvalidInput: ``quality_rule_invalid``, with the path of the first fault.

    >>> parse_rule({"kind": "range", "field": "score", "least": 0}).least
    0.0
    """
    try:
        return _RULE.validate_json(json.dumps(dict(document)))
    except (ValidationError, TypeError) as error:
        if isinstance(error, ValidationError):
            raise refused(error, "quality_rule_invalid") from error
        raise


def document(rule: Rule) -> dict[str, Any]:
    """The rule as JSON values; what :func:`parse_rule` reads."""
    return dict(_RULE.dump_python(rule, mode="json"))
