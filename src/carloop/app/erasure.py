"""Erase a person: keys destroyed, rows removed, tombstones left against re-import.

One state transaction removes everything the vault and the other parts hold, puts the person's
addresses on the suppression list as keyed hashes, and queues the erasure of the event store's rows;
the projector carries that out and repeats it after a crash. Journal and quarantine are sealed with
daily keys and age out with them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from carloop.app.audit import AuditLog
from carloop.app.entities.registry import rebuild_relations
from carloop.app.jobs import JobContext, JobKind
from carloop.app.persons.lookup import Persons
from carloop.app.subject_keys import PERSON
from carloop.core.ports.projection import Change
from carloop.core.ports.state import State, Tx
from carloop.core.registry import Catalogue
from carloop.core.scope import Caller
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import NotFound
from carloop.kit.faults import reach

ERASE = "erase_person"
ERASED = "erased"
"""Why the address of an erased person is on the suppression list."""
Cleaner = Callable[[Tx, int, Collection[int]], None]
"""Removes what another part keeps of these fragments, given (tx, tenant, numbers)."""


class Erasure:
    """Erases persons.

    Args:
        reset: drops the loader's caches; called inside the transaction, which excludes it.
        settle: brings the erasure to the event store and out of the write-ahead log, now.
        cleaners: what other parts must remove in the same transaction.
    """

    def __init__(
        self,
        state: State,
        catalogue: Catalogue,
        persons: Persons,
        audit: AuditLog,
        clock: Clock,
        *,
        reset: Callable[[], None] = lambda: None,
        settle: Callable[[], object] = lambda: None,
        cleaners: Sequence[Cleaner] = (),
    ) -> None:
        self._state = state
        self._catalogue = catalogue
        self._persons = persons
        self._audit = audit
        self._clock = clock
        self._reset = reset
        self._settle = settle
        self._cleaners = cleaners

    def check(self, caller: Caller, id: str) -> str:
        """The public id in force of a person that the caller may see; for the job's parameters.

        Raises:
            NotFound: ``person_unknown``.
        """
        with self._state.read() as tx:
            return str(self._persons.known(tx, caller, id).id)

    def erase(self, caller: Caller, id: str) -> int:
        """Erase now; returns how many identifiers there were.

        Raises:
            NotFound: ``person_unknown``.
        """
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            known = self._persons.known(tx, caller, id)
            numbers = known.numbers
            now = to_ms(self._clock.now())
            tx.identity.remember_erased(tenant, [f.key for f in known.fragments], now)
            for fragment in known.fragments:
                tx.suppressions.add(tenant, fragment.key, ERASED, now)
            self._remove(tx, tenant, numbers)
            tx.projection.queue(tenant, [Change("erased", number) for number in numbers])
            self._audit.append(tx, caller, "person.erase", str(known.id), identifiers=len(numbers))
            self._reset()
            reach("erasure.before_commit")
        reach("erasure.committed")
        self._settle()
        reach("erasure.settled")
        self._sweep(tenant, numbers)
        return len(numbers)

    def job(self, caller_of: Callable[[int, str], Caller]) -> JobKind:
        """The kind of job that erases ``params["person"]`` for whoever asked.

        A job that a dying process left runs again; who is gone by then was erased before.

        Args:
            caller_of: the caller for a job's tenant and ``created_by``.
        """

        def run(context: JobContext) -> Mapping[str, Any]:
            caller = caller_of(context.job.tenant, context.job.created_by)
            try:
                return {"identifiers": self.erase(caller, str(context.params["person"]))}
            except NotFound:
                self._settle()
                return {"identifiers": 0}

        return JobKind(ERASE, run, resumable=True)

    def _sweep(self, tenant: int, numbers: Collection[int]) -> None:
        """Once more: a refresh under way may have read the event store before its rows went."""
        with self._state.write() as tx:
            for clean in self._cleaners:
                clean(tx, tenant, numbers)

    def _remove(self, tx: Tx, tenant: int, numbers: Collection[int]) -> None:
        types = self._catalogue.relation_types.values()
        kinds = [r.name for r in types if r.subject == PERSON]
        touched: dict[str, set[tuple[int, int]]] = {}
        if kinds:
            for relation in tx.entities.relations(tenant, kinds, subjects=numbers):
                pair = (relation.object, relation.subject)
                touched.setdefault(relation.kind, set()).add(pair)
            tx.entities.remove_subjects(tenant, kinds, numbers)
        for kind, pairs in touched.items():
            rebuild_relations(tx, tenant, self._catalogue, kind, pairs)
        tx.entities.remove_grants(tenant, numbers)
        for clean in self._cleaners:
            clean(tx, tenant, numbers)
        tx.profiles.remove(tenant, numbers)
        tx.identity.remove(tenant, numbers)
