"""The dispatcher: what waits in the outbox leaves, and is never sent twice by itself.

``new → claimed → attempting → sent | failed | unknown``. The attempt is committed before the
channel is called, so that a crash in between leaves a trace; what that trace means is the
channel's ``delivery``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import structlog

from carloop.app.channels import OpenChannels, read_policy
from carloop.app.guard import Guard, Ready
from carloop.core.message import Delivery, Outcome, Refused, SendState, Sent, Unclear
from carloop.core.ports.channels import Channel, StoredChannel
from carloop.core.ports.sends import Send, Settled
from carloop.core.ports.state import State, Tx
from carloop.engines.journeys.pace import available, draw, next_at
from carloop.engines.journeys.retry import MAX_ATTEMPTS, wait_ms
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import CarloopError
from carloop.kit.faults import reach

log = structlog.get_logger(__name__)

LEASE_FACTOR = 3
"""A lease outlasts what it covers this many times."""
_LONGEST_REST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is under way at once, per channel.

    Attributes:
        batch: sends claimed together.
        concurrency: attempts at the same time; a crash leaves at most this many unknown.
    """

    batch: int = 80
    concurrency: int = 8


class Dispatcher:
    """Sends what is due, every channel on its own thread. Many dispatchers may run."""

    def __init__(
        self,
        state: State,
        channels: OpenChannels,
        guard: Guard,
        clock: Clock,
        pace: Pace | None = None,
    ) -> None:
        self._state = state
        self._channels = channels
        self._guard = guard
        self._clock = clock
        self._pace = pace or Pace()
        self._rest = _Rest()
        self._busy: dict[int, Future[Counter[SendState]]] = {}
        self._lanes = ThreadPoolExecutor(16, thread_name_prefix="channel")
        self._attempts = ThreadPoolExecutor(64, thread_name_prefix="send")

    def run_once(self, now: datetime, *, wait_for_all: bool = True) -> Counter[SendState]:
        """Send one batch per channel that has something due at ``now``.

        Args:
            now: the instant; leases and results are stamped by the clock.
            wait_for_all: False returns at once, so that a slow channel never holds up another; a
                channel still busy is left alone.

        Returns:
            How many sends came to each state, of the batches that ended.
        """
        at = to_ms(now)
        with self._state.read() as tx:
            waiting = tx.sends.waiting(at)
        for channel in waiting:
            if channel not in self._busy and self._rest.over(channel, at):
                self._busy[channel] = self._lanes.submit(self._lane, channel, at)
        if wait_for_all:
            wait(self._busy.values())
        done: Counter[SendState] = Counter()
        for channel, lane in list(self._busy.items()):
            if lane.done():
                del self._busy[channel]
                done += lane.result()
        return done

    def close(self) -> None:
        """Finish what is under way and stop the threads."""
        self._lanes.shutdown()
        self._attempts.shutdown()

    def _lane(self, number: int, at: int) -> Counter[SendState]:
        """One batch of one channel."""
        try:
            with self._state.read() as tx:
                stored = tx.channels.numbered(number)
                room = _Pacing(tx, stored).room(at, self._pace.batch)
            if not room:
                return Counter()
            channel = self._channels.of(stored)
        except CarloopError as error:
            log.warning("channel_unusable", channel=number, code=error.code)
            self._rest.begin(number, at)
            return Counter()
        return _Lane(self, stored, channel).run(at, room)


