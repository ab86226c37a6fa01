"""Journeys in the state store: definitions, immutable versions, and who is under way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class JourneyStatus(StrEnum):
    """What a journey does now. Only LIVE takes people in, steps and sends."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One journey. Times are epoch milliseconds.

    Attributes:
        id: internal number; ``uuid`` is the public id.
        version: the published version that new people enter, 0 while there is none.
        draft: the graph being edited, JSON.
        segment: number of the segment whose entries start the published version.
        revision: counts changes, for optimistic locking.
        history_skipped: people who entered the segment through imported history and were therefore
            not taken in.
    """

    tenant: int
    uuid: str
    name: str
    draft: str
    created_by: str
    created_at: int
    updated_at: int
    id: int = 0
    status: JourneyStatus = JourneyStatus.DRAFT
    version: int = 0
    segment: int | None = None
    revision: int = 1
    history_skipped: int = 0


class Enrolment(NamedTuple):
    """One person under way in one version of a journey, due to be stepped.

    ``seq`` counts the nodes stepped and guards every change.
    """

    id: int
    tenant: int
    journey: int
    version: int
    person: int
    node: str
    seq: int
    arrived_at: int


class Place(NamedTuple):
    """Where people stand: ``due`` is None and ``ended`` says why once the journey is over."""

    node: str
    seq: int
    arrived_at: int
    due: int | None
    ended: str = ""


class Entering(NamedTuple):
    """People on their way into one version; a piece small enough for one transaction.

    ``as_of`` is the instant of the segment's change that brought them, epoch milliseconds.
    """

    id: int
    tenant: int
    journey: int
    version: int
    as_of: int
    people: Sequence[int]


class Journeys(Protocol):
    """Definitions and versions."""

    def add(self, journey: Journey) -> Journey:
        """Store a new journey; returns it with its number."""
        ...

    def save(self, journey: Journey) -> Journey:
        """Store a changed journey whose ``revision`` is the one that was read.

        Raises:
            Conflict: ``stale``: somebody changed it meanwhile.
        """
        ...

    def get(self, tenant: int, uuid: str) -> Journey:
        """One journey.

        Raises:
            NotFound: ``journey_unknown``.
        """
        ...

    def numbered(self, id: int) -> Journey:
        """One journey by number, a removed one too.

        Raises:
            NotFound: ``journey_unknown``.
        """
        ...

    def page(self, tenant: int, *, before: int | None, limit: int) -> Sequence[Journey]:
        """Newest first, with a number below ``before``."""
        ...

    def remove(self, journey: Journey, now: int) -> None:
        """Delete softly and let nobody step any more."""
        ...

    def publish(self, journey: Journey, graph: str, now: int, by: str) -> Journey:
        """Store ``graph`` as the next version, never to change, and make the journey live on it."""
        ...

    def graph(self, journey: int, version: int) -> str:
        """The JSON of a published version."""
        ...

    def started_by(self, tenant: int, segment: int) -> Sequence[Journey]:
        """Live journeys that people enter through this segment."""
        ...

    def count_history(self, journey: int, people: int) -> None:
        """Note that ``people`` were not taken in because history brought them."""
        ...

    def stop_all(self, tenant: int, now: int) -> int:
        """Stop every live or paused journey; returns how many."""
        ...


class Enrolments(Protocol):
    """Who is under way."""

    def defer(self, journey: Journey, pieces: Iterable[Sequence[int]], as_of: int) -> None:
        """Note people who will enter the published version, piece by piece."""
        ...

    def entering(self) -> Entering | None:
        """The oldest piece that waits to enter a live journey."""
        ...

    def entered(self, piece: int) -> None:
        """Remove a piece, in the transaction that took its people in."""
        ...

    def enter(
        self,
        journey: int,
        version: int,
        tenant: int,
        people: Sequence[int],
        ekey: str,
        place: Place,
    ) -> Sequence[int]:
        """Take people in at ``place``; whoever has this ``ekey`` already is left.

        Returns the numbers of the new enrolments.
        """
        ...

    def due(self, now: int, limit: int, *, lock: bool = False) -> Sequence[Enrolment]:
        """Enrolments of live journeys to be stepped, the journey that waited longest first.

        Args:
            now: epoch milliseconds.
            limit: at most so many.
            lock: in a write transaction: take only rows that no other worker has in hand.
        """
        ...

    def move(self, enrolments: Sequence[int], seen: int, to: Place) -> None:
        """Write one new place for many who were all read with the same ``seq``.

        Raises:
            Conflict: ``stale``: one was moved by somebody else, nothing may be committed.
        """
        ...

    def merge(self, tenant: int, kept: int, absorbed: Sequence[int]) -> None:
        """Persons ``absorbed`` are now ``kept``: one enrolment per entry goes on, the furthest."""
        ...

    def apply_merges(self) -> None:
        """Bring enrolments and sends up to the merges that identity has logged since last time."""
        ...

    def forget(self, tenant: int, people: Collection[int]) -> None:
        """Remove the enrolments of erased persons, their sends and the receipts of those."""
        ...

    def counts(self, journey: int) -> Mapping[str, int]:
        """People by where they stand: ``node:<id>`` for those under way, ``ended:<reason>``."""
        ...

    def newest(self) -> int:
        """The highest number of an enrolment, 0 where there is none."""
        ...

    def age(self, tenant: int, before: int, after: int, upto: int) -> int:
        """Remove what ended before ``before`` and has no sends left, numbered ``(after, upto]``.

        What keeps somebody from entering a second time stays as long as its journey; the others go
        on counting in ``counts``. Returns how many went.
        """
        ...
