"""A person's past and how it is known: timeline, identity graph, explanation, export."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from carloop.app.audit import AuditLog
from carloop.app.persons.lookup import Persons
from carloop.app.persons.views import EdgeView, EventView, GraphView, LogView, PathView
from carloop.app.persons.visible import Known
from carloop.core.evidence import EdgeKind, Verdict
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.engines.identity.explain import shortest_path
from carloop.kit.clock import from_ms
from carloop.sql import Query
from carloop.sql.query import Params
from carloop.sql.scope import events

_COLUMNS = (
    "event_id, event, occurred_at, received_at, source, entities, toJSONString(properties), seq, "
    "toUnixTimestamp64Milli(occurred_at)"
)
EXPORT_EVENTS = 100_000
Place = tuple[int, int]
"""(occurred_at in milliseconds, seq) of the last event shown."""

_RULES = {
    EdgeKind.EVIDENCE: "seen_together",
    EdgeKind.LINK: "decided_same",
    EdgeKind.CUT: "decided_different",
    EdgeKind.FREE: "cut_withdrawn",
}


class PersonStory:
    """Reads what happened, within a caller's scope."""

    def __init__(
        self,
        state: State,
        event_store: EventStore,
        catalogue: Catalogue,
        persons: Persons,
        audit: AuditLog,
    ) -> None:
        self._state = state
        self._events = event_store
        self._catalogue = catalogue
        self._persons = persons
        self._audit = audit

    def timeline(
        self,
        caller: Caller,
        id: str,
        limit: int,
        before: Place | None = None,
        event: str | None = None,
    ) -> tuple[list[EventView], Place | None]:
        """A person's events (of one type, if given), newest first, and the place to go on from.

        Raises:
            NotFound: ``person_unknown``.
        """
        with self._state.read() as tx:
            known = self._persons.known(tx, caller, id)
            sources = {s.id: s.name for s in tx.sources.list(caller.scope.tenant)}
            rows = self._rows(caller, known, limit + 1, before, event)
            views = self._views(tx, caller.scope.tenant, rows[:limit], sources)
        last = rows[limit - 1] if len(rows) > limit else None
        return views, (last[8], last[7]) if last else None

    def graph(self, caller: Caller, id: str) -> GraphView:
        """The person's identifiers and every edge between them or cut from them.

        Raises:
            NotFound: ``person_unknown``.
        """
        tenant = caller.scope.tenant
        with self._state.read() as tx:
            known = self._persons.known(tx, caller, id)
            names = {s.id: s.name for s in tx.sources.list(tenant)}
            own = set(known.numbers)
            edges = [
                _edge(v, names)
                for v in tx.identity.edges_of(tenant, own)
                if {v.edge.a, v.edge.b} <= own
            ]
            nodes = self._persons.identifiers(tx, tenant, known, names)
        return GraphView(nodes, sorted(edges, key=lambda e: (e.occurred_at, e.a, e.b)))

    def explain(self, caller: Caller, a: str, b: str) -> PathView:
        """Why ``a`` and ``b`` (identifiers ``type:value``) are one person, or that they are not.

        Raises:
            NotFound: ``person_unknown``: one of them is nobody the caller may see.
            InvalidIdentifier: not a usable identifier.
        """
        tenant = caller.scope.tenant
        with self._state.read() as tx:
            one, known = self._persons.by_identifier(tx, caller, a)
            other, theirs = self._persons.by_identifier(tx, caller, b)
            if known.number != theirs.number:
                return PathView(False, [], [])
            names = {s.id: s.name for s in tx.sources.list(tenant)}
            verdicts = tx.identity.edges_of(tenant, known.numbers)
            joining = {
                v.edge: v
                for v in verdicts
                if v.accepted and v.edge.kind in (EdgeKind.EVIDENCE, EdgeKind.LINK)
            }
            path = shortest_path(one, other, joining) or []
            on_path = {one, other} | {n for e in path for n in (e.a, e.b)}
            nodes = self._persons.identifiers(tx, tenant, known, names)
        return PathView(
            True,
            [n for n in nodes if n.number in on_path],
            [_edge(joining[e], names) for e in path],
        )

    def log(self, caller: Caller, id: str) -> list[LogView]:
        """Merges and splits that made the person what it is, newest first."""
        tenant = caller.scope.tenant
        with self._state.read() as tx:
            known = self._persons.known(tx, caller, id)
            entries = tx.identity.log_of(tenant, known.numbers)
        return [
            LogView(from_ms(e.at), e.kind, e.kept, e.moved, [dict(i) for i in e.evidence], e.by)
            for e in entries
        ]

    def export(self, caller: Caller, id: str) -> Mapping[str, Any]:
        """Everything kept about a person, in the clear, as JSON values; audited.

        Raises:
            NotFound: ``person_unknown``.
        """
        tenant = caller.scope.tenant
        view = self._persons.get(caller, id)
        with self._state.write() as tx:
            known = self._persons.known(tx, caller, id)
            clear = self._persons.clear(tx, tenant, known.fragments)
            fields = self._persons.clear_fields(tx, tenant, known)
            self._audit.append(tx, caller, "person.export", str(known.id))
        person = asdict(view)
        for item in person["identifiers"]:
            item.update(value=clear[item["number"]], masked=False)
        for item in person["attributes"]:
            item.update(value=fields[item["field"]], masked=False)
        for name in ("name", "display"):
            person[name] = fields.get("name", person[name])
        told, _ = self.timeline(caller, id, EXPORT_EVENTS)
        return {
            "person": person,
            "events": [asdict(event) for event in told],
            "identity_log": [asdict(entry) for entry in self.log(caller, id)],
        }

    def _rows(
        self,
        caller: Caller,
        known: Known,
        limit: int,
        before: Place | None,
        event: str | None,
    ) -> Sequence[Sequence[Any]]:
        params = Params()
        where = [f"fragment IN {params.add(sorted(known.numbers), 'Array(UInt32)')}"]
        if event is not None:
            where.append(f"event = {params.add(event, 'String')}")
        if before is not None:
            at = f"fromUnixTimestamp64Milli({params.add(before[0], 'Int64')}, 'UTC')"
            seq = params.add(before[1], "UInt64")
            where += [f"occurred_at <= {at}", f"(occurred_at, seq) < ({at}, {seq})"]
        text = events(caller.scope, params, _COLUMNS, where)
        text += f" ORDER BY occurred_at DESC, seq DESC LIMIT {params.add(limit, 'UInt32')}"
        return self._events.query(Query(text, params.values), caller.scope).rows

    def _views(
        self, tx: Tx, tenant: int, rows: Sequence[Sequence[Any]], sources: Mapping[int, str]
    ) -> list[EventView]:
        wanted: dict[str, set[int]] = {}
        for row in rows:
            for type_, number in row[5].items():
                wanted.setdefault(type_, set()).add(number)
        ids = {
            (type_, e.number): UUID(bytes=e.uuid)
            for type_, numbers in wanted.items()
            for e in tx.entities.by_numbers(tenant, type_, numbers)
        }
        return [
            EventView(
                id=row[0],
                event=row[1],
                title=self._title(row[1]),
                occurred_at=row[2],
                received_at=row[3],
                source=sources.get(row[4]),
                entities={t: ids[t, n] for t, n in row[5].items() if (t, n) in ids},
                properties=json.loads(row[6]),
            )
            for row in rows
        ]

    def _title(self, event: str) -> Mapping[str, str]:
        kind = self._catalogue.event_types.get(event)
        return kind.title if kind else {"zh": event, "en": event}


def _edge(verdict: Verdict, sources: Mapping[int, str]) -> EdgeView:
    edge = verdict.edge
    return EdgeView(
        a=edge.a,
        b=edge.b,
        kind=edge.kind.value,
        rule=_RULES[edge.kind],
        accepted=verdict.accepted,
        reason=verdict.reason,
        source=sources.get(edge.source),
        occurred_at=from_ms(edge.occurred_at),
    )
