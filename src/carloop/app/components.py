"""Recompute the persons that new edges touch: load their evidence components, cluster, store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from carloop.core.evidence import Edge, Verdict
from carloop.core.identifiers import IdentifierType, IdentifierTypes, Strength
from carloop.core.ports.identity import Fragment, LogEntry
from carloop.core.ports.projection import Change
from carloop.core.ports.state import Tx
from carloop.engines.identity.graph import Node, Partition, partition
from carloop.engines.identity.star import stronger

log = structlog.get_logger(__name__)

MAX_COMPONENT = 2_000
"""Fragments in one evidence component; beyond it new edges are stored but join nobody."""

Pair = tuple[int, int, bool]


@dataclass(slots=True)
class KnownFragment:
    """A fragment in memory; ``person`` and ``hub`` move with what is learnt.

    ``erased_at``: evidence up to then (milliseconds) is of an erased person and is refused.
    """

    number: int
    key: bytes
    kind: IdentifierType
    namespace: str
    person: int
    hub: bool = False
    erased_at: int = -1

    @classmethod
    def of(cls, stored: Fragment, types: IdentifierTypes) -> KnownFragment:
        """From its stored form."""
        kind = types.get(stored.type)
        return cls(
            stored.number, stored.key, kind, stored.namespace, stored.person, bool(stored.hub)
        )

    def node(self) -> Node:
        """Its form in the graph."""
        return Node(self.number, self.kind, self.namespace, self.key)


def pair_of(edge: Edge) -> Pair:
    """What an edge is unique by: its two ends, and evidence or decision."""
    return edge.a, edge.b, edge.decision


@dataclass(slots=True)
class _Work:
    """What one recomputation knows."""

    tx: Tx
    tenant: int
    nodes: dict[int, KnownFragment]
    minted: set[int]
    edges: dict[Pair, Edge] = field(default_factory=dict)
    stored: dict[Pair, Verdict] = field(default_factory=dict)
    leaves: list[Edge] = field(default_factory=list)
    settled: list[Verdict] = field(default_factory=list)
    frozen: set[int] = field(default_factory=set)


class Recompute:
    """Keeps stored persons equal to what :func:`partition` says of the stored evidence."""

    def __init__(self, types: IdentifierTypes) -> None:
        self._types = types

    def run(
        self,
        tx: Tx,
        tenant: int,
        edges: Mapping[Pair, Edge],
        nodes: dict[int, KnownFragment],
        minted: set[int],
        by: str = "",
    ) -> None:
        """Take in ``edges`` and store what follows from them.

        Args:
            tx: the open transaction.
            tenant: tenant number.
            edges: new edges, or stronger ones of known pairs.
            nodes: fragments in memory by number, at least the ends of ``edges``; moved in place.
            minted: fragments of this batch, which the store does not hold yet.
            by: who decided, for the log.
        """
        work = _Work(tx, tenant, nodes, minted, dict(edges))
        self._first_look(work)
        self._set_strangers_apart(work)
        self._set_leaves_apart(work)
        groups = self._load(work)
        scope = {
            pair: edge
            for pair, edge in self._all_edges(work).items()
            if not groups.frozen(edge.a, edge.b, work.nodes)
        }
        ends = {n for edge in scope.values() for n in (edge.a, edge.b)}
        known_hubs = frozenset(n for n in ends if work.nodes[n].hub)
        result = partition({n: work.nodes[n].node() for n in ends}, scope.values(), known_hubs)
        self._store(work, result, groups, by)

    def _first_look(self, work: _Work) -> None:
        """Drop the edges that the store knows already."""
        asked = {(e.a, e.b) for e in work.edges.values() if not {e.a, e.b} & work.minted}
        for verdict in work.tx.identity.edges_between(work.tenant, asked):
            pair = pair_of(verdict.edge)
            new = work.edges.get(pair)
            if new is not None and not stronger(new, verdict.edge):
                del work.edges[pair]

    def _set_strangers_apart(self, work: _Work) -> None:
        """Somebody new, met with one identifier of each kind: nothing to weigh, all are one person.

        What :func:`partition` would say of a star of fragments that nothing else touches.
        """
        around: defaultdict[int, list[Edge]] = defaultdict(list)
        for edge in work.edges.values():
            around[edge.a].append(edge)
            around[edge.b].append(edge)
        for centre, edges in around.items():
            ends = [e.b if e.a == centre else e.a for e in edges]
            lone = len(ends) > 1 or centre < ends[0]
            if lone and all(len(around[n]) == 1 for n in ends):
                members = [work.nodes[n] for n in (centre, *ends)]
                if self._strangers(work, members, edges):
                    least = min(n.number for n in members)
                    for node in members:
                        node.person = least
                    for edge in edges:
                        del work.edges[pair_of(edge)]
                        work.settled.append(Verdict(edge, True, ""))

    @staticmethod
    def _strangers(work: _Work, members: list[KnownFragment], edges: list[Edge]) -> bool:
        kinds = {(node.kind.name, node.namespace) for node in members}
        return (
            len(kinds) == len(members)
            and all(
                node.number in work.minted and node.kind.links and node.kind.max_neighbours != 0
                for node in members
            )
            and not any(edge.decision for edge in edges)
        )

    def _set_leaves_apart(self, work: _Work) -> None:
        """New visitors tied to one known fragment change nobody else: no component is needed."""
        degree = Counter(n for e in work.edges.values() for n in (e.a, e.b))
        for pair, edge in list(work.edges.items()):
            leaf, other = (edge.a, edge.b) if edge.a in work.minted else (edge.b, edge.a)
            kind = work.nodes[leaf].kind
            if (
                leaf in work.minted
                and other not in work.minted
                and degree[leaf] == 1
                and not edge.decision
                and kind.per_entity is None
                and kind.strength is not Strength.STRONG
                and kind.links
                and work.nodes[other].kind.links
            ):
                work.leaves.append(work.edges.pop(pair))

    def _load(self, work: _Work) -> _Groups:
        """Load the evidence components around the new edges, not crossing hubs."""
        groups = _Groups()
        for edge in work.edges.values():
            groups.tie(edge, work.nodes)
        waiting = {
            n
            for e in work.edges.values()
            for n in (e.a, e.b)
            if n not in work.minted and not work.nodes[n].hub
        }
        seen = set(waiting)
        while waiting:
            found = work.tx.identity.edges_of(work.tenant, waiting)
            ends = {n for v in found for n in (v.edge.a, v.edge.b)}
            for stored in work.tx.identity.by_numbers(work.tenant, ends - work.nodes.keys()):
                work.nodes[stored.number] = KnownFragment.of(stored, self._types)
            for verdict in found:
                work.stored[pair_of(verdict.edge)] = verdict
                groups.tie(verdict.edge, work.nodes)
            waiting = {
                n for n in ends - seen if not work.nodes[n].hub and groups.size(n) <= MAX_COMPONENT
            }
            seen |= waiting
        return groups

    def _all_edges(self, work: _Work) -> dict[Pair, Edge]:
        edges = {pair: verdict.edge for pair, verdict in work.stored.items()}
        for pair, edge in work.edges.items():
            known = edges.get(pair)
            if known is None or stronger(edge, known):
                edges[pair] = edge
        return edges

    def _store(self, work: _Work, result: Partition, groups: _Groups, by: str) -> None:
        tx, tenant, nodes = work.tx, work.tenant, work.nodes
        verdicts = [v for v in result.verdicts if work.stored.get(pair_of(v.edge)) != v]
        verdicts += [
            Verdict(edge, False, "component_too_large")
            for edge in work.edges.values()
            if groups.frozen(edge.a, edge.b, nodes)
        ]
        before = {n: nodes[n].person for n in result.person if n not in work.minted}
        for number, person in result.person.items():
            nodes[number].person = person
        for number in result.hubs:
            nodes[number].hub = True
        for leaf in work.leaves:
            verdicts.append(self._join_leaf(leaf, work))
        tx.identity.put_edges(tenant, [*work.settled, *verdicts], by)
        moved = {n: nodes[n].person for n, old in before.items() if old != nodes[n].person}
        tx.identity.move(tenant, moved)
        tx.identity.mark_hubs(tenant, result.hubs)
        tx.projection.queue(tenant, [Change("fragment", n) for n in moved])
        tx.identity.log(tenant, changes(before, moved, verdicts, by))
        self._alarm(work, groups)

    def _join_leaf(self, edge: Edge, work: _Work) -> Verdict:
        leaf, other = (edge.a, edge.b) if edge.a in work.minted else (edge.b, edge.a)
        if work.nodes[other].hub:
            return Verdict(edge, False, "hub")
        work.nodes[leaf].person = work.nodes[other].person
        return Verdict(edge, True, "")

    def _alarm(self, work: _Work, groups: _Groups) -> None:
        for edge in work.edges.values():
            if groups.frozen(edge.a, edge.b, work.nodes):
                log.warning("identity_component_too_large", tenant=work.tenant, a=edge.a, b=edge.b)


def changes(
    before: Mapping[int, int], moved: Mapping[int, int], verdicts: Iterable[Verdict], by: str
) -> list[LogEntry]:
    """What to log of fragments that changed their person.

    Args:
        before: fragment → person until now.
        moved: fragment → person from now on, of those that changed.
        verdicts: the new and changed edges, which are the reason.
        by: who decided; empty for the machine.
    """
    touching: dict[int, list[Edge]] = defaultdict(list)
    for verdict in verdicts:
        ends = (verdict.edge.a, verdict.edge.b)
        for person in {moved.get(n, before.get(n, n)) for n in ends}:
            touching[person].append(verdict.edge)
    entries: dict[tuple[str, int, int], LogEntry] = {}
    for number, person in moved.items():
        old = before[number]
        merge = moved.get(old, old) == person
        kind, kept, gone = ("merge", person, old) if merge else ("split", old, person)
        reasons = touching[person] or touching[old]
        evidence = [
            {"a": e.a, "b": e.b, "at": e.occurred_at, "kind": e.kind.value, "source": e.source}
            for e in reasons[:5]
        ]
        at = max((e.occurred_at for e in reasons), default=0)
        entries[kind, kept, gone] = LogEntry(at, kind, kept, gone, evidence, by)
    return list(entries.values())


class _Groups:
    """Which loaded fragments hang together, and which of these heaps are too large."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._largest = 1

    def tie(self, edge: Edge, nodes: Mapping[int, KnownFragment]) -> None:
        """The ends of ``edge`` hang together, unless one is a hub."""
        if nodes[edge.a].hub or nodes[edge.b].hub:
            return
        a, b = self._find(edge.a), self._find(edge.b)
        if a != b:
            self._parent[b] = a
            self._size[a] = self.size(a) + self.size(b)
            self._largest = max(self._largest, self._size[a])

    def size(self, number: int) -> int:
        """How many fragments hang together with this one."""
        return self._size.get(self._find(number), 1)

    def frozen(self, a: int, b: int, nodes: Mapping[int, KnownFragment]) -> bool:
        """Whether an edge between these lies in a heap that is too large to recompute."""
        if self._largest <= MAX_COMPONENT:
            return False
        return any(self.size(n) > MAX_COMPONENT for n in (a, b) if not nodes[n].hub)

    def _find(self, number: int) -> int:
        while (up := self._parent.get(number, number)) != number:
            self._parent[number] = self._parent.get(up, up)
            number = up
        return number
