"""Segments: saved rules, who is in them, and keeping that true as data and time go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from pyroaring import BitMap

from carloop.app.persons.lookup import Persons
from carloop.app.persons.views import Membership, PersonSummary
from carloop.app.segments.audiences import Audiences, Counted
from carloop.core.pack import SegmentTemplate
from carloop.core.ports.segments import Segment
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller, Scope
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput, NotFound
from carloop.rules import Rule, dump, parse, walk
from carloop.rules.kinds.in_segment import InSegment


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment as a caller sees it; ``state`` is ``ready``, ``waiting`` or ``deleted``.

    ``refreshed_at``: epoch milliseconds.
    """

    segment: Segment
    rule: Rule
    counted: Counted
    state: str
    refreshed_at: int | None
    sentence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class People:
    """A page of persons; ``last`` is the number it ended at, None on the last page."""

    items: Sequence[PersonSummary]
    last: int | None
    total: int


class Segments:
    """Creates, changes, lists and opens segments."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        audiences: Audiences,
        persons: Persons,
        refresh: Callable[[int, int], None],
    ) -> None:
        self._state = state
        self._clock = clock
        self._audiences = audiences
        self._persons = persons
        self._refresh = refresh

    def page(
        self,
        caller: Caller,
        *,
        deleted: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[SegmentView]:
        """Segments, or deleted ones, newest first: those numbered below ``before``."""
        with self._state.read() as tx:
            found = tx.segments.page(
                caller.scope.tenant, deleted=deleted, before=before, limit=limit
            )
        return [self._view(caller, segment) for segment in found]

    def get(self, caller: Caller, id: str) -> SegmentView:
        """One segment.

        Raises:
            NotFound: ``segment_unknown``.
        """
        with self._state.read() as tx:
            return self._view(caller, _found(tx, caller.scope.tenant, id))

    def create(self, caller: Caller, name: str, description: str, rule: Rule) -> SegmentView:
        """Save a rule, and compute who is in it.

        Raises:
            Conflict: ``name_taken``.
            InvalidInput: the rule cannot be asked.
        """
        scope = caller.scope
        self._audiences.verify(self._audiences.parse(rule), Scope(scope.tenant))
        with self._state.write() as tx:
            segment = tx.segments.add(
                Segment(
                    tenant=scope.tenant,
                    uuid=str(uuid4()),
                    name=name,
                    description=description,
                    rule=dump(rule),
                    created_by=caller.name,
                    created_at=to_ms(self._clock.now()),
                )
            )
        self._refresh(scope.tenant, segment.id)
        return self._view(caller, segment)

    def change(
        self,
        caller: Caller,
        id: str,
        version: int | None,
        *,
        name: str | None = None,
        description: str | None = None,
        rule: Rule | None = None,
    ) -> SegmentView:
        """Rename a segment or change its rule; what is None stays.

        Raises:
            NotFound, Conflict: ``stale``, ``name_taken``.
            InvalidInput: the rule cannot be asked.
        """
        tenant = caller.scope.tenant
        if rule is not None:
            rule = self._audiences.parse(rule)
            self._audiences.verify(rule, Scope(tenant))
        with self._state.write() as tx:
            segment = _found(tx, tenant, id)
            if rule is not None:
                _refuse_cycle(tx, segment, rule)
            saved = tx.segments.save(
                replace(
                    segment,
                    version=segment.version if version is None else version,
                    name=segment.name if name is None else name,
                    description=segment.description if description is None else description,
                    rule=segment.rule if rule is None else dump(rule),
                )
            )
        self._refresh(tenant, saved.id)
        return self._view(caller, saved)

    def delete(self, caller: Caller, id: str) -> None:
        """Put a segment aside; :meth:`restore` brings it back.

        Raises:
            NotFound: ``segment_unknown``.
            Conflict: ``segment_in_use``: another segment names it.
        """
        with self._state.write() as tx:
            segment = _found(tx, caller.scope.tenant, id)
            _refuse_used(tx, segment)
            tx.segments.save(replace(segment, deleted_at=to_ms(self._clock.now())))

    def restore(self, caller: Caller, id: str) -> SegmentView:
        """Bring a deleted segment back.

        Raises:
            NotFound: ``segment_unknown``.
            Conflict: ``name_taken``.
        """
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            segment = tx.segments.by_uuid(tenant, id)
            if segment is None or segment.deleted_at is None:
                raise NotFound("no such deleted segment", code="segment_unknown")
            saved = tx.segments.save(replace(segment, deleted_at=None))
        self._refresh(tenant, saved.id)
        return self._view(caller, saved)

    def refresh(self, caller: Caller, id: str) -> SegmentView:
        """Compute who is in it now."""
        with self._state.read() as tx:
            segment = _found(tx, caller.scope.tenant, id)
        self._refresh(segment.tenant, segment.id)
        return self._view(caller, segment)

    def members(self, caller: Caller, id: str, after: int, limit: int) -> People:
        """A page of persons beyond number ``after``.

        Raises:
            NotFound: ``segment_unknown``.
        """
        with self._state.read() as tx:
            segment = _found(tx, caller.scope.tenant, id)
        people = self.people(caller.scope, segment)
        return page_of(self._persons, caller, people, after, limit)

    def people(self, scope: Scope, segment: Segment) -> BitMap:
        """Who is in it, for this scope: the snapshot, or the rule asked within a limited scope."""
        if scope.limited:
            return self._audiences.persons(parse(segment.rule), scope)
        with self._state.read() as tx:
            snapshot = tx.segments.snapshot(segment.tenant, segment.id)
        return BitMap.deserialize(snapshot.members) if snapshot else BitMap()

    def memberships(self, scope: Scope, person: int) -> Sequence[Membership]:
        """The segments a person is in, as this scope sees them."""
        with self._state.read() as tx:
            known = tx.segments.all(scope.tenant)
        return [
            Membership(UUID(segment.uuid), segment.name)
            for segment in known
            if person in self.people(scope, segment)
        ]

    def install(self, tenant: int, templates: Sequence[SegmentTemplate], lang: str) -> int:
        """Add the templates that were never added before; returns how many."""
        added = 0
        with self._state.write() as tx:
            every = [*tx.segments.all(tenant), *tx.segments.all(tenant, deleted=True)]
            known = {segment.template for segment in every}
            taken = {segment.name for segment in every}
            for template in templates:
                name = template.title.get(lang, template.name)
                if template.name in known or name in taken:
                    continue
                tx.segments.add(
                    Segment(
                        tenant=tenant,
                        uuid=str(uuid4()),
                        name=name,
                        rule=dump(self._audiences.parse(template.rule)),
                        template=template.name,
                        created_at=to_ms(self._clock.now()),
                    )
                )
                added += 1
        return added

    def _view(self, caller: Caller, segment: Segment) -> SegmentView:
        scope, rule = caller.scope, parse(segment.rule)
        with self._state.read() as tx:
            snapshot = tx.segments.snapshot(segment.tenant, segment.id)
        count = snapshot.count if snapshot else 0
        if scope.limited and segment.deleted_at is None:
            count = len(self.people(scope, segment))
        fresh = snapshot is not None and snapshot.rule_version == segment.version
        state = "deleted" if segment.deleted_at else "ready" if fresh else "waiting"
        return SegmentView(
            segment,
            rule,
            Counted.of(count, scope),
            state,
            snapshot.refreshed_at if snapshot else None,
            self._audiences.sentence(rule, scope.tenant),
        )


def page_of(persons: Persons, caller: Caller, people: BitMap, after: int, limit: int) -> People:
    """A page of ``people`` beyond number ``after``, by number."""
    start = people.rank(after)
    numbers = list(people[start : start + limit])
    more = start + limit < len(people)
    items = persons.summaries(caller, numbers)
    return People(items, numbers[-1] if more else None, len(people))


def _found(tx: Tx, tenant: int, id: str) -> Segment:
    segment = tx.segments.by_uuid(tenant, id)
    if segment is None or segment.deleted_at is not None:
        raise NotFound("no such segment", code="segment_unknown")
    return segment


def _named_in(rule: Mapping[str, Any] | Rule) -> set[str]:
    parsed = parse(rule)
    return {part.segment for part in walk(parsed) if isinstance(part, InSegment)}


def _refuse_used(tx: Tx, segment: Segment) -> None:
    for other in tx.segments.all(segment.tenant):
        if segment.uuid in _named_in(other.rule):
            raise Conflict("another segment names it", code="segment_in_use", segment=other.uuid)


def _refuse_cycle(tx: Tx, segment: Segment, rule: Rule) -> None:
    rules = {s.uuid: s.rule for s in tx.segments.all(segment.tenant)}
    waiting, seen = list(_named_in(rule)), set[str]()
    while waiting:
        named = waiting.pop()
        if named == segment.uuid:
            raise InvalidInput("a segment names itself", code="segment_cycle", path="rule")
        if named not in seen and named in rules:
            seen.add(named)
            waiting += _named_in(rules[named])
