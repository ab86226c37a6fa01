"""Entities beside persons (vehicles, dealers …), their dated relations, and who may see whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carloop.core.events import EntityRef
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue


@dataclass(frozen=True, slots=True)
class RelationFact:
    """One event's word on a relation: that it holds from then on, or that it ended.

    ``subject`` and ``object`` are numbers: a fragment where the relation type says ``person``,
    else an entity number. ``at`` is in milliseconds since the epoch.
    """

    kind: str
    subject: int
    object: int
    at: int
    message_id: str
    source: int = 0
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """Callers limited to ``entity`` in ``dimension`` (a dealer) may see ``fragment``."""

    dimension: str
    entity: int
    fragment: int


class EntityRegistry:
    """Numbers entities and keeps their relations. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher

    def resolve(self, tx: Tx, tenant: int, refs: Sequence[EntityRef]) -> list[int]:
        """The number of each reference, in order; new ones are minted.

        Raises:
            InvalidInput: ``unknown_entity_type``, or the key is not valid for its type.
        """
        raise NotImplementedError

    def relate(self, tx: Tx, tenant: int, facts: Sequence[RelationFact]) -> None:
        """Record relation facts; any order of arrival gives the same intervals."""
        raise NotImplementedError

    def grant(self, tx: Tx, tenant: int, grants: Sequence[Grant]) -> None:
        """Record who may be seen by whom; repeats are harmless."""
        raise NotImplementedError

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
