"""Crowds: entered in pieces, stepped in groups, paced on the way out, and let go of by age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from carloop.app import journeys
from carloop.app.journey_ageing import Aged, JourneyAgeing
from carloop.app.sends import Dispatcher, Pace
from carloop.core.message import Refused
from carloop.core.ports.identity import LogEntry
from carloop.core.ports.journeys import Journey, JourneyStatus, Place
from carloop.core.ports.state import State
from carloop.core.ports.tenants import Tenant
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from carloop.kit.errors import Conflict, InvalidInput
from tests.support.story import Postbox, Story, graph, send, wait


@pytest.fixture
def story(
    state: State, cipher: Cipher, clock: ManualClock, tenant: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    """Whoever comes with more than two others is a crowd, taken in by tens."""
    monkeypatch.setattr(journeys, "AT_ONCE", 2)
    monkeypatch.setattr(journeys, "CHUNK", 10)
    it = Story(state, cipher, clock, tenant)
    yield it
    it.dispatcher.close()


def counts(story: Story, journey: Journey) -> dict[str, int]:
    with story.state.read() as tx:
        return dict(tx.enrolments.counts(journey.id))


def waiting(story: Story, **more: str) -> Journey:
    channel = story.channel().uuid
    return story.journey(graph(channel, send("hello", channel), wait("w", days=1), **more))


def status(story: Story, journey: Journey, to: JourneyStatus) -> None:
    with story.state.write() as tx:
        now = tx.journeys.get(story.tenant, journey.uuid)
        tx.journeys.save(replace(now, status=to))


def take_in_and_stop(story: Story) -> None:
    with story.state.write() as tx:
        piece = tx.enrolments.entering()
        assert piece is not None
        assert story.entries.take_in(tx, piece, story.now).moved == 10
        tx.enrolments.entered(piece.id)
        raise RuntimeError("the machine stops")


def test_a_crowd_enters_piece_by_piece_and_an_interruption_loses_nobody(story: Story) -> None:
    journey = waiting(story)
    story.enters(*range(1, 36))
    assert counts(story, journey) == {}
    story.worker.run_once(story.clock.now())
    assert counts(story, journey) == {"node:w": 10}
    with pytest.raises(RuntimeError, match="the machine stops"):
        take_in_and_stop(story)
    assert counts(story, journey) == {"node:w": 10}
    story.run()
    assert counts(story, journey) == {"node:w": 35}
    assert sum(story.outcomes(journey).values()) == 35
    story.enters(*range(1, 41)).run()
    assert counts(story, journey) == {"node:w": 40}
    assert sum(story.outcomes(journey).values()) == 40


def test_a_paused_journey_lets_the_crowd_wait(story: Story) -> None:
    journey = waiting(story)
    story.enters(*range(1, 21))
    status(story, journey, JourneyStatus.PAUSED)
    assert counts(story.run(), journey) == {}
    status(story, journey, JourneyStatus.LIVE)
    assert counts(story.run(), journey) == {"node:w": 20}


def test_a_removed_journey_takes_nobody_in(story: Story) -> None:
    journey = waiting(story)
    story.enters(*range(1, 21))
    with story.state.write() as tx:
        tx.journeys.remove(tx.journeys.get(story.tenant, journey.uuid), story.now)
        assert tx.enrolments.entering() is None


def test_who_is_merged_or_erased_while_the_crowd_waits(story: Story) -> None:
    """12 turns out to be 3: one entry. 30 is erased: none."""
    journey = waiting(story)
    story.enters(*range(1, 36))
    with story.state.write() as tx:
        tx.identity.log(story.tenant, [LogEntry(story.now, "merge", 3, 12, (), "")])
        tx.enrolments.forget(story.tenant, [30])
    assert counts(story.run(), journey) == {"node:w": 33}
    with story.state.read() as tx:
        sends = tx.sends.page(story.tenant, journey.id, state=None, before=None, limit=99)
    assert sorted(it.person for it in sends) == [n for n in range(1, 36) if n not in (12, 30)]


def test_one_that_cannot_be_stepped_is_parked_and_its_neighbours_go_on(story: Story) -> None:
    journey = waiting(story)
    with story.state.write() as tx:
        lost = Place("nowhere", 1, story.now, story.now)
        tx.enrolments.enter(journey.id, 1, story.tenant, [77], "", lost)
    story.enters(1, 2).run()
    assert counts(story, journey) == {"ended:step_failed": 1, "node:w": 2}
    assert story.wait(days=1).worker.run_once(story.clock.now()).moved == 0
    assert counts(story, journey) == {"ended:step_failed": 1, "ended:completed": 2}


def test_a_move_over_a_newer_position_is_refused(story: Story) -> None:
    journey = waiting(story)
    story.enters(1, 2)
    with story.state.read() as tx:
        first, second = tx.enrolments.due(story.now + 86_400_000, 9)
    to = Place("end", 9, story.now, None, "completed")

    def late() -> None:
        with story.state.write() as tx:
            tx.enrolments.move([first.id], first.seq, to)
            tx.enrolments.move([second.id], second.seq - 1, to)

    with pytest.raises(Conflict) as refused:
        late()
    assert refused.value.code == "stale"
    assert counts(story, journey) == {"node:w": 2}


def test_each_journey_gets_its_turn(story: Story) -> None:
    """The journey whose people waited longest goes first, within a chunk of ten."""
    one, two = waiting(story), waiting(story)
    with story.state.write() as tx:
        for journey, due in ((one, 50), (two, 20)):
            place = Place("w", 2, 0, due)
            tx.enrolments.enter(journey.id, 1, story.tenant, range(1, 9), "", place)
        found = [it.journey for it in tx.enrolments.due(100, 10)]
    assert found == [two.id] * 8 + [one.id] * 2


def test_dispatchers_share_the_rate_of_a_channel(story: Story) -> None:
    """Two a second, at most four at once, whoever sends: 4 at first, 2 after every second."""
    policy = '{"rate": {"per_second": 2, "burst": 4}}'
    journey = story.journey(graph(story.channel(policy=policy).uuid, purpose="service"))
    story.enters(*(story.person(f"第{n}位") for n in range(13)))
    guard, channels = story.dispatcher._guard, story.dispatcher._channels
    other = Dispatcher(story.state, channels, guard, story.clock, Pace(3, 2))
    while story.worker.run_once(story.clock.now()).moved:
        pass
    sent = []
    for second in range(6):
        for dispatcher in (other, story.dispatcher, other):
            dispatcher.run_once(story.clock.now())
        sent.append(len(story.sent))
        story.clock.advance(timedelta(seconds=1))
        assert second < 5 or story.outcomes(journey) == {"sent": 13}
    other.close()
    assert sent == [4, 6, 8, 10, 12, 13]


def test_a_refusal_costs_a_token_and_a_suppressed_message_none(story: Story) -> None:
    policy = '{"rate": {"per_second": 1, "burst": 2}}'
    journey = story.journey(graph(story.channel(policy=policy).uuid))
    people = [story.person("甲", consent=False), story.person("乙"), story.person("丙")]
    Postbox.answers = [Refused("http_400", False)]
    story.enters(*people)
    for _ in range(4):
        story.run()
    assert story.outcomes(journey)["suppressed:no_consent"] == 1
    assert len(story.sent) == 2


@pytest.mark.parametrize("rate", ['{"per_second": 0}', '{"per_second": 1, "burst": 0}', "3"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    from carloop.app.channels import read_policy

    with pytest.raises(InvalidInput) as refused:
        read_policy(f'{{"rate": {rate}}}')
    assert refused.value.code == "policy_invalid"


def keep_days(story: Story, days: object) -> None:
    with story.state.write() as tx:
        tx.tenants.save(Tenant(story.tenant, "t", settings={"send_days": days}))


def announced(story: Story) -> None:
    """Every outcome became an event."""
    with story.state.write() as tx:
        tx.sends.announce([(it.key, it.state) for it in tx.sends.unannounced(99)], [])


def test_old_outcomes_go_and_the_counts_stay(story: Story) -> None:
    journey = waiting(story, reentry="daily")
    once = waiting(story)
    wang = story.person("王芳")
    story.enters(wang, story.person("李雷", consent=False)).run()
    announced(story)
    story.wait(days=2)
    before = story.outcomes(journey), counts(story, journey), counts(story, once)
    assert before[0] == {"sent": 1, "suppressed:no_consent": 1}
    ageing = JourneyAgeing(story.state)
    assert ageing.run(story.clock.now() + timedelta(days=400)) == Aged(0, 0)
    keep_days(story, 30)
    assert ageing.run(story.clock.now()) == Aged(0, 0)
    assert ageing.run(story.clock.now() + timedelta(days=31)) == Aged(4, 2)
    assert (story.outcomes(journey), counts(story, journey), counts(story, once)) == before
    with story.state.read() as tx:
        assert not tx.sends.page(story.tenant, journey.id, state=None, before=None, limit=9)
    story.clock.advance(timedelta(days=31))
    story.enters(wang).run()
    assert counts(story, once) == before[2]
    assert counts(story, journey) == {"ended:completed": 2, "node:w": 1}


def test_an_outcome_that_is_no_event_yet_or_still_counts_for_a_cap_stays(story: Story) -> None:
    story.journey(graph(story.channel(policy='{"cap": {"messages": 1, "days": 90}}').uuid))
    keep_days(story, 1)
    story.enters(story.person("王芳")).run()
    ageing = JourneyAgeing(story.state)
    later = story.clock.now() + timedelta(days=91)
    assert ageing.run(later).sends == 0
    announced(story)
    assert ageing.run(story.clock.now() + timedelta(days=89)).sends == 0
    assert ageing.run(later).sends == 1


@pytest.mark.parametrize("days", [0, -1, True, "30", 10**9])
def test_a_number_of_days_that_is_none_is_refused(story: Story, days: object) -> None:
    keep_days(story, days)
    with pytest.raises(InvalidInput) as refused:
        JourneyAgeing(story.state).run(story.clock.now())
    assert refused.value.code == "send_days_invalid"