class _Lane:
    """One batch through one channel, in waves of as many attempts as may be under way."""

    def __init__(self, owner: Dispatcher, stored: StoredChannel, channel: Channel) -> None:
        self._owner = owner
        self._state = owner._state
        self._stored = stored
        self._channel = channel
        self._repeats = channel.delivery is Delivery.AT_LEAST_ONCE
        self._timeout_ms = int(channel.timeout_seconds * 1000)
        self._done: Counter[SendState] = Counter()

    def run(self, at: int, room: int) -> Counter[SendState]:
        """Claim up to ``room``; then by waves: write the last results, look again, mark, send."""
        pace = self._owner._pace
        width = pace.concurrency if self._owner._rest.healthy(self._stored.id) else 1
        waves = -(-pace.batch // width)
        lease = at + LEASE_FACTOR * self._timeout_ms * waves
        with self._state.write() as tx:
            tx.sends.recover(self._stored.id, at, self._repeats)
            left = list(tx.sends.claim(self._stored.id, at, lease, room))
        reach("sends.claimed")
        settled: list[Settled] = []
        while left or settled:
            wave, left = left[:width], left[width:]
            ready = self._mark(settled, wave)
            if ready:
                reach("sends.attempting")
            outcomes = self._attempt(ready)
            if ready:
                reach("sends.sent")
            now = self._now()
            settled = [
                settle(it.send, outcome, self._repeats, now)
                for it, outcome in zip(ready, outcomes, strict=True)
            ]
            if self._owner._rest.note(self._stored.id, outcomes, now):
                settled += [_released(send) for send in left]
                left = []
        return self._done

    def _mark(self, settled: Sequence[Settled], wave: Sequence[Send]) -> list[Ready]:
        """One transaction: the last wave's results, the last look, and the mark."""
        now = self._now()
        with self._state.write() as tx:
            tx.sends.settle(settled, now)
            tx.enrolments.apply_merges()
            held = tx.sends.held(wave) if wave else []
            stored = tx.channels.numbered(self._stored.id)
            pacing = _Pacing(tx, stored)
            room = pacing.room(now, len(held)) if stored.enabled else 0
            ready, judged = self._owner._guard.look(tx, stored, self._channel, held[:room], now)
            pacing.draw(now, len(ready))
            judged += [_released(send, pacing.next_at()) for send in held[room:]]
            tx.sends.settle(judged, now)
            tx.sends.attempt([it.send for it in ready], now, now + LEASE_FACTOR * self._timeout_ms)
        self._done.update(it.state for it in (*settled, *judged))
        return ready

    def _attempt(self, ready: Sequence[Ready]) -> list[Outcome]:
        now = self._owner._clock.now()
        return list(self._owner._attempts.map(lambda it: self._send(it, now), ready))

    def _send(self, it: Ready, now: datetime) -> Outcome:
        try:
            return self._channel.send(it.message, now)
        except Exception as error:
            log.exception("channel_failed", channel=self._stored.uuid, error=type(error).__name__)
            return Unclear("channel_error")

    def _now(self) -> int:
        return to_ms(self._owner._clock.now())


class _Pacing:
    """The channel's rate, drawn from one bucket that all dispatchers share through the store."""

    def __init__(self, tx: Tx, stored: StoredChannel) -> None:
        self._tx = tx
        self._channel = stored.id
        self._rate = read_policy(stored.policy).rate
        self._free_at = tx.sends.free_at(stored.id) if self._rate else 0

    def room(self, now: int, wanted: int) -> int:
        """How many of ``wanted`` may leave at ``now`` (epoch ms)."""
        if self._rate is None:
            return wanted
        return min(wanted, available(self._rate, self._free_at, now * 1000))

    def next_at(self) -> int:
        """When more may leave, epoch ms; the past where that is now."""
        return 0 if self._rate is None else -(-next_at(self._rate, self._free_at) // 1000)

    def draw(self, now: int, messages: int) -> None:
        """``messages`` leave at ``now``."""
        if self._rate is not None and messages:
            self._free_at = draw(self._rate, self._free_at, now * 1000, messages)
            self._tx.sends.pace(self._channel, self._free_at)


class _Rest:
    """A breaker per channel: when nobody answers, rest, then try with a single message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[int] = Counter()
        self._until: dict[int, int] = {}

    def over(self, channel: int, now: int) -> bool:
        """Whether the channel may be used at ``now``."""
        with self._lock:
            return now >= self._until.get(channel, 0)

    def healthy(self, channel: int) -> bool:
        """Whether the last wave reached anybody."""
        with self._lock:
            return not self._failures[channel]

    def begin(self, channel: int, now: int) -> None:
        """Rest, longer each time in a row."""
        with self._lock:
            self._failures[channel] += 1
            pause = min(wait_ms(self._failures[channel]), _LONGEST_REST_MS)
            self._until[channel] = now + pause

    def note(self, channel: int, outcomes: Sequence[Outcome], now: int) -> bool:
        """Learn from a wave; True where the rest of the batch had better wait."""
        if not outcomes:
            return False
        if all(isinstance(o, Refused) and o.retry for o in outcomes):
            self.begin(channel, now)
            return True
        with self._lock:
            self._failures[channel] = 0
        return False


def settle(send: Send, outcome: Outcome, repeats: bool, now: int) -> Settled:
    """What an attempt's outcome means for the send.

    Args:
        send: as it was before the attempt.
        outcome: what the channel said.
        repeats: whether the channel may repeat what is unclear.
        now: epoch milliseconds.
    """
    attempts = send.attempts + 1
    if isinstance(outcome, Sent):
        return Settled(
            send.key, send.fence, SendState.SENT, "", send.not_before, outcome.provider_id
        )
    unclear = isinstance(outcome, Unclear)
    again = repeats if unclear else isinstance(outcome, Refused) and outcome.retry
    if again and attempts < MAX_ATTEMPTS:
        after = outcome.retry_after_seconds if isinstance(outcome, Refused) else None
        later = now + wait_ms(attempts, after)
        return Settled(send.key, send.fence, SendState.NEW, outcome.reason, later)
    state = SendState.UNKNOWN if unclear else SendState.FAILED
    return Settled(send.key, send.fence, state, outcome.reason, send.not_before)


def _released(send: Send, not_before: int = 0) -> Settled:
    later = max(send.not_before, not_before)
    return Settled(send.key, send.fence, SendState.NEW, send.reason, later)
