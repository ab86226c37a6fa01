"""Rules asked of the whole store: who is meant, how many, in whose scope, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from carloop import rules
from carloop.app.persons.profiles import FieldBook
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.core.scope import Scope
from carloop.kit.clock import Clock, from_ms
from carloop.kit.errors import NotFound
from carloop.rules.compiler import Compiler, Context, count_query, members_query, persons_of
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.select import nested, select

SMALL = 10
"""Counts of persons below this are not told to callers who may not see the persons."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many persons; ``count`` is None where it is too small to tell this caller."""

    count: int | None
    suppressed: bool

    @classmethod
    def of(cls, count: int, scope: Scope) -> Counted:
        """The number as this caller may know it."""
        hidden = not scope.persons and count < SMALL
        return cls(None if hidden else count, hidden)


@dataclass(frozen=True, slots=True)
class CatalogueNames:
    """Titles of the catalogue for rules in words; ``segments``: names by segment id."""

    catalogue: Catalogue
    segments: Mapping[str, str]

    def event(self, name: str, lang: str) -> str:
        """Title of an event type."""
        kind = self.catalogue.event_types.get(name)
        return kind.title.get(lang, name) if kind else name

    def property(self, event: str, name: str, lang: str) -> str:
        """Title of an event property."""
        kind = self.catalogue.event_types.get(event)
        for planned in kind.properties if kind else ():
            if planned.name == name:
                return planned.title.get(lang, name)
        return name

    def field(self, name: str, lang: str) -> str:
        """Title of a profile field."""
        field = self.catalogue.fields.get(name)
        return field.title.get(lang, name) if field else name

    def segment(self, id_: str, lang: str) -> str:
        """Name of a segment."""
        return self.segments.get(id_, id_)


class Audiences:
    """Asks rules; also the :class:`~carloop.core.ports.audience.Audience` of the journeys."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        catalogue: Catalogue,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._state = state
        self._events = event_store
        self.catalogue = catalogue
        self._book = FieldBook(catalogue, cipher)
        self._clock = clock

    def parse(self, document: object) -> rules.Rule:
        """A rule that the catalogue allows.

        Raises:
            InvalidInput: ``invalid_rule``, ``operator_not_allowed``.
        """
        rule = rules.parse(document)
        rules.check(rule, self.catalogue.fields)
        return rule

    def context(self, scope: Scope, now: datetime | None = None) -> Context:
        """What rules mean now, in this scope."""
        with self._state.read() as tx:
            zone = ZoneInfo(tx.tenants.get(scope.tenant).zone)
            known = {s.uuid: rules.parse(s.rule) for s in tx.segments.all(scope.tenant)}
        tenant = scope.tenant
        identifying = {n for n, f in self.catalogue.fields.items() if self._book.identifying(n)}
        return Context(
            scope,
            now or self._clock.now(),
            zone,
            known,
            frozenset(identifying),
            lambda name, value: self._book.blind(tenant, name, value).hex(),
        )

    def verify(self, rule: rules.Rule, scope: Scope) -> None:
        """Refuse a rule that cannot be compiled.

        Raises:
            InvalidInput: ``unknown_segment``, ``segment_cycle``, ``operator_not_allowed``.
        """
        Compiler(self.context(scope), Params()).bitmap(rule)

    def count(self, rule: rules.Rule, scope: Scope) -> int:
        """How many persons of this scope the rule means."""
        query = count_query(rule, self.context(scope))
        return int(self._events.query(query, scope).rows[0][0])

    def persons(self, rule: rules.Rule, scope: Scope, now: datetime | None = None) -> BitMap:
        """The persons of this scope that the rule means."""
        query = members_query(rule, self.context(scope, now))
        return BitMap(self._events.query_numbers(query, scope))

    def sql(self, rule: rules.Rule, scope: Scope) -> Query:
        """The query that :meth:`persons` runs."""
        return members_query(rule, self.context(scope))

    def sentence(self, rule: rules.Rule, tenant: int) -> dict[str, str]:
        """The rule in words, by language."""
        with self._state.read() as tx:
            known = {s.uuid: s.name for s in tx.segments.all(tenant)}
        names = CatalogueNames(self.catalogue, known)
        return {lang: rule.sentence(lang, names) for lang in ("zh", "en")}

    def number(self, tx: Tx, tenant: int, uuid: str) -> int:
        """The number of the segment with this public id."""
        segment = tx.segments.by_uuid(tenant, uuid)
        if segment is None or segment.deleted_at is not None:
            raise NotFound("no such segment", code="segment_unknown")
        return segment.id

    def members(self, tx: Tx, tenant: int, segment: int) -> Iterable[int]:
        """Who is in the segment as of its last refresh."""
        snapshot = tx.segments.snapshot(tenant, segment)
        return BitMap.deserialize(snapshot.members) if snapshot else BitMap()

    def check(self, tenant: int, rule: Mapping[str, Any]) -> None:
        """Whether ``rule`` can be asked."""
        self.verify(self.parse(rule), Scope(tenant))

    def matching(
        self, tenant: int, rule: Mapping[str, Any], people: Collection[int], now: int
    ) -> Collection[int]:
        """Those of ``people`` who satisfy ``rule`` at ``now`` (epoch milliseconds)."""
        scope, params = Scope(tenant), Params()
        meant = persons_of(self.parse(rule), self.context(scope, from_ms(now)), params)
        asked = params.add(sorted(people), "Array(UInt32)")
        text = select("person", nested(meant), where=[f"has({asked}, person)"])
        found = self._events.query_numbers(Query(text, params.values), scope)
        return {int(number) for number in found}
