"""Why two fragments are one person: the shortest chain of accepted evidence between them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from carloop.core.evidence import Edge


def shortest_path(a: int, b: int, edges: Iterable[Edge]) -> list[Edge] | None:
    """The edges from ``a`` to ``b``, fewest first, then oldest; ``None`` when there is no way.

    Args:
        a: where the path starts.
        b: where it ends.
        edges: accepted ones only.
    """
    around: dict[int, list[Edge]] = defaultdict(list)
    for edge in sorted(edges):
        around[edge.a].append(edge)
        around[edge.b].append(edge)
    came: dict[int, Edge | None] = {a: None}
    waiting = deque([a])
    while waiting and b not in came:
        here = waiting.popleft()
        for edge in sorted(around[here], key=lambda e: e.when):
            there = edge.b if edge.a == here else edge.a
            if there not in came:
                came[there] = edge
                waiting.append(there)
    if b not in came:
        return None
    path: list[Edge] = []
    here = b
    while (step := came[here]) is not None:
        path.append(step)
        here = step.a if step.b == here else step.b
    return path[::-1]
