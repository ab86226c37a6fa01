"""One step of one person: from node to node until something has to be waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from carloop.engines.journeys.effects import Ask, Go, Leave, NodeState, Park, Post
from carloop.engines.journeys.graph import Graph

MAX_HOPS = 1000


@dataclass(frozen=True, slots=True)
class Position:
    """Where a person stands. Times are epoch milliseconds.

    Attributes:
        seq: how many nodes were stepped so far; the visit number of the next one.
        due: when to step again; None once the journey is over.
        ended: why it is over.
    """

    node: str
    arrived_at: int
    seq: int = 0
    due: int | None = 0
    ended: str = ""


class Posted(NamedTuple):
    """A message that a node put into the outbox; ``visit`` makes its key."""

    node: str
    visit: int
    post: Post


class Move(NamedTuple):
    """What came of a step."""

    position: Position
    posted: list[Posted]
    asked: Mapping[str, Any] | None


def advance(
    graph: Graph, at: Position, now: int, answer: Callable[[str], bool | None] = lambda _: None
) -> Move:
    """Step from ``at`` until a wait, an open question or the end.

    Deterministic: the same graph, position, answers and ``now`` give the same move.

    Args:
        graph: the version the person is on.
        at: where the person stands.
        now: epoch milliseconds.
        answer: the answer to the question of the node with this id, None where not known yet.
    """
    posted: list[Posted] = []
    for _ in range(MAX_HOPS):
        node = graph.by_id[at.node]
        effect = node.step(NodeState(at.arrived_at, answer(at.node)), now)
        match effect:
            case Park(until):
                return Move(replace(at, due=until), posted, None)
            case Ask(rule):
                return Move(replace(at, due=now), posted, rule)
            case Leave(reason):
                over = replace(at, seq=at.seq + 1, due=None, ended=reason)
                return Move(over, posted, None)
            case Post():
                posted.append(Posted(at.node, at.seq, effect))
                port = "next"
            case Go(port):
                pass
        at = Position(graph.successor[at.node, port], now, at.seq + 1, now)
    return Move(replace(at, due=None, ended="too_many_steps"), posted, None)
