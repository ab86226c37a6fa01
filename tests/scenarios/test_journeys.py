"""Journeys told as stories: who enters, what leaves, and when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carloop.core.evidence import Evidence
from carloop.core.identifiers import RawIdentifier
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from carloop.kit.errors import InvalidInput, Unavailable
from tests.support.story import CATALOGUE, Story, graph, send, wait


@pytest.fixture
def story(state: State, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    it = Story(state, cipher, clock, tenant)
    yield it
    it.dispatcher.close()


def test_entering_a_segment_sends_once(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    wang = story.person("王芳")
    assert story.enters(wang).run().sent == ["hello 王芳"]
    assert story.enters(wang).wait(days=3).sent == ["hello 王芳"]
    assert story.outcomes(journey) == {"sent": 1}


def test_history_never_starts_a_journey_but_is_counted(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    wang, li = story.person("王芳"), story.person("李雷")
    assert story.enters(li, history=[wang]).run().sent == ["hello 李雷"]
    with story.state.read() as tx:
        assert tx.journeys.get(story.tenant, journey.uuid).history_skipped == 1


@pytest.mark.parametrize(("reentry", "total"), [("once", 1), ("daily", 2), ("every_time", 3)])
def test_reentry(story: Story, reentry: str, total: int) -> None:
    """Entries at 16:00, 16:01 and 24:01 local time: two days in the tenant's zone."""
    story.journey(graph(story.channel().uuid, reentry=reentry))
    wang = story.person("王芳")
    story.enters(wang).run()
    story.wait(minutes=1).enters(wang).run()
    story.wait(hours=8).enters(wang).run()
    assert len(story.sent) == total


def test_a_wait_ends_at_the_very_millisecond(story: Story) -> None:
    channel = story.channel().uuid
    story.journey(graph(channel, send("one", channel), wait("w", days=3), send("two", channel)))
    story.enters(story.person("王芳")).run()
    assert story.wait(days=3, milliseconds=-1).sent == ["one 王芳"]
    assert story.wait(milliseconds=1).sent == ["one 王芳", "two 王芳"]


def test_a_condition_takes_each_person_its_own_way(story: Story) -> None:
    channel = story.channel().uuid
    rule = {"kind": "performed", "event": "service_visit"}
    shape = graph(channel)
    shape["nodes"] = [
        shape["nodes"][0],
        {"id": "came", "kind": "condition", "rule": rule},
        send("thanks", channel),
        send("remind", channel),
        {"id": "end", "kind": "exit"},
    ]
    shape["edges"] = [
        {"from": "start", "to": "came"},
        {"from": "came", "port": "yes", "to": "thanks"},
        {"from": "came", "port": "no", "to": "remind"},
        {"from": "thanks", "to": "end"},
        {"from": "remind", "to": "end"},
    ]
    story.journey(shape)
    wang, li = story.person("王芳"), story.person("李雷")
    story.rules.satisfied = {wang}
    story.rules.error = Unavailable("the event store is restarting")
    assert story.enters(wang, li).run().sent == []
    story.rules.error = None
    assert sorted(story.run().sent) == ["remind 李雷", "thanks 王芳"]


def test_a_rule_that_can_no_longer_be_asked_ends_the_journey(story: Story) -> None:
    channel = story.channel().uuid
    shape = graph(channel, {"id": "c", "kind": "condition", "rule": {"kind": "in_segment"}})
    shape["edges"] = [
        {"from": "start", "to": "c"},
        {"from": "c", "port": "yes", "to": "end"},
        {"from": "c", "port": "no", "to": "end"},
    ]
    journey = story.journey(shape)
    story.rules.error = InvalidInput("the segment is gone")
    story.enters(story.person()).run()
    with story.state.read() as tx:
        assert tx.enrolments.counts(journey.id) == {"ended:condition_invalid": 1}


def test_people_stay_on_their_version(story: Story) -> None:
    channel = story.channel().uuid
    old = graph(channel, wait("w", days=1), send("old", channel))
    journey = story.journey(old)
    story.enters(story.person("王芳")).run()
    from carloop.engines.journeys.graph import read_graph, write_graph

    with story.state.write() as tx:
        new = write_graph(read_graph(graph(channel, wait("w", days=1), send("new", channel))))
        tx.journeys.publish(journey, new, story.now, "user:1")
    story.enters(story.person("李雷"))
    assert sorted(story.run().wait(days=1).sent) == ["new 李雷", "old 王芳"]


def test_a_stopped_journey_neither_steps_nor_sends(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    story.enters(story.person("王芳"))
    story.worker.run_once(story.clock.now())
    with story.state.write() as tx:
        assert tx.journeys.stop_all(story.tenant, story.now) == 1
    assert story.enters(story.person("李雷")).wait(hours=1).sent == []
    assert story.outcomes(journey) == {"new": 1}


def merge(story: Story, logins: list[str]) -> int:
    both = tuple(CATALOGUE.identifiers.normalise(RawIdentifier("email", login)) for login in logins)
    unionid = CATALOGUE.identifiers.normalise(RawIdentifier("unionid", "oUnion123456"))
    with story.state.write() as tx:
        evidence = [Evidence((it, unionid), story.now, f"merge{n}") for n, it in enumerate(both)]
        return story.identity.resolve(tx, story.tenant, evidence)[-1].person


def test_merged_people_go_on_as_one(story: Story) -> None:
    """Both are waiting when they turn out to be one person: one message, and no second entry."""
    channel = story.channel().uuid
    journey = story.journey(graph(channel, wait("w", days=1), send("hello", channel)))
    one = story.person("王芳", "wang@example.cn")
    two = story.person("王芳", "fang@example.cn")
    story.enters(one, two).run()
    kept = merge(story, ["wang@example.cn", "fang@example.cn"])
    assert kept in (one, two)
    assert story.enters(kept).wait(days=1).sent == ["hello 王芳"]
    with story.state.read() as tx:
        assert tx.enrolments.counts(journey.id) == {"ended:merged": 1, "ended:completed": 1}


def test_a_merge_after_the_message_does_not_bring_another(story: Story) -> None:
    """The absorbed person had the message; the person that remains enters and gets none."""
    journey = story.journey(graph(story.channel().uuid))
    one = story.person("王芳", "wang@example.cn")
    two = story.person("王芳", "fang@example.cn")
    assert len(story.enters(two).run().sent) == 1
    kept = merge(story, ["wang@example.cn", "fang@example.cn"])
    assert kept == one
    assert len(story.enters(kept).wait(days=1).sent) == 1
    assert story.outcomes(journey) == {"sent": 1}


def test_entry_outside_the_period_is_not_taken(story: Story) -> None:
    shape = graph(story.channel().uuid)
    shape["period"] = {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T08:00:01Z"}
    story.journey(shape)
    wang, li = story.person("王芳"), story.person("李雷")
    story.enters(wang)
    assert story.wait(seconds=1).enters(li).run().sent == ["hello 王芳"]
