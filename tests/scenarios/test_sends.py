"""The last look before a message leaves, and what is done with every kind of outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from carloop.core.consent import ConsentState
from carloop.core.identifiers import Identifier
from carloop.core.message import Message, Outcome, Refused, SendState, Unclear
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from tests.support.story import Postbox, Story, graph, send, wait


@pytest.fixture
def story(state: State, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    it = Story(state, cipher, clock, tenant)
    yield it
    it.dispatcher.close()


def test_silence_is_no_consent_to_marketing_but_service_goes_through(story: Story) -> None:
    channel = story.channel().uuid
    marketing = story.journey(graph(channel))
    service = story.journey(graph(channel, send("recall", channel, purpose="service")))
    story.enters(story.person("王芳", consent=False)).run()
    assert story.sent == ["recall 王芳"]
    assert story.outcomes(marketing) == {"suppressed:no_consent": 1}
    assert story.outcomes(service) == {"sent": 1}


def test_a_withdrawal_between_the_outbox_and_the_attempt_wins(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    wang = story.person("王芳")
    story.enters(wang)
    story.worker.run_once(story.clock.now())
    story.clock.at = datetime(2026, 11, 22, 8, 0, 1, tzinfo=UTC)
    story.consent(wang, ConsentState.WITHDRAWN)
    assert story.run().sent == []
    assert story.outcomes(journey) == {"suppressed:no_consent": 1}


def test_the_last_word_counts_even_when_it_is_recorded_first(story: Story) -> None:
    story.journey(graph(story.channel().uuid))
    wang = story.person("王芳", consent=False)
    story.consent(wang, ConsentState.WITHDRAWN, at=story.now - 1000)
    story.consent(wang, ConsentState.GRANTED, at=story.now - 2000)
    assert story.enters(wang).run().sent == []


def test_a_suppressed_address_gets_nothing(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    wang = story.person("王芳", "wang@example.cn")
    key = story.cipher.identifier_key(story.tenant, Identifier("email", "", "wang@example.cn"))
    with story.state.write() as tx:
        tx.suppressions.add(story.tenant, key, "complaint", story.now)
    assert story.enters(wang).run().sent == []
    assert story.outcomes(journey) == {"suppressed:suppressed": 1}


def test_no_address_and_no_person(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    story.enters(story.person("王芳", ""), 999_999).run()
    assert story.outcomes(journey) == {
        "suppressed:no_address": 1,
        "suppressed:person_unknown": 1,
    }


def test_quiet_hours_hold_a_message_until_they_end_in_the_tenants_zone(story: Story) -> None:
    """16:00 in Shanghai lies in 12:00 to 18:30; the message leaves at 18:30 sharp."""
    policy = '{"quiet_hours": {"from": "12:00", "to": "18:30"}}'
    journey = story.journey(graph(story.channel(policy=policy).uuid))
    story.enters(story.person("王芳"))
    assert story.run().sent == []
    assert story.outcomes(journey) == {"new:quiet_hours": 1}
    assert story.wait(hours=2, minutes=30, milliseconds=-1).sent == []
    assert story.wait(milliseconds=1).sent == ["hello 王芳"]


def test_the_frequency_cap_holds_within_one_wave_and_over_days(story: Story) -> None:
    channel = story.channel(policy='{"cap": {"messages": 2, "days": 1}}').uuid
    one = graph(channel, *(send(f"m{n}", channel) for n in range(4)), wait("w", days=1),
                send("later", channel))  # fmt: skip
    journey = story.journey(one)
    story.enters(story.person("王芳")).run()
    assert len(story.sent) == 2
    story.wait(days=1)
    assert story.sent[-1] == "later 王芳"
    assert story.outcomes(journey) == {"sent": 3, "suppressed:frequency_cap": 2}


def test_too_late_is_not_sent(story: Story) -> None:
    channel = story.channel(policy='{"quiet_hours": {"from": "08:00", "to": "20:00"}}').uuid
    journey = story.journey(graph(channel, send("now", channel, ttl_hours=1)))
    story.enters(story.person("王芳")).run()
    assert story.wait(hours=5).sent == []
    assert story.outcomes(journey) == {"expired:too_late": 1}


@pytest.mark.parametrize(
    ("answers", "outcome", "attempts"),
    [
        ([Refused("http_429", True, 60.0)], {"sent": 1}, 2),
        ([Refused("http_400", False)], {"failed:http_400": 1}, 1),
        ([Unclear("timeout")], {"unknown:timeout": 1}, 1),
        ([Refused("connect_failed", True)] * 20, {"failed:connect_failed": 1}, 12),
    ],
)
def test_what_an_outcome_leads_to(
    story: Story, answers: list[Outcome], outcome: dict[str, int], attempts: int
) -> None:
    channel = story.channel().uuid
    journey = story.journey(graph(channel, send("hello", channel, ttl_hours=100)))
    Postbox.answers = list(answers)
    story.enters(story.person("王芳")).run()
    for _ in range(12):
        story.wait(hours=2)
    assert story.outcomes(journey) == outcome
    assert len(story.sent) == attempts
    assert len({message.key for message in Postbox.sent}) == 1


def test_retry_after_is_honoured(story: Story) -> None:
    story.journey(graph(story.channel().uuid))
    Postbox.answers = [Refused("http_429", True, 90.0)]
    story.enters(story.person("王芳")).run()
    assert len(story.wait(seconds=89).sent) == 1
    assert len(story.wait(seconds=2).sent) == 2


def test_a_channel_that_may_repeat_does_so_when_unclear(story: Story) -> None:
    journey = story.journey(graph(story.channel(settings={"delivery": "at_least_once"}).uuid))
    Postbox.answers = [Unclear("timeout")]
    story.enters(story.person("王芳")).run()
    story.wait(minutes=1)
    assert len(story.sent) == 2
    assert story.outcomes(journey) == {"sent": 1}


def test_a_dead_channel_rests_and_the_backlog_keeps_its_attempts(story: Story) -> None:
    journey = story.journey(graph(story.channel().uuid))
    Postbox.answers = [Refused("connect_failed", True)] * 4
    story.enters(*(story.person(f"第{n}位") for n in range(20))).run()
    assert len(story.sent) == 4
    assert story.run().states(journey) == {SendState.NEW: 20}
    story.wait(minutes=5)
    story.wait(minutes=5)
    assert story.outcomes(journey) == {"sent": 20}


def test_an_interrupted_attempt_is_unknown_and_stays_so(story: Story) -> None:
    """The process died after the mark: nobody knows, so nobody sends again."""
    channel = story.channel()
    journey = story.journey(graph(channel.uuid))
    story.enters(story.person("王芳"))
    story.worker.run_once(story.clock.now())
    with story.state.write() as tx:
        claimed = tx.sends.claim(channel.id, story.now, story.now + 1000, 10)
        tx.sends.attempt(claimed, story.now, story.now + 1000)
    story.wait(days=1)
    assert story.sent == []
    assert story.outcomes(journey) == {"unknown:interrupted": 1}


def test_an_interrupted_claim_is_simply_taken_up_again(story: Story) -> None:
    channel = story.channel()
    journey = story.journey(graph(channel.uuid))
    story.enters(story.person("王芳"))
    story.worker.run_once(story.clock.now())
    with story.state.write() as tx:
        claimed = tx.sends.claim(channel.id, story.now, story.now + 1000, 10)
    assert story.run().sent == []
    assert story.wait(seconds=1).sent == ["hello 王芳"]
    with story.state.write() as tx:
        assert tx.sends.held(claimed) == []
    assert story.outcomes(journey) == {"sent": 1}


def test_a_bug_in_a_channel_is_an_unclear_outcome(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Postbox, message: Message, now: datetime) -> Outcome:
        raise KeyError("oops")

    monkeypatch.setattr(Postbox, "send", broken)
    journey = story.journey(graph(story.channel().uuid))
    story.enters(story.person("王芳")).run()
    assert story.outcomes(journey) == {"unknown:channel_error": 1}


def test_nothing_leaves_through_a_disabled_or_removed_channel(story: Story) -> None:
    from dataclasses import replace

    channel = story.channel()
    journey = story.journey(graph(channel.uuid))
    with story.state.write() as tx:
        channel = tx.channels.save(replace(channel, enabled=False))
    assert story.enters(story.person("王芳")).run().sent == []
    with story.state.write() as tx:
        tx.channels.remove(channel, story.now)
        tx.sends.drop("channel_removed", channel=channel.id)
    story.wait(hours=1)
    assert story.outcomes(journey) == {"suppressed:channel_removed": 1}


def test_no_address_and_no_name_is_stored_with_a_send(
    story: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from sqlalchemy import text

    story.journey(graph(story.channel().uuid))
    story.enters(story.person("欧阳无敌", "canary-zhang@example.cn")).run()
    assert Postbox.sent[0].address == "canary-zhang@example.cn"
    connection = story.state.read()
    with connection as tx:
        rows = tx.connection.execute(text("SELECT * FROM outbox")).all()  # type: ignore[attr-defined]
    assert "canary" not in repr(rows)
    assert "欧阳" not in repr(rows)
