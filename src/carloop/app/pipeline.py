"""The loader: from the journal into the event store and the state store, each event exactly once.

One cycle is one state transaction. Rows go into the event store before it commits and carry their
journal sequence; whatever lies beyond the committed cursor is deleted before anything is loaded
again, so that a crash at any instant leaves no trace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from carloop.app.entities.registry import EntityRegistry
from carloop.app.identity import IdentityResolver
from carloop.app.ingest.faults import count_faults
from carloop.app.ingest.filing import Filing
from carloop.app.ingest.prepare import Prepared, Preparer
from carloop.app.ingest.reading import Reader, where
from carloop.app.ingest.repeats import Repeats
from carloop.app.ingest.rows import rows
from carloop.app.persons.profiles import ProfileWriter
from carloop.app.tracking.watch import PlanWatch
from carloop.connectors.protocol import Decoder
from carloop.core.events import SEQ_BITS
from carloop.core.ports.event_store import EventStore
from carloop.core.ports.journal import Journal, JournalKeys
from carloop.core.ports.pipeline import QuarantinedEvent, SeenChunk, SeenIds
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.kit.clock import from_ms
from carloop.kit.errors import Retryable, Unavailable
from carloop.kit.faults import reach

log = structlog.get_logger(__name__)

CURSOR = "loader"
MOST_EVENTS = 20_000
MOST_BYTES = 16 * 1024 * 1024
MOST_POISON = 100
"""More failures than this in one cycle are taken for a fault of the store, not of the events."""
DAY_MS = 86_400_000
SEEN_DAYS = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """What one cycle did.

    Attributes:
        events: taken from the journal, whatever became of them.
        stored: new rows of the event store.
        erased: events about persons erased since they occurred, which are not stored.
        cursor: sequence up to which everything is loaded.
    """

    batches: int
    events: int
    stored: int
    duplicates: int
    quarantined: int
    cursor: int
    seconds: float
    erased: int = 0


class Pipeline:
    """Loads the journal. One per data directory; not thread-safe.

    Args:
        protocols: decoders by name.
        listeners: called after each commit that did something.
        watch: what the tenants' plans refuse; None: nothing.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        state: State,
        event_store: EventStore,
        seen: SeenIds,
        catalogue: Catalogue,
        cipher: Cipher,
        keys: JournalKeys,
        protocols: Mapping[str, Decoder],
        listeners: Sequence[Callable[[Progress], None]] = (),
        watch: PlanWatch | None = None,
    ) -> None:
        self._journal = journal
        self._state = state
        self._event_store = event_store
        self._seen = seen
        self._repeats = Repeats(state, event_store, SEEN_DAYS - 1)
        self.preparer = Preparer(catalogue, cipher, watch)
        self._reader = Reader(protocols, self.preparer, cipher, keys)
        self._filing = Filing(
            catalogue,
            IdentityResolver(catalogue, cipher),
            ProfileWriter(catalogue, cipher),
            EntityRegistry(catalogue, cipher),
        )
        self.listeners = list(listeners)
        self._cursor: int | None = None
        self._poison = 0
        self._stored = 0
        self._told: set[tuple[int, int]] = set()
        self.torn_rows = 0
        """Rows beyond the cursor that recovery has deleted since the process started."""

    @property
    def cursor(self) -> int:
        """Sequence up to which everything is loaded; 0 before :meth:`recover`."""
        return self._cursor or 0

    def recover(self) -> int:
        """Read the cursor, delete torn rows, bring the seen ids up to date.

        Runs by itself before the first cycle and after every failed one. Returns the number of
        rows deleted.
        """
        self._filing.reset()
        with self._state.read() as tx:
            cursor = tx.pipeline.cursor(CURSOR)
            self._seen.catch_up(tx.pipeline)
        torn = self._event_store.delete_after("events", cursor)
        reach("loader.recovered")
        self._cursor = cursor
        self.torn_rows += torn
        if torn:
            log.info("torn_rows_deleted", rows=torn, cursor=cursor)
        return torn

    def run_once(self) -> Progress:
        """One cycle: up to about 20 000 events.

        Raises:
            Unavailable: a store does not take anything now; the next call begins anew.
        """
        started = time.perf_counter()
        if self._cursor is None:
            self.recover()
        assert self._cursor is not None
        batches = self._journal.read(self._first_batch(self._cursor), MOST_BYTES)
        work = self._reader.read(batches, self._cursor, MOST_EVENTS)
        if not work.batches:
            return Progress(0, 0, 0, 0, 0, self._cursor, 0.0)
        reach("loader.read")
        fresh = self._repeats.without(self._fresh(work.prepared))
        self._poison = self._stored = 0
        self._told.clear()
        quarantined = len(work.quarantined)
        self._load(fresh, work.quarantined, work.cursor)
        progress = Progress(
            batches=work.batches,
            events=work.events,
            stored=self._stored,
            duplicates=len(work.prepared) - len(fresh),
            quarantined=quarantined + self._poison,
            cursor=work.cursor,
            seconds=time.perf_counter() - started,
            erased=len(fresh) - self._stored - self._poison,
        )
        for listener in self.listeners:
            listener(progress)
        return progress

    def forget(self) -> None:
        """Drop what is cached of persons and entities.

        For whoever changes them; to be called inside the write transaction that does, which keeps
        the loader out.
        """
        self._filing.reset()

    def rest(self) -> None:
        """Drop every cache: nothing is expected for a while. For the loader's own thread."""
        self._filing.reset()
        self.preparer.forget()

    def expire(self, now_ms: int, journal_days: int) -> None:
        """Let go of journal, quarantine and seen ids by age; what is not loaded stays."""
        before = now_ms - journal_days * DAY_MS
        self._journal.expire(before, self._first_batch(self.cursor))
        seen_before = now_ms // DAY_MS - max(SEEN_DAYS, journal_days + 1)
        with self._state.write() as tx:
            tx.quarantine.expire(from_ms(before).date().isoformat())
            tx.pipeline.forget_seen(seen_before)
        self._seen.forget(seen_before)

    @staticmethod
    def _first_batch(cursor: int) -> int:
        """The last batch wholly loaded: the cursor may stand within the next one."""
        return (cursor + 1 >> SEQ_BITS) - 1 if cursor else 0

    def _fresh(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        """Events never seen, the first of each id."""
        first: dict[bytes, Prepared] = {}
        for event in prepared:
            first.setdefault(event.event_id, event)
        known = self._seen.known(list(first))
        return [e for e, old in zip(first.values(), known.tolist(), strict=True) if not old]

    def _load(
        self, events: Sequence[Prepared], quarantined: Sequence[QuarantinedEvent], cursor: int
    ) -> None:
        """Commit; where an event of ours fails, halve until it stands alone and set it aside."""
        try:
            self._commit(events, quarantined, cursor)
            return
        except (Unavailable, Retryable):
            self._cursor = None
            raise
        except Exception as error:
            self._cursor = None
            self.recover()
            if not events or self._poison >= MOST_POISON:
                self._cursor = None
                raise
            if len(events) == 1:
                log.error("event_poisonous", seq=events[0].seq, **where(error))
        if len(events) == 1:
            self._poison += 1
            self._load([], [*quarantined, self._reader.poison(events[0])], cursor)
            return
        half = len(events) // 2
        self._load(events[:half], quarantined, events[half - 1].seq)
        self._load(events[half:], quarantined, cursor)

    def _commit(
        self, events: Sequence[Prepared], quarantined: Sequence[QuarantinedEvent], cursor: int
    ) -> None:
        chunk: SeenChunk | None = None
        stored = 0
        told = self._told
        with self._state.write() as tx:
            if events:
                filed = self._filing.file(tx, events)
                stored = len(filed)
                reach("loader.inserting")
                self._event_store.insert("events", rows(filed))
                reach("loader.inserted")
                newest = max(e.received_at for e in events) // DAY_MS
                chunk = SeenChunk(cursor, newest, b"".join([e.event_id for e in events]))
                tx.pipeline.add_seen(chunk)
            tx.quarantine.add(quarantined)
            count_faults(tx, events, [q for q in quarantined if (q.batch, q.index) not in told])
            tx.pipeline.move_cursor(CURSOR, cursor)
            reach("loader.before_commit")
        reach("loader.committed")
        self._cursor = cursor
        self._stored += stored
        told.update((q.batch, q.index) for q in quarantined)
        if chunk is not None:
            self._seen.add(chunk)
