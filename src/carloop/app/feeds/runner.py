"""Reads feeds: each due one in a thread of its own, so that a dead source slows no other.

For every page: journal (durable), note the cursor, acknowledge. A crash between two of these steps
reads some records again, and their keys make that harmless.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from carloop.app.feeds import schedule
from carloop.app.feeds.drift import changes
from carloop.app.feeds.meanings import Meaning, meaning_of
from carloop.app.feeds.opened import OpenFeeds
from carloop.app.feeds.records import NAME, Hint, packed
from carloop.core.events import Received
from carloop.core.feeds import Feed, FeedColumn, FeedPage
from carloop.core.ports.feeds import Drift, DriftKind, FeedProgress, FeedRun, RunState, StoredFeed
from carloop.core.ports.journal import Journal
from carloop.core.ports.state import State
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock, from_ms, to_ms
from carloop.kit.errors import CarloopError, Conflict, InvalidInput

log = structlog.get_logger(__name__)

AT_ONCE = 16
ENDLESS_AT_ONCE = 64
"""Feeds without end have places of their own: they never give one up."""
MOST_WAITING = 4_000
"""Journal batches that may wait for the loader before reading pauses."""
WAIT_SECONDS = 0.2
STOP_SECONDS = 15.0
MOST_LATER = 86_400
"""Seconds that a source may put off its next reading by."""
MOST_COLUMNS = 500


@dataclass(slots=True)
class _Reading:
    """A run under way; ``again``: it was asked to stop so as to begin with new settings."""

    thread: threading.Thread | None
    stop: threading.Event
    endless: bool
    again: bool = False


class FeedRunner:
    """Starts due feeds, and any feed on request.

    Args:
        waiting: journal batches that the loader has not taken yet.
    """

    def __init__(
        self,
        state: State,
        journal: Journal,
        feeds: OpenFeeds,
        catalogue: Catalogue,
        clock: Clock,
        waiting: Callable[[], int],
    ) -> None:
        self._state = state
        self._journal = journal
        self._feeds = feeds
        self._catalogue = catalogue
        self._clock = clock
        self._waiting = waiting
        self._lock = threading.Lock()
        self._readings: dict[int, _Reading] = {}
        self._closed = False

    def recover(self) -> None:
        """Note the end of runs that a dead process left; they go on from their cursors now."""
        now = self._now()
        with self._state.write() as tx:
            for run in tx.feeds.running():
                tx.feeds.save_run(replace(run, state=RunState.STOPPED, finished_at=now))
                progress = tx.feeds.progress(run.feed)
                tx.feeds.save_progress(replace(progress, due_at=now))

    def step(self) -> bool:
        """Start what is due; one piece of a loop's work."""
        with self._state.read() as tx:
            due = tx.feeds.due(self._now(), 2 * (AT_ONCE + ENDLESS_AT_ONCE))
        for feed in due:
            if feed.id not in self._readings and not self._closed and self._room(feed):
                self.start(feed, "schedule")
        return False

    def _room(self, feed: StoredFeed) -> bool:
        endless = self._feeds.kinds[feed.kind].endless
        with self._lock:
            under_way = sum(it.endless == endless for it in self._readings.values())
        return under_way < (ENDLESS_AT_ONCE if endless else AT_ONCE)

    def start(self, feed: StoredFeed, trigger: str) -> None:
        """Run a feed in a thread of its own.

        Raises:
            Conflict: ``feed_running``.
        """
        reading = self._claim(feed)
        thread = threading.Thread(
            target=self._in_thread,
            args=(feed, trigger, reading),
            name=f"feed-{feed.id}",
            daemon=True,
        )
        reading.thread = thread
        thread.start()

    def run(self, feed: StoredFeed, trigger: str = "manual") -> FeedRun:
        """Run a feed to its end, or until it is stopped, in this thread.

        Raises:
            Conflict: ``feed_running``.
        """
        reading = self._claim(feed)
        try:
            return self._run(feed, trigger, reading)
        finally:
            self._release(feed)

    def is_running(self, feed: int) -> bool:
        """Whether a run is under way."""
        return feed in self._readings

    def stop_one(self, feed: int, *, again: bool = False) -> bool:
        """Ask a run to stop after its page; False where none is under way.

        A feed without end then stays stopped until somebody runs it, unless ``again``: it begins
        anew at once.
        """
        reading = self._readings.get(feed)
        if reading is not None:
            reading.again = again
            reading.stop.set()
        return reading is not None

    def close(self) -> None:
        """Stop every run after its page and wait for them."""
        self._closed = True
        with self._lock:
            readings = list(self._readings.values())
        for reading in readings:
            reading.stop.set()
        for reading in readings:
            if reading.thread is not None:
                reading.thread.join(STOP_SECONDS)

    def _claim(self, feed: StoredFeed) -> _Reading:
        with self._lock:
            if feed.id in self._readings:
                raise Conflict("this feed is being read", code="feed_running")
            endless = self._feeds.kinds[feed.kind].endless
            reading = self._readings[feed.id] = _Reading(None, threading.Event(), endless)
            return reading

    def _release(self, feed: StoredFeed) -> None:
        with self._lock:
            self._readings.pop(feed.id, None)

    def _in_thread(self, feed: StoredFeed, trigger: str, reading: _Reading) -> None:
        try:
            self._run(feed, trigger, reading)
        except CarloopError as error:
            log.warning("feed_waits", feed=feed.id, code=error.code)
        finally:
            self._release(feed)

    def _run(self, feed: StoredFeed, trigger: str, reading: _Reading) -> FeedRun:
        run = FeedRun(tenant=feed.tenant, feed=feed.id, started_at=self._now(), trigger=trigger)
        with self._state.write() as tx:
            run = tx.feeds.start_run(run)
            progress = tx.feeds.progress(feed.id)
            cursor = None if trigger == "again" else progress.cursor
            progress = replace(progress, cursor=cursor, due_at=None)
            tx.feeds.save_progress(progress)
        try:
            run, progress = self._read(feed, run, progress, reading.stop)
            code, later = "", 0
        except CarloopError as error:
            code, later = error.code, error.retry_after_seconds or 0
        except Exception as error:
            log.exception("feed_crashed", feed=feed.id, error=type(error).__name__)
            code, later = "unexpected", 0
        return self._finish(feed, run, code, reading, timedelta(seconds=min(later, MOST_LATER)))

    def _read(
        self, feed: StoredFeed, run: FeedRun, progress: FeedProgress, stop: threading.Event
    ) -> tuple[FeedRun, FeedProgress]:
        if not feed.mapping:
            raise InvalidInput("say first what its columns mean", code="mapping_missing")
        meaning = meaning_of(feed.mapping, self._catalogue)
        opened = self._feeds.of(feed)
        try:
            progress = self._look(feed, opened, progress, meaning.names)
            with self._state.read() as tx:
                source = tx.sources.get(feed.tenant, feed.source)
            if source is None or not source.enabled:
                raise InvalidInput("the source is switched off", code="source_disabled")
            for page in opened.pages(progress.cursor, stop.is_set):
                seen = self._seen(feed, progress, page)
                run, progress = self._keep(feed, run, seen, page, meaning)
                opened.acknowledge(page)
                self._breathe(stop)
                if stop.is_set():
                    break
        finally:
            opened.close()
        return run, progress

    def _keep(
        self,
        feed: StoredFeed,
        run: FeedRun,
        progress: FeedProgress,
        page: FeedPage,
        meaning: Meaning,
    ) -> tuple[FeedRun, FeedProgress]:
        """Journal a page, then note how far the feed is."""
        now, hint = self._now(), str(Hint(meaning.digest, meaning.places))
        bodies = [
            Received(
                tenant=feed.tenant,
                source=feed.source,
                protocol=NAME,
                received_at=now,
                body=body,
                hint=hint,
            )
            for body in packed(page.records, meaning.places)
        ]
        if bodies:
            self._journal.append(bodies)
        run = replace(
            run,
            records=run.records + len(page.records),
            bad=run.bad + sum(1 for record in page.records if record.code),
            bytes=run.bytes + sum(len(record.body) for record in page.records),
            total=page.total if page.total is not None else run.total,
        )
        if page.cursor is not None:
            progress = replace(progress, cursor=page.cursor)
        with self._state.write() as tx:
            tx.feeds.save_progress(progress)
            tx.feeds.save_run(run)
        return run, progress

    def _look(
        self, feed: StoredFeed, opened: Feed, progress: FeedProgress, mapped: Collection[str]
    ) -> FeedProgress:
        """Compare the declared columns with those of the last run.

        Raises:
            InvalidInput: ``schema_drift``: a mapped column is gone, and the feed is to stop then.
        """
        columns = opened.columns()
        found = changes(progress.columns, columns, mapped) if columns else []
        lost = {DriftKind.REMOVED, DriftKind.RENAMED}
        blocks = feed.drift == "stop" and any(c.mapped and c.kind in lost for c in found)
        with self._state.write() as tx:
            known = {(d.kind, d.column) for d in tx.feeds.drift(feed.id, pending=True)}
            tx.feeds.add_drift(
                [
                    Drift(
                        tenant=feed.tenant, feed=feed.id, at=self._now(),
                        kind=c.kind, column=c.column, detail=c.detail, mapped=c.mapped,
                    )
                    for c in found
                    if (c.kind, c.column) not in known
                ]
            )  # fmt: skip
            if not blocks and columns:
                progress = replace(progress, columns=columns)
                tx.feeds.save_progress(progress)
        if blocks:
            raise InvalidInput("columns that are mapped are gone", code="schema_drift")
        return progress

    def _seen(self, feed: StoredFeed, progress: FeedProgress, page: FeedPage) -> FeedProgress:
        """New names in records of a source that declares no columns."""
        if not page.records or any(column.type for column in progress.columns):
            return progress
        known = {column.name for column in progress.columns}
        fresh = [name for name in _names(page) if name not in known]
        if not fresh or len(known) >= MOST_COLUMNS:
            return progress
        if progress.columns:
            with self._state.write() as tx:
                tx.feeds.add_drift(
                    [
                        Drift(
                            tenant=feed.tenant, feed=feed.id, at=self._now(),
                            kind=DriftKind.ADDED, column=name[:200],
                        )
                        for name in fresh
                    ]
                )  # fmt: skip
        added = tuple(FeedColumn(name[:200], "") for name in fresh[: MOST_COLUMNS - len(known)])
        return replace(progress, columns=(*progress.columns, *added))

    def _breathe(self, stop: threading.Event) -> None:
        """Wait while the loader is far behind: the journal is not to grow without end."""
        while not stop.is_set() and self._waiting() > MOST_WAITING:
            stop.wait(WAIT_SECONDS)

    def _finish(
        self, feed: StoredFeed, run: FeedRun, code: str, reading: _Reading, later: timedelta
    ) -> FeedRun:
        """Note how a run ended; ``later``: how long its source asks to be left alone."""
        now, stopped = self._clock.now(), reading.stop.is_set()
        with self._state.write() as tx:
            noted = next((r for r in tx.feeds.runs(feed.id, 1) if r.id == run.id), run)
            ended = RunState.STOPPED if stopped else RunState.DONE
            state = RunState.FAILED if code else ended
            run = replace(noted, state=state, finished_at=to_ms(now), code=code)
            tx.feeds.save_run(run)
            current = tx.feeds.numbered(feed.id)
            progress = tx.feeds.progress(feed.id)
            failures = (1 if run.records else progress.failures + 1) if code else 0
            zone = ZoneInfo(tx.tenants.get(feed.tenant).zone)
            due = schedule.next_run(current.schedule, now, zone) if current.enabled else None
            if due is not None and code:
                due = max(due, now + max(schedule.pause(failures), later))
            if stopped and reading.endless and not (reading.again or self._closed):
                due = None
            tx.feeds.save_progress(
                replace(
                    progress,
                    due_at=None if due is None else to_ms(due),
                    failures=failures,
                    code=code,
                )
            )
        log.info(
            "feed_read", feed=feed.id, run=run.id, state=state.value, code=code,
            records=run.records, bad=run.bad,
            seconds=(now - from_ms(run.started_at)).total_seconds(),
        )  # fmt: skip
        return run

    def _now(self) -> int:
        return to_ms(self._clock.now())


def _names(page: FeedPage) -> Sequence[str]:
    """Names at the top of the page's documents, in order of appearance."""
    found: dict[str, None] = {}
    for record in page.records:
        if record.code:
            continue
        try:
            document: Any = msgspec.json.decode(record.body)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(document, dict):
            found.update(dict.fromkeys(map(str, document)))
    return list(found)
