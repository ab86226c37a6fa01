"""Journeys at work: people enter as their segment changes, and are stepped when they are due.

Both go by sets: people who stand at the same place move together, in one statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from carloop.core.ports.audience import Audience, Change
from carloop.core.ports.journeys import Enrolment, Entering, Journey, Place
from carloop.core.ports.sends import Posting
from carloop.core.ports.state import State, Tx
from carloop.engines.journeys.graph import Graph, read_graph
from carloop.engines.journeys.nodes import Condition
from carloop.engines.journeys.step import Move, Moved, Position, Posted, advance_all
from carloop.kit.clock import to_ms
from carloop.kit.errors import InvalidInput, NotFound, Retryable, Unavailable

log = structlog.get_logger(__name__)

CHUNK = 20_000
"""People per transaction: some 0.3 s, so that other writers get their turn."""
AT_ONCE = 5_000
"""Up to so many enter in the very transaction of the segment's change; more wait for the worker."""


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
    """Listens to segments: whoever enters one starts its journeys, or is noted for the worker.

    Entering is fused: the people are written where their first step ends, with what it posts.
    """

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
        """Take ``people`` into the published version, if its period holds.

        A crowd is only noted here and taken in by the worker, piece by piece: nobody is lost and
        nobody enters twice, wherever that is interrupted.

        Returns:
            How many were taken in or noted.
        """
        graph = self._graphs.of(tx, journey.id, journey.version)
        if graph.start is None or graph.period is None or not graph.period.holds(as_of):
            return 0
        coming = map(int, people)
        first = list(islice(coming, AT_ONCE))
        crowd = list(islice(coming, 1))
        if not crowd:
            piece = Entering(0, journey.tenant, journey.id, journey.version, as_of, first)
            return self.take_in(tx, piece, as_of).moved
        noted = 0
        rest = chain(first, crowd, coming)
        pieces: Iterator[list[int]] = iter(lambda: list(islice(rest, CHUNK)), [])
        for people_of in pieces:
            tx.enrolments.defer(journey, [people_of], as_of)
            noted += len(people_of)
        return noted

    def take_in(self, tx: Tx, piece: Entering, at: int) -> Stepped:
        """Let people enter and make their first step at ``at`` (epoch ms)."""
        graph = self._graphs.of(tx, piece.journey, piece.version)
        start = graph.start
        if start is None or not piece.people:
            return Stepped(0, 0, 0)
        zone = ZoneInfo(tx.tenants.get(piece.tenant).zone)
        ekey = start.entry_key(piece.as_of, zone)
        realm = str(piece.journey)
        here = Position(start.id, piece.as_of)
        post = _Poster(tx, at)
        taken = 0
        for move, who in advance_all(graph, here, at, _unknown, piece.people, realm):
            people = [piece.people[n] for n in who]
            new = tx.enrolments.enter(
                piece.journey, piece.version, piece.tenant, people, ekey, _place(move)
            )
            taken += len(new)
            post.all(piece.tenant, new, move.posted)
        return Stepped(taken, post.posted, 0)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one round did."""

    moved: int
    posted: int
    waiting_for_answers: int


class JourneyWorker:
    """Takes crowds in and steps due enrolments. Many may run; no enrolment is in two hands."""

    def __init__(
        self, state: State, audience: Audience, graphs: Graphs, *, chunk: int = CHUNK
    ) -> None:
        self._state = state
        self._audience = audience
        self._graphs = graphs
        self._entries = JourneyEntries(graphs)
        self._chunk = chunk

    def run_once(self, now: datetime) -> Stepped:
        """One chunk: a piece of a crowd, else people who are due.

        Rules are asked outside any transaction, then people are stepped inside one.
        """
        at = to_ms(now)
        with self._state.read() as tx:
            coming = tx.enrolments.entering() is not None
            due = [] if coming else tx.enrolments.due(at, self._chunk)
            questions = self._questions(tx, due)
        if coming:
            return self._take_in(at)
        if not due:
            return Stepped(0, 0, 0)
        answers = self._answers(questions, at)
        with self._state.write() as tx:
            return self._step(tx, at, answers)

    def _take_in(self, at: int) -> Stepped:
        with self._state.write() as tx:
            tx.enrolments.apply_merges()
            piece = tx.enrolments.entering()
            if piece is None:
                return Stepped(0, 0, 0)
            stepped = self._entries.take_in(tx, piece, at)
            tx.enrolments.entered(piece.id)
        return Stepped(max(stepped.moved, 1), stepped.posted, 0)

    def _step(self, tx: Tx, at: int, answers: _Answers) -> Stepped:
        tx.enrolments.apply_merges()
        round_ = _Round(tx, at)
        groups: dict[_Group, list[Enrolment]] = defaultdict(list)
        for it in tx.enrolments.due(at, self._chunk, lock=True):
            answer = answers.known.get((it.id, it.seq))
            groups[_Group(it.journey, it.version, it.node, it.seq, it.arrived_at, answer)].append(
                it
            )
        for group, people in groups.items():
            graph = self._graphs.of(tx, group.journey, group.version)
            if isinstance(graph.by_id.get(group.node), Condition) and group.answer is None:
                lost = [it for it in people if (it.id, it.seq) in answers.impossible]
                round_.end(group, lost, "condition_invalid")
                round_.unanswered += len(people) - len(lost)
            else:
                round_.take(group, people, graph)
        return round_.write()

    def _questions(self, tx: Tx, due: Iterable[Enrolment]) -> dict[_Question, list[Enrolment]]:
        found: dict[_Question, list[Enrolment]] = defaultdict(list)
        for it in due:
            found[_Question(it.tenant, it.journey, it.version, it.node)].append(it)
        return {
            question: asking
            for question, asking in found.items()
            if isinstance(self._node(tx, question), Condition)
        }

    def _node(self, tx: Tx, question: _Question) -> object:
        graph = self._graphs.of(tx, question.journey, question.version)
        return graph.by_id.get(question.node)

    def _answers(self, questions: Mapping[_Question, list[Enrolment]], at: int) -> _Answers:
        answers = _Answers({}, set())
        for question, asking in questions.items():
            with self._state.read() as tx:
                node = self._node(tx, question)
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


class _Question(NamedTuple):
    tenant: int
    journey: int
    version: int
    node: str


class _Group(NamedTuple):
    """What a step depends on, apart from the person."""

    journey: int
    version: int
    node: str
    seq: int
    arrived_at: int
    answer: bool | None


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers by enrolment and visit."""

    known: dict[tuple[int, int], bool]
    impossible: set[tuple[int, int]]


