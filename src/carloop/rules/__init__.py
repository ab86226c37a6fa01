"""The rule language: one condition, two meanings, one tuple of kinds.

``rule.people(compiler)`` is the meaning for the whole store, ``rule.matches(history, now)`` for one
person; ``tests/contracts/test_rule_meanings.py`` holds them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from carloop.core.documents import refused
from carloop.core.fields import Field as ProfileField
from carloop.core.fields import FieldClass, FieldType
from carloop.kit.errors import InvalidInput
from carloop.rules import comparison
from carloop.rules.kinds.all_of import All
from carloop.rules.kinds.any_of import AnyOf
from carloop.rules.kinds.attribute import Attribute
from carloop.rules.kinds.everyone import Everyone
from carloop.rules.kinds.in_segment import InSegment
from carloop.rules.kinds.negation import Not
from carloop.rules.kinds.performed import Performed
from carloop.rules.window import Calendar, Sliding

KINDS = (Attribute, Performed, InSegment, Everyone, All, AnyOf, Not)

Rule = Annotated[
    Attribute | Performed | InSegment | Everyone | All | AnyOf | Not, Field(discriminator="kind")
]

MAX_DEPTH = 10
"""Rules inside rules."""
MAX_NODES = 200
"""Rules of all kinds in one rule."""
FIELD_OPS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.STRING: comparison.TEXT_OPS,
    FieldType.NUMBER: comparison.NUMBER_OPS,
    FieldType.BOOLEAN: comparison.BOOLEAN_OPS,
    FieldType.DATE: comparison.DATE_OPS,
    FieldType.DATETIME: comparison.DATE_OPS,
    FieldType.LIST: comparison.LIST_OPS,
}


def _within_limits(document: Any) -> Any:
    nodes, waiting = 0, [(document, 1)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"rules nest at most {MAX_DEPTH} deep")
        if nodes > MAX_NODES:
            raise ValueError(f"at most {MAX_NODES} conditions")
        waiting += [(inner, depth + 1) for inner in _inner(node)]
    return document


def _inner(node: Any) -> list[Any]:
    if isinstance(node, All | AnyOf):
        return list(node.rules)
    if isinstance(node, Not):
        return [node.rule]
    if not isinstance(node, Mapping):
        return []
    rules = node.get("rules")
    inner = list(rules) if isinstance(rules, list | tuple) else []
    return [*inner, node["rule"]] if "rule" in node else inner


RuleDocument = Annotated[Rule, BeforeValidator(_within_limits)]
"""A whole rule as stored or received: a :data:`Rule` within the limits of depth and size."""

_DOCUMENT: TypeAdapter[Rule] = TypeAdapter(RuleDocument)


def parse(document: object) -> Rule:
    """A rule from its JSON form.

    Raises:
        InvalidInput: ``invalid_rule``, with the path to what is wrong.
    """
    try:
        return _DOCUMENT.validate_python(document)
    except ValidationError as error:
        raise refused(error, "invalid_rule") from error


def dump(rule: Rule) -> dict[str, Any]:
    """The JSON form of a rule."""
    document: dict[str, Any] = _DOCUMENT.dump_python(
        rule, mode="json", by_alias=True, exclude_none=True
    )
    return document


def json_schema() -> dict[str, Any]:
    """JSON Schema of the language."""
    return _DOCUMENT.json_schema()


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and every rule inside it."""
    yield rule
    for inner in _inner(rule):
        yield from walk(inner)


def check(rule: Rule, fields: Mapping[str, ProfileField]) -> None:
    """Refuse operators that a declared field does not allow; undeclared fields are free.

    Raises:
        InvalidInput: ``operator_not_allowed``.
    """
    for part in walk(rule):
        if not isinstance(part, Attribute) or part.field not in fields:
            continue
        field = fields[part.field]
        identifying = field.cls is FieldClass.IDENTIFYING
        allowed = comparison.IDENTIFYING_OPS if identifying else FIELD_OPS[field.type]
        if part.op not in allowed:
            raise InvalidInput(
                "this field does not allow this operator",
                code="operator_not_allowed",
                field=part.field,
                op=part.op,
            )


def moves_with_time(rule: Rule) -> bool:
    """Whether membership may change as time passes, with no new data."""
    return any(_moves(part) for part in walk(rule))


def _moves(part: Rule) -> bool:
    if isinstance(part, Attribute):
        return isinstance(part.value, comparison.Days)
    if isinstance(part, Performed):
        spans = any(isinstance(where.value, comparison.Days) for where in part.where)
        return spans or isinstance(part.window, Sliding | Calendar)
    return isinstance(part, InSegment)


__all__ = [
    "FIELD_OPS",
    "KINDS",
    "MAX_DEPTH",
    "MAX_NODES",
    "All",
    "AnyOf",
    "Attribute",
    "Everyone",
    "InSegment",
    "Not",
    "Performed",
    "Rule",
    "RuleDocument",
    "check",
    "dump",
    "json_schema",
    "moves_with_time",
    "parse",
    "walk",
]
