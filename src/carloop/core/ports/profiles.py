"""Profiles in the state store: field states, and the keys that seal identifying values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Attribute(NamedTuple):
    """The state of one field of one fragment.

    Attributes:
        field: field name; empty for what a ``delete`` of the whole profile left behind.
        state: the packed state, sealed where ``blind`` is set.
        blind: blind index of the surviving value of an identifying field.
        occurred_at: when the surviving value was written, milliseconds; 0: no value stands.
    """

    number: int
    field: str
    state: bytes
    blind: bytes | None
    occurred_at: int


class ProfileRepository(Protocol):
    """Attributes by fragment, and wrapped subject keys."""

    def attributes(self, tenant: int, numbers: Collection[int]) -> list[Attribute]:
        """Every attribute of these fragments."""
        ...

    def put(self, tenant: int, attributes: Sequence[Attribute]) -> None:
        """Store attributes, replacing those of the same fragment and field."""
        ...

    def holders(self, tenant: int, field: str, blind: bytes, limit: int) -> list[int]:
        """Fragments whose identifying ``field`` has this blind index."""
        ...

    def subject_keys(self, tenant: int, space: str, numbers: Collection[int]) -> dict[int, bytes]:
        """Wrapped keys by number; ``space`` is ``person`` or an entity type."""
        ...

    def add_subject_keys(self, tenant: int, space: str, keys: Mapping[int, bytes]) -> None:
        """Store new wrapped keys."""
        ...

    def remove(self, tenant: int, numbers: Collection[int]) -> None:
        """Remove attributes and subject keys of fragments for good."""
        ...
