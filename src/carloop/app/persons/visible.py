"""The gate before every use of one person: visible to the caller, or it does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from carloop.core.ports.identity import Fragment
from carloop.core.ports.state import Tx
from carloop.core.scope import Caller
from carloop.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class Known:
    """A visible person: its canonical number, the public id in force, and all its fragments."""

    number: int
    id: UUID
    fragments: Sequence[Fragment]

    @property
    def numbers(self) -> list[int]:
        """Numbers of its fragments."""
        return [f.number for f in self.fragments]


def visible(tx: Tx, caller: Caller, id: str) -> Known:
    """The visible person with this public id; ids of merged persons work too.

    Raises:
        NotFound: ``person_unknown``: no such person, or not in the caller's scope.
    """
    scope = caller.scope
    unknown = NotFound("no such person", code="person_unknown")
    try:
        fragment = tx.identity.by_uuid(scope.tenant, UUID(id).bytes)
    except ValueError as error:
        raise unknown from error
    if fragment is None:
        raise unknown
    fragments = tx.identity.of_persons(scope.tenant, [fragment.person])
    numbers = [f.number for f in fragments]
    if scope.limited and not tx.entities.granted(scope.tenant, scope.dims, numbers):
        raise unknown
    return Known(fragment.person, canonical(fragments), fragments)


def canonical(fragments: Sequence[Fragment]) -> UUID:
    """The public id in force of one person's fragments: that of the smallest number."""
    return next(UUID(bytes=f.uuid) for f in fragments if f.number == f.person)