class _Poster:
    """Puts what was posted into the outbox; a channel that is gone takes nothing."""

    def __init__(self, tx: Tx, at: int) -> None:
        self._tx = tx
        self._at = at
        self._channels: dict[tuple[int, str], int | None] = {}
        self.posted = 0

    def all(self, tenant: int, enrolments: Sequence[int], posted: Iterable[Posted]) -> None:
        """The same messages for each of ``enrolments``."""
        for node, visit, post in posted:
            channel = self._channel(tenant, post.channel)
            if channel is not None:
                until = self._at + post.ttl_ms
                posting = Posting(node, visit, channel, post.purpose, self._at, until)
                self._tx.sends.post(enrolments, posting)
                self.posted += len(enrolments)

    def _channel(self, tenant: int, uuid: str) -> int | None:
        if (tenant, uuid) not in self._channels:
            try:
                self._channels[tenant, uuid] = self._tx.channels.get(tenant, uuid).id
            except NotFound:
                self._channels[tenant, uuid] = None
        return self._channels[tenant, uuid]


@dataclass(slots=True)
class _Together:
    """Enrolments that move to the same place with the same messages."""

    tenant: int
    seen: int
    move: Move
    enrolments: list[int]


class _Round:
    """Collects what a chunk changes, to write it in few statements."""

    def __init__(self, tx: Tx, at: int) -> None:
        self._tx = tx
        self._at = at
        self._post = _Poster(tx, at)
        self._together: dict[object, _Together] = {}
        self.unanswered = 0

    def take(self, group: _Group, people: Sequence[Enrolment], graph: Graph) -> None:
        """Step a group; one that cannot be stepped is parked with the reason, others go on."""
        here = Position(group.node, group.arrived_at, group.seq)
        first = _Once(group.answer)
        numbers = [it.person for it in people]
        try:
            moved = advance_all(graph, here, self._at, first, numbers, str(group.journey))
        except Exception as error:
            log.exception("step_failed", journey=group.journey, error=type(error).__name__)
            self.end(group, people, "step_failed")
            return
        for it in moved:
            self._note(group, it, people)

    def end(self, group: _Group, people: Sequence[Enrolment], reason: str) -> None:
        """The journey cannot go on for these people."""
        over = Position(group.node, group.arrived_at, group.seq, None, reason)
        if people:
            self._note(group, Moved(Move(over, [], None), range(len(people))), people)

    def write(self) -> Stepped:
        """Positions and outbox, together."""
        moved = 0
        for it in self._together.values():
            self._tx.enrolments.move(it.enrolments, it.seen, _place(it.move))
            self._post.all(it.tenant, it.enrolments, it.move.posted)
            moved += len(it.enrolments)
        return Stepped(moved, self._post.posted, self.unanswered)

    def _note(self, group: _Group, moved: Moved, people: Sequence[Enrolment]) -> None:
        move = moved.move
        posted = tuple((it.node, it.visit) for it in move.posted)
        key = (group.journey, group.version, group.seq, move.position, posted)
        if key not in self._together:
            self._together[key] = _Together(people[0].tenant, group.seq, move, [])
        self._together[key].enrolments += [people[n].id for n in moved.who]


def _place(move: Move) -> Place:
    at = move.position
    return Place(at.node, at.seq, at.arrived_at, at.due, at.ended)


def _unknown(node: str) -> None:
    """Nothing was asked yet."""


class _Once:
    """The answer belongs to this very visit and to no later one, not even of the same node."""

    def __init__(self, answer: bool | None) -> None:
        self._answer = answer

    def __call__(self, node: str) -> bool | None:
        answer, self._answer = self._answer, None
        return answer
