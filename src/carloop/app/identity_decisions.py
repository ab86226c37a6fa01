"""Merges and splits that people decide; they stand above evidence and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise, product
from uuid import UUID, uuid4

from carloop.app.audit import AuditLog
from carloop.app.components import KnownFragment, Pair, Recompute, pair_of
from carloop.app.persons.lookup import Persons
from carloop.app.persons.visible import Known
from carloop.core.evidence import Edge, EdgeKind
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput

MOST_PAIRS = 10_000


class IdentityDecisions:
    """Writes decisions into the identity graph and recomputes the persons at once.

    Args:
        reset: drops the loader's caches; called inside the transaction, which excludes it.
    """

    def __init__(
        self,
        state: State,
        catalogue: Catalogue,
        persons: Persons,
        audit: AuditLog,
        clock: Clock,
        reset: Callable[[], None] = lambda: None,
    ) -> None:
        self._state = state
        self._types = catalogue.identifiers
        self._persons = persons
        self._audit = audit
        self._clock = clock
        self._reset = reset
        self._recompute = Recompute(catalogue.identifiers)

    def merge(self, caller: Caller, a: str, b: str, reason: str) -> str:
        """Decide that two persons are one; earlier cuts between them are withdrawn.

        Returns the public id of the person they are now.

        Raises:
            NotFound: ``person_unknown``.
            Conflict: ``merge_refused``: an identifier shared by strangers links nobody.
        """
        with self._state.write() as tx:
            one, other = self._persons.known(tx, caller, a), self._persons.known(tx, caller, b)
            edges: dict[Pair, Edge] = {}
            if one.number != other.number:
                self._join(tx, caller, one, other, edges)
            self._decide(tx, caller, [one, other], edges)
            now = self._persons.known(tx, caller, a)
            if now.number != self._persons.known(tx, caller, b).number:
                raise Conflict("these identifiers link nobody", code="merge_refused")
            self._audit.append(
                tx, caller, "person.merge", str(now.id), a=str(one.id), b=str(other.id), why=reason
            )
            return str(now.id)

    def split(self, caller: Caller, id: str, identifiers: Collection[int], reason: str) -> str:
        """Decide that some of a person's identifiers are somebody else's.

        Returns the public id of the person that they are from now on.

        Raises:
            NotFound: ``person_unknown``.
            InvalidInput: ``split_invalid``: none, all, or identifiers that are not the person's.
        """
        gone = set(identifiers)
        with self._state.write() as tx:
            known = self._persons.known(tx, caller, id)
            rest = set(known.numbers) - gone
            if not gone or not rest or not gone <= set(known.numbers):
                raise InvalidInput(
                    "name some of the person's identifiers, not all",
                    code="split_invalid",
                    path="identifiers",
                )
            if len(gone) * len(rest) > MOST_PAIRS:
                raise InvalidInput("too many identifiers", code="split_too_large")
            edges: dict[Pair, Edge] = {}
            at = self._after(tx, caller, known.numbers)
            for one, other in product(sorted(gone), sorted(rest)):
                self._add(edges, one, other, EdgeKind.CUT, at)
            for part in (gone, rest):
                for one, other in pairwise(sorted(part)):
                    self._add(edges, one, other, EdgeKind.LINK, at)
            self._decide(tx, caller, [known], edges)
            (first,) = tx.identity.by_numbers(caller.scope.tenant, [min(gone)])
            (new,) = tx.identity.by_numbers(caller.scope.tenant, [first.person])
            self._audit.append(
                tx, caller, "person.split", str(known.id), identifiers=sorted(gone), why=reason
            )
            return str(UUID(bytes=new.uuid))

    def _join(
        self, tx: Tx, caller: Caller, one: Known, other: Known, edges: dict[Pair, Edge]
    ) -> None:
        mine, theirs = set(one.numbers), set(other.numbers)
        at = self._after(tx, caller, mine | theirs)
        for verdict in tx.identity.edges_of(caller.scope.tenant, mine):
            a, b = verdict.edge.a, verdict.edge.b
            between = (a in mine and b in theirs) or (b in mine and a in theirs)
            if between and verdict.edge.kind is EdgeKind.CUT:
                self._add(edges, a, b, EdgeKind.FREE, at)
        self._add(edges, one.number, other.number, EdgeKind.LINK, at)

    def _after(self, tx: Tx, caller: Caller, numbers: Collection[int]) -> int:
        """Now, or just after the newest decision on these fragments: the last word wins."""
        decided = [
            v.edge.occurred_at
            for v in tx.identity.edges_of(caller.scope.tenant, numbers)
            if v.edge.decision
        ]
        return max([to_ms(self._clock.now()), *(at + 1 for at in decided)])

    def _add(self, edges: dict[Pair, Edge], one: int, other: int, kind: EdgeKind, at: int) -> None:
        edge = Edge(min(one, other), max(one, other), at, f"decision:{uuid4()}", 0, kind)
        edges[pair_of(edge)] = edge

    def _decide(
        self, tx: Tx, caller: Caller, known: Collection[Known], edges: dict[Pair, Edge]
    ) -> None:
        nodes = {f.number: KnownFragment.of(f, self._types) for k in known for f in k.fragments}
        self._recompute.run(tx, caller.scope.tenant, edges, nodes, set(), by=caller.name)
        self._reset()
