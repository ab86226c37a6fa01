"""One step of many people: from node to node until something has to be waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from carloop.engines.journeys.draw import drawn
from carloop.engines.journeys.effects import Ask, Draw, Go, Leave, NodeState, Park, Post
from carloop.engines.journeys.graph import Graph

MAX_HOPS = 1000
Answer = Callable[[str], bool | None]


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


class Moved(NamedTuple):
    """People whose step came to the same; ``who`` are places in the list of people given."""

    move: Move
    who: Sequence[int]


class _Party(NamedTuple):
    """People who have gone the same way so far; ``first`` while they stand where they began."""

    at: Position
    posted: list[Posted]
    who: Sequence[int]
    hops: int = 0


def advance(
    graph: Graph,
    at: Position,
    now: int,
    answer: Answer = lambda _: None,
    person: int = 0,
    realm: str = "",
) -> Move:
    """Step one person; see :func:`advance_all`."""
    return advance_all(graph, at, now, answer, [person], realm)[0].move


def advance_all(
    graph: Graph, at: Position, now: int, answer: Answer, people: Sequence[int], realm: str
) -> list[Moved]:
    """Step all who stand ``at`` one place until a wait, an open question or the end.

    Deterministic: the same graph, position, answers, people and ``now`` give the same moves.

    Args:
        graph: the version the people are on.
        at: where they stand.
        now: epoch milliseconds.
        answer: the answer to the question of the node with this id, None where not known yet.
        people: person numbers, which only a split looks at.
        realm: of the journey, so that splits of two journeys are independent.
    """
    done: list[Moved] = []
    parties = [_Party(at, [], range(len(people)))]
    while parties:
        party = parties.pop()
        going = _hop(graph, party, now, answer)
        if isinstance(going, Move):
            done.append(Moved(going, party.who))
        else:
            for port, who in _ways(going, party, people, realm):
                to = graph.successor[party.at.node, port]
                next_at = Position(to, now, party.at.seq + 1, now)
                parties.append(_Party(next_at, list(party.posted), who, party.hops + 1))
    return done


def _hop(graph: Graph, party: _Party, now: int, answer: Answer) -> Move | Go | Draw:
    """Let the node decide: the step is over, or goes on."""
    at = party.at
    if party.hops >= MAX_HOPS:
        return Move(replace(at, due=None, ended="too_many_steps"), party.posted, None)
    node = graph.by_id[at.node]
    effect = node.step(NodeState(at.arrived_at, answer(at.node)), now)
    match effect:
        case Park(until):
            return Move(replace(at, due=until), party.posted, None)
        case Ask(rule):
            return Move(replace(at, due=now), party.posted, rule)
        case Leave(reason):
            over = replace(at, seq=at.seq + 1, due=None, ended=reason)
            return Move(over, party.posted, None)
        case Post():
            party.posted.append(Posted(at.node, at.seq, effect))
            return Go()
    return effect


def _ways(
    effect: Go | Draw, party: _Party, people: Sequence[int], realm: str
) -> list[tuple[str, Sequence[int]]]:
    """By which ports the party leaves, and who by which."""
    if isinstance(effect, Go):
        return [(effect.port, party.who)]
    salt = effect.salt or f"{realm}:{party.at.node}"
    within = drawn(salt, effect.share, [people[n] for n in party.who])
    ways: dict[str, list[int]] = {"a": [], "b": []}
    for n, yes in zip(party.who, within, strict=True):
        ways["a" if yes else "b"].append(n)
    return [(port, who) for port, who in ways.items() if who]
