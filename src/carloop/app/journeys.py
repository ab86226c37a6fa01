"""Journeys at work: people enter as their segment changes, and are stepped when they are due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from carloop.core.message import SendKey
from carloop.core.ports.audience import Audience, Change
from carloop.core.ports.journeys import Enrolment, Journey
from carloop.core.ports.sends import Send
from carloop.core.ports.state import State, Tx
from carloop.engines.journeys.effects import Post
from carloop.engines.journeys.graph import Graph, read_graph
from carloop.engines.journeys.nodes import Condition
from carloop.engines.journeys.step import Move, Position, advance
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput, NotFound, Retryable, Unavailable

log = structlog.get_logger(__name__)

CHUNK = 5_000


class Graphs:
    """Published graphs by journey and version; they never change, so they are kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Graph] = {}

    def of(self, tx: Tx, journey: int, version: int) -> Graph:
        """The graph of one version."""
        if (journey, version) not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[journey, version] = read_graph(tx.journeys.graph(journey, version))
        return self._known[journey, version]


class JourneyEntries:
    """Listens to segments: whoever enters one starts its journeys, in the same transaction."""

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs

    def changed(self, tx: Tx, change: Change) -> None:
        """Take in those who entered; count those whom only history brought."""
        journeys = tx.journeys.started_by(change.tenant, change.segment)
        if not journeys:
            return
        tx.enrolments.apply_merges()
        for journey in journeys:
            taken = self.enter(tx, journey, change.entered, change.as_of)
            history = len(change.entered_by_history)
            if history:
                tx.journeys.count_history(journey.id, history)
            log.info("journey_entered", journey=journey.uuid, taken=taken, history=history)

    def enter(self, tx: Tx, journey: Journey, people: Iterable[int], as_of: int) -> int:
        """Take ``people`` into the published version, if its period holds; returns how many."""
        graph = self._graphs.of(tx, journey.id, journey.version)
        start = graph.start
        if start is None or graph.period is None or not graph.period.holds(as_of):
            return 0
        zone = ZoneInfo(tx.tenants.get(journey.tenant).zone)
        ekey = start.entry_key(as_of, zone)
        return tx.enrolments.enter(journey, people, ekey, start.id, as_of)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one round did."""

    moved: int
    posted: int
    waiting_for_answers: int


class JourneyWorker:
    """Steps due enrolments. Many may run; each step is written over the position it was read at."""

    def __init__(
        self, state: State, audience: Audience, graphs: Graphs, *, chunk: int = CHUNK
    ) -> None:
        self._state = state
        self._audience = audience
        self._graphs = graphs
        self._chunk = chunk

    def run_once(self, now: datetime) -> Stepped:
        """One chunk: ask the rules outside any transaction, then step and post inside one."""
        at = to_ms(now)
        with self._state.read() as tx:
            due = tx.enrolments.due(at, self._chunk)
            questions = self._questions(tx, due)
        if not due:
            return Stepped(0, 0, 0)
        answers = self._answers(questions, at)
        with self._state.write() as tx:
            return self._step(tx, at, answers)

    def _step(self, tx: Tx, at: int, answers: _Answers) -> Stepped:
        tx.enrolments.apply_merges()
        round_ = _Round(tx)
        for it in tx.enrolments.due(at, self._chunk):
            graph = self._graphs.of(tx, it.journey, it.version)
            if (it.id, it.seq) in answers.impossible:
                round_.end(it, "condition_invalid")
            elif isinstance(graph.by_id[it.node], Condition) and not answers.know(it):
                round_.unanswered += 1
            else:
                round_.take(it, _advance(graph, it, at, answers), at)
        return round_.write()

    def _questions(self, tx: Tx, due: Iterable[Enrolment]) -> dict[_Question, list[Enrolment]]:
        found: dict[_Question, list[Enrolment]] = defaultdict(list)
        for it in due:
            graph = self._graphs.of(tx, it.journey, it.version)
            if isinstance(graph.by_id[it.node], Condition):
                found[_Question(it.tenant, it.journey, it.version, it.node)].append(it)
        return found

    def _answers(self, questions: Mapping[_Question, list[Enrolment]], at: int) -> _Answers:
        answers = _Answers({}, set())
        for question, asking in questions.items():
            with self._state.read() as tx:
                graph = self._graphs.of(tx, question.journey, question.version)
            node = graph.by_id[question.node]
            assert isinstance(node, Condition)
            people = {it.person for it in asking}
            try:
                yes = set(self._audience.matching(question.tenant, node.rule, people, at))
            except (InvalidInput, NotFound) as error:
                log.warning("condition_invalid", journey=question.journey, code=error.code)
                answers.impossible.update((it.id, it.seq) for it in asking)
            except (Unavailable, Retryable) as error:
                log.info("condition_unanswered", journey=question.journey, code=error.code)
            else:
                answers.known.update({(it.id, it.seq): it.person in yes for it in asking})
        return answers


@dataclass(frozen=True, slots=True)
class _Question:
    tenant: int
    journey: int
    version: int
    node: str


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers by enrolment and visit."""

    known: dict[tuple[int, int], bool]
    impossible: set[tuple[int, int]]

    def know(self, it: Enrolment) -> bool:
        return (it.id, it.seq) in self.known


