"""One-ID as a pure function of the evidence.

Fragments (one per identifier) are nodes. An *evidence* edge says that an event showed two of them
together; a *decision* on a pair overrules it. :func:`partition` looks at the whole evidence
component at once and depends on nothing but the set it is given: not on the order in which it
arrived, not on batches, not on repeats.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from carloop.core.evidence import Edge, EdgeKind, Verdict
from carloop.core.identifiers import IdentifierType, Strength


class Node(NamedTuple):
    """A fragment: its number, its identifier's type and namespace, and that identifier's key.

    The key, unlike the number, does not depend on the order of arrival.
    """

    number: int
    kind: IdentifierType
    namespace: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Partition:
    """Who is who in one or more evidence components.

    Attributes:
        person: fragment → canonical fragment (the smallest number of its cluster).
        verdicts: one per edge given, in the order of application.
        hubs: fragments that too many strangers share; they link nobody.
    """

    person: Mapping[int, int]
    verdicts: tuple[Verdict, ...]
    hubs: frozenset[int]


def find_hubs(nodes: Mapping[int, Node], edges: Iterable[Edge]) -> frozenset[int]:
    """Fragments with more strong neighbours of one kind than their type's ``max_neighbours``.

    Neighbours are counted per type and namespace: one person may well have ten openids in ten
    apps, but a tablet with ten login ids of one app stands in a showroom.
    """
    seen: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for a, b in {(e.a, e.b) for e in edges if e.kind is EdgeKind.EVIDENCE}:
        for one, other in ((a, b), (b, a)):
            kind = nodes[other].kind
            if kind.strength is Strength.STRONG:
                seen[one][kind.name, nodes[other].namespace] += 1
    return frozenset(
        number
        for number, counts in seen.items()
        if (limit := nodes[number].kind.max_neighbours) is not None and max(counts.values()) > limit
    )


def partition(
    nodes: Mapping[int, Node], edges: Iterable[Edge], hubs: frozenset[int] = frozenset()
) -> Partition:
    """Cluster whole evidence components.

    Decisions come first; then evidence, oldest first, each edge joining its two clusters unless
    the pair is cut, an end is a hub or never links, or the joint cluster would hold more
    identifiers of one type and namespace than ``per_entity`` allows.

    Args:
        nodes: every fragment that an edge names.
        edges: per pair at most one piece of evidence and one decision.
        hubs: fragments already known as hubs, beside those found here.
    """
    edges = list(edges)
    hubs |= find_hubs(nodes, edges)
    clusters = _Clusters(nodes)
    for edge in edges:
        if edge.kind is EdgeKind.CUT:
            clusters.keep_apart(edge.a, edge.b)
    verdicts = [
        _judge(edge, nodes, hubs, clusters) for edge in sorted(edges, key=lambda e: _rank(e, nodes))
    ]
    person = {number: clusters.smallest(number) for number in nodes}
    return Partition(person, tuple(verdicts), hubs)


_ORDER = {EdgeKind.CUT: 0, EdgeKind.FREE: 0, EdgeKind.LINK: 1, EdgeKind.EVIDENCE: 2}


def _rank(edge: Edge, nodes: Mapping[int, Node]) -> tuple[object, ...]:
    """Order of application, free of numbers: kind, time, message, then the better identifiers."""
    ends = sorted((n.kind.priority, n.kind.name, n.key) for n in (nodes[edge.a], nodes[edge.b]))
    return _ORDER[edge.kind], edge.occurred_at, edge.message_id, ends


def _judge(
    edge: Edge, nodes: Mapping[int, Node], hubs: frozenset[int], clusters: _Clusters
) -> Verdict:
    if edge.kind in (EdgeKind.CUT, EdgeKind.FREE):
        return Verdict(edge, True, "")
    if edge.a in hubs or edge.b in hubs:
        return Verdict(edge, False, "hub")
    evidence = edge.kind is EdgeKind.EVIDENCE
    if evidence and not (nodes[edge.a].kind.links and nodes[edge.b].kind.links):
        return Verdict(edge, False, "never_links")
    reason = clusters.join(edge.a, edge.b, limited=evidence)
    return Verdict(edge, not reason, reason)


class _Clusters:
    """Union-find that knows what each cluster holds and what must stay apart."""

    def __init__(self, nodes: Mapping[int, Node]) -> None:
        self._parent = {number: number for number in nodes}
        self._least = {number: number for number in nodes}
        self._size = dict.fromkeys(nodes, 1)
        self._limits = {n.kind.name: n.kind.per_entity for n in nodes.values()}
        self._holds = {n.number: Counter({(n.kind.name, n.namespace): 1}) for n in nodes.values()}
        self._apart: dict[int, set[int]] = defaultdict(set)

    def keep_apart(self, a: int, b: int) -> None:
        """No union may bring ``a`` and ``b`` together; called before the first union."""
        self._apart[a].add(b)
        self._apart[b].add(a)

    def smallest(self, number: int) -> int:
        """The smallest fragment of the cluster of ``number``."""
        return self._least[self._find(number)]

    def join(self, a: int, b: int, *, limited: bool) -> str:
        """Unite two clusters; returns why not, or an empty string."""
        a, b = self._find(a), self._find(b)
        if a == b:
            return ""
        if self._size[a] < self._size[b]:
            a, b = b, a
        if any(self._find(other) == a for other in self._apart.get(b, ())):
            return "cut"
        if limited:
            for (kind, namespace), count in self._holds[b].items():
                limit = self._limits[kind]
                if limit is not None and self._holds[a][kind, namespace] + count > limit:
                    return f"limit:{kind}"
        self._parent[b] = a
        self._size[a] += self._size[b]
        self._least[a] = min(self._least[a], self._least[b])
        self._holds[a].update(self._holds.pop(b))
        if b in self._apart:
            self._apart[a] |= self._apart.pop(b)
        return ""

    def _find(self, number: int) -> int:
        root = number
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[number] != root:
            self._parent[number], number = root, self._parent[number]
        return root
