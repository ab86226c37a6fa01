"""What one event's identifiers say, as edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from carloop.core.evidence import Edge, EdgeKind, Evidence


def edges_of(evidence: Evidence, numbers: Sequence[int]) -> Iterable[Edge]:
    """The edges that one piece of evidence adds.

    The best identifier is tied to each of the others (a star): as good as every pair for telling
    who is who, and far fewer rows. A sender's ``unbind`` cuts, its ``bind`` frees, every pair.

    Args:
        evidence: the event's evidence.
        numbers: fragments of its identifiers, the best first, each once.
    """
    at, message, source = evidence.occurred_at, evidence.message_id, evidence.source
    if evidence.unbind or evidence.bind:
        kind = EdgeKind.CUT if evidence.unbind else EdgeKind.FREE
        for one, other in combinations(sorted(numbers), 2):
            yield Edge(one, other, at, message, source, kind)
    if not evidence.unbind:
        best = numbers[0]
        for other in numbers[1:]:
            a, b = (best, other) if best < other else (other, best)
            yield Edge(a, b, at, message, source, EdgeKind.EVIDENCE)


def stronger(new: Edge, known: Edge) -> bool:
    """Whether ``new`` replaces ``known`` of the same pair: earlier evidence, later decisions."""
    if new.decision:
        return (*new.when, new.kind) > (*known.when, known.kind)
    return (*new.when, new.source) < (*known.when, known.source)