class _Round:
    """Collects what a chunk changes, to write it in few statements."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._moved: list[Enrolment] = []
        self._seen: dict[int, int] = {}
        self._sends: list[Send] = []
        self._channels: dict[tuple[int, str], int | None] = {}
        self.unanswered = 0

    def take(self, it: Enrolment, move: Move, at: int) -> None:
        """Note one move and the messages it posts."""
        for node, visit, post in move.posted:
            channel = self._channel(it.tenant, post.channel)
            key = SendKey(it.id, node, visit)
            if channel is not None:
                self._sends.append(_send(it, key, channel, post, at))
        to = move.position
        self._note(
            it,
            it._replace(
                node=to.node, seq=to.seq, arrived_at=to.arrived_at, due=to.due, ended=to.ended
            ),
        )

    def end(self, it: Enrolment, reason: str) -> None:
        """The journey cannot go on for this person."""
        self._note(it, it._replace(due=None, ended=reason))

    def write(self) -> Stepped:
        """Positions and outbox, together."""
        self._tx.enrolments.move(self._moved, self._seen)
        self._tx.sends.post(self._sends)
        return Stepped(len(self._moved), len(self._sends), self.unanswered)

    def _note(self, before: Enrolment, after: Enrolment) -> None:
        self._moved.append(after)
        self._seen[before.id] = before.seq

    def _channel(self, tenant: int, uuid: str) -> int | None:
        if (tenant, uuid) not in self._channels:
            try:
                self._channels[tenant, uuid] = self._tx.channels.get(tenant, uuid).id
            except NotFound:
                self._channels[tenant, uuid] = None
        return self._channels[tenant, uuid]


def _send(it: Enrolment, key: SendKey, channel: int, post: Post, at: int) -> Send:
    return Send(
        key=key,
        tenant=it.tenant,
        journey=it.journey,
        version=it.version,
        person=it.person,
        channel=channel,
        purpose=post.purpose,
        not_before=at,
        expires_at=at + post.ttl_ms,
        created_at=at,
        updated_at=at,
    )


def _advance(graph: Graph, it: Enrolment, at: int, answers: _Answers) -> Move:
    """Step on; the answer belongs to this very visit and to no later one."""
    answer = answers.known.get((it.id, it.seq))
    here = Position(it.node, it.arrived_at, it.seq, it.due)
    first = True

    def once(node: str) -> bool | None:
        nonlocal first
        fresh, first = first, False
        return answer if fresh else None

    return advance(graph, here, at, once)
