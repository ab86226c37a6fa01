"""Profile fields: their class decides where a value may live and what a rule may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldClass(StrEnum):
    """Where a value lives.

    IDENTIFYING: encrypted in the vault with a blind index; rules allow equality and presence.
    DESCRIPTIVE: a typed person attribute in the event store.
    DERIVED: computed at ingest from another field; stored like a descriptive one.
    """

    IDENTIFYING = "identifying"
    DESCRIPTIVE = "descriptive"
    DERIVED = "derived"


class FieldType(StrEnum):
    """The type of a field or an event property."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Field:
    """One profile field.

    Attributes:
        name: snake case key.
        title: display names by language.
        source_priority: sources (by name) whose values win regardless of time, best first.
        identifier: the identifier type this field doubles as (a ``mobile`` field), if any.
        codes: allowed codes with their titles by language; empty: free.
        aliases: names under which protocols send it (``$name``, ``traits.birthday``).
    """

    name: str
    title: Mapping[str, str]
    type: FieldType = FieldType.STRING
    cls: FieldClass = FieldClass.DESCRIPTIVE
    source_priority: tuple[str, ...] = ()
    identifier: str | None = None
    codes: Mapping[str, Mapping[str, str]] | None = None
    aliases: tuple[str, ...] = ()
