"""What is left of a person's messages, consent and memberships after an erasure: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyroaring import BitMap

from carloop.app.forgetting import EVERYWHERE
from carloop.core.ports.identity import LogEntry
from carloop.core.ports.segments import Segment, Snapshot
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from carloop.stores.state.store import SqlState
from tests.support.story import Story, graph


@pytest.fixture
def story(state: SqlState, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    it = Story(state, cipher, clock, tenant)
    yield it
    it.dispatcher.close()
    it.channels.close()


def forget(story: Story, person: int) -> None:
    with story.state.write() as tx:
        for clean in EVERYWHERE:
            clean(tx, story.tenant, [person])
        tx.identity.remove(story.tenant, [person])


def test_only_the_erased_person_is_gone(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    erased, other = story.person("王芳"), story.person("李雷")
    with story.state.write() as tx:
        made = tx.segments.add(Segment(tenant=story.tenant, uuid="s1", name="s1", rule={}))
        members = BitMap([erased, other]).serialize()
        tx.segments.put_snapshot(story.tenant, made.id, Snapshot(members, 2, 1, 1, 1))
    story.enters(erased, other).run()
    assert story.outcomes(journey) == {"sent": 2}
    forget(story, erased)
    assert story.outcomes(journey) == {"sent": 1}
    with story.state.read() as tx:
        assert sum(tx.enrolments.counts(journey.id).values()) == 1
        assert set(tx.consents.of(story.tenant, [erased, other])) == {other}
        kept = tx.segments.snapshot(story.tenant, made.id)
    assert kept is not None
    assert (list(BitMap.deserialize(kept.members)), kept.count) == ([other], 1)


def test_merges_after_an_erasure_still_reach_the_journeys(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    erased, absorbed, kept = (story.person() for _ in range(3))

    def merge(into: int, moved: int) -> None:
        with story.state.write() as tx:
            entry = LogEntry(story.now, "merge", into, moved, (), "")
            tx.identity.log(story.tenant, [entry])

    merge(erased, erased + 1000)
    story.enters(absorbed).run()
    forget(story, erased)
    merge(kept, absorbed)
    story.run()
    with story.state.write() as tx:
        tx.enrolments.apply_merges()
    assert sum(story.outcomes(journey).values()) == 1
    with story.state.read() as tx:
        (send,) = tx.sends.page(story.tenant, journey.id, state=None, before=None, limit=9)
    assert send.person == kept
