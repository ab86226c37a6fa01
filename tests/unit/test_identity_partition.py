"""One-ID as a function of the evidence: any order, any repeats, any batches."""

from __future__ import annotations

from random import Random

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from carloop.core.evidence import Edge, EdgeKind
from carloop.core.identifiers import IdentifierType, Strength
from carloop.engines.identity.explain import shortest_path
from carloop.engines.identity.graph import Node, find_hubs, partition


def kind(name: str, **more: object) -> IdentifierType:
    return IdentifierType(name, {"en": name}, str, **more)  # type: ignore[arg-type]


LOGIN = kind("login", strength=Strength.STRONG, priority=1, per_entity=1, max_neighbours=3)
PHONE = kind("phone", strength=Strength.STRONG, priority=2, per_entity=2, max_neighbours=3)
COOKIE = kind("cookie", strength=Strength.WEAK, priority=9, max_neighbours=3)
FREE = kind("free", max_neighbours=None)


def node(number: int, of: IdentifierType = FREE) -> Node:
    return Node(number, of, "", b"%04d" % number)


def edge(a: int, b: int, at: int = 0, of: EdgeKind = EdgeKind.EVIDENCE) -> Edge:
    return Edge(min(a, b), max(a, b), at, f"m{at}", 0, of)


def clusters(person: dict[int, int]) -> set[frozenset[int]]:
    by: dict[int, set[int]] = {}
    for number, canonical in person.items():
        by.setdefault(canonical, set()).add(number)
    return {frozenset(c) for c in by.values()}


pairs = st.tuples(st.integers(1, 14), st.integers(1, 14)).filter(lambda p: p[0] != p[1])


@given(st.lists(st.tuples(pairs, st.integers(0, 5)), max_size=40))
def test_without_limits_it_is_connected_components(
    drawn: list[tuple[tuple[int, int], int]],
) -> None:
    nodes = {n: node(n) for n in range(1, 15)}
    edges = {(min(p), max(p)): edge(*p, at) for p, at in drawn}
    graph = nx.Graph(list(edges))
    graph.add_nodes_from(nodes)
    expected = {frozenset(c) for c in nx.connected_components(graph)}
    result = partition(nodes, edges.values())
    assert clusters(dict(result.person)) == expected
    assert all(min(c) == result.person[n] for c in expected for n in c)


@given(
    st.lists(st.tuples(pairs, st.integers(0, 3), st.sampled_from(list(EdgeKind))), max_size=40),
    st.lists(st.sampled_from([LOGIN, PHONE, COOKIE]), min_size=14, max_size=14),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200)
def test_neither_order_nor_numbering_matters(
    drawn: list[tuple[tuple[int, int], int, EdgeKind]],
    kinds: list[IdentifierType],
    random: Random,
) -> None:
    nodes = {n: node(n, kinds[n - 1]) for n in range(1, 15)}
    edges = list(
        {(min(p), max(p), k is EdgeKind.EVIDENCE): edge(*p, at, k) for p, at, k in drawn}.values()
    )
    here = clusters(dict(partition(nodes, edges).person))
    renamed = dict(zip(nodes, random.sample(sorted(nodes), len(nodes)), strict=True))
    other_nodes = {renamed[n]: v._replace(number=renamed[n]) for n, v in nodes.items()}
    other_edges = [
        e._replace(a=min(renamed[e.a], renamed[e.b]), b=max(renamed[e.a], renamed[e.b]))
        for e in random.sample(edges, len(edges))
    ]
    there = clusters(dict(partition(other_nodes, other_edges).person))
    assert {frozenset(renamed[n] for n in c) for c in here} == there


@given(st.lists(st.tuples(pairs, st.integers(0, 9)), max_size=40))
def test_no_person_holds_more_than_the_limits(drawn: list[tuple[tuple[int, int], int]]) -> None:
    kinds = [LOGIN, PHONE, COOKIE, COOKIE]
    nodes = {n: node(n, kinds[n % 4]) for n in range(1, 15)}
    edges = {(min(p), max(p)): edge(*p, at) for p, at in drawn}.values()
    for cluster in clusters(dict(partition(nodes, edges).person)):
        held = [nodes[n].kind for n in cluster]
        assert held.count(LOGIN) <= 1
        assert held.count(PHONE) <= 2


def test_the_older_evidence_wins_the_contested_cookie() -> None:
    nodes = {1: node(1, LOGIN), 2: node(2, LOGIN), 3: node(3, COOKIE)}
    result = partition(nodes, [edge(2, 3, at=5), edge(1, 3, at=4)])
    assert result.person == {1: 1, 2: 2, 3: 1}
    assert [(v.accepted, v.reason) for v in result.verdicts] == [(True, ""), (False, "limit:login")]


def test_a_value_with_too_many_strong_neighbours_of_one_kind_links_nobody() -> None:
    nodes = {n: node(n, LOGIN) for n in range(1, 5)} | {9: node(9, COOKIE)}
    edges = [edge(n, 9, at=n) for n in range(1, 5)]
    assert find_hubs(nodes, edges[:3]) == frozenset()
    result = partition(nodes, edges)
    assert result.hubs == {9}
    assert {v.reason for v in result.verdicts} == {"hub"}
    assert len(clusters(dict(result.person))) == 5


def test_decisions_overrule_evidence_and_limits() -> None:
    nodes = {1: node(1, LOGIN), 2: node(2, LOGIN), 3: node(3, COOKIE)}
    linked = partition(nodes, [edge(1, 2, 9, EdgeKind.LINK)])
    assert linked.person[2] == 1
    cut = partition(nodes, [edge(1, 3, 1), edge(1, 3, 2, EdgeKind.CUT)])
    assert cut.person[3] == 3
    assert cut.verdicts[-1].reason == "cut"


def test_a_cut_holds_against_ways_round() -> None:
    nodes = {n: node(n) for n in (1, 2, 3)}
    result = partition(nodes, [edge(1, 2, 1), edge(2, 3, 2), edge(1, 3, 3, EdgeKind.CUT)])
    assert clusters(dict(result.person)) == {frozenset({1, 2}), frozenset({3})}


@given(st.lists(pairs, max_size=30))
def test_the_explanation_is_a_shortest_path(drawn: list[tuple[int, int]]) -> None:
    edges = {(min(p), max(p)): edge(*p) for p in drawn}
    graph = nx.Graph(list(edges))
    graph.add_nodes_from([1, 2])
    path = shortest_path(1, 2, edges.values())
    if nx.has_path(graph, 1, 2):
        assert path is not None
        assert len(path) == nx.shortest_path_length(graph, 1, 2)
    else:
        assert path is None
