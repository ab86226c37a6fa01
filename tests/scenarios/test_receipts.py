"""Receipts settle sends whatever their order, and become events on the person's timeline."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from carloop.app.receipts import Announcer, Receipts
from carloop.connectors import PROTOCOLS
from carloop.core.events import OWN_LIMITS, Envelope, Received
from carloop.core.message import Refused, Unclear
from carloop.core.ports.channels import StoredChannel
from carloop.core.ports.state import State
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from carloop.kit.errors import Malformed, TooLarge, Unauthenticated
from carloop.stores.journal import SqliteJournal
from carloop.stores.vault.journal_keys import DayKeys
from tests.support.story import Postbox, Story, graph

SECRET = "receipts"


@pytest.fixture
def story(state: State, cipher: Cipher, clock: ManualClock, tenant: int) -> Iterator[Story]:
    it = Story(state, cipher, clock, tenant)
    yield it
    it.dispatcher.close()


class Desk:
    """One channel with a receipt secret, and its receipts."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.channel: StoredChannel = story.channel(settings={"receipt_secret": SECRET})
        self.journey = story.journey(graph(self.channel.uuid))
        self.receipts = Receipts(
            story.state, story.channels, story.contacts, story.cipher, story.clock
        )

    def take(self, *items: dict[str, Any]) -> Sequence[tuple[int, str]]:
        return self.post(json.dumps({"receipts": items}).encode())

    def post(self, body: bytes) -> Sequence[tuple[int, str]]:
        at = str(self.story.now // 1000)
        mac = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        return self.receipts.take(self.channel.uuid, at, f"v1={mac}", body).rejected

    def state(self) -> list[str]:
        return sorted(self.story.outcomes(self.journey))


@pytest.fixture
def desk(story: Story) -> Desk:
    return Desk(story)


@pytest.mark.parametrize("order", list(itertools.permutations(["delivered", "failed", "opened"])))
def test_any_order_of_receipts_gives_the_same_state(desk: Desk, order: Sequence[str]) -> None:
    desk.story.enters(desk.story.person()).run()
    for kind in (*order, *order):
        assert desk.take({"key": Postbox.sent[0].key, "kind": kind, "id": kind}) == []
    assert desk.state() == ["sent"]


def test_a_receipt_reconciles_what_is_unknown(desk: Desk) -> None:
    Postbox.answers = [Unclear("timeout"), Unclear("timeout"), Unclear("timeout")]
    desk.story.enters(*(desk.story.person() for _ in range(3))).run()
    assert desk.story.outcomes(desk.journey) == {"unknown:timeout": 3}
    one, two, _ = (message.key for message in Postbox.sent)
    desk.take(
        {"key": one, "kind": "delivered"}, {"key": two, "kind": "failed", "reason": "blocked"}
    )
    assert desk.state() == ["failed:blocked", "sent", "unknown:timeout"]


def test_a_receipt_by_the_providers_own_id(desk: Desk) -> None:
    desk.story.enters(desk.story.person()).run()
    found = {"provider_id": f"p-{Postbox.sent[0].key}", "kind": "failed", "reason": "blocked"}
    assert desk.take(found) == []
    assert desk.state() == ["failed:blocked"]


def test_delivery_reported_before_a_retry_stops_the_retry(desk: Desk) -> None:
    """The channel said 503 although the provider had taken the message."""
    Postbox.answers = [Refused("http_503", True)]
    desk.story.enters(desk.story.person()).run()
    desk.take({"key": Postbox.sent[0].key, "kind": "delivered"})
    desk.story.wait(hours=1)
    assert len(Postbox.sent) == 1
    assert desk.state() == ["sent"]


def test_what_cannot_be_taken_is_named_and_its_neighbours_are_taken(desk: Desk) -> None:
    desk.story.enters(desk.story.person()).run()
    key = Postbox.sent[0].key
    bad: list[Any] = [
        {"key": "1:x", "kind": "delivered"},
        {"key": "999999999999999999999999:hello:1", "kind": "delivered"},
        {"key": "1:he\0llo:1", "kind": "delivered"},
        {"provider_id": "\0", "kind": "delivered"},
        {"provider_id": "\ud800", "kind": "delivered"},
        {"key": key, "kind": "eaten"},
        {"key": key, "kind": "opened", "at": "yesterday"},
        {"key": key, "kind": ["delivered"]},
        "nonsense",
        {"key": key, "kind": "delivered", "at": "2026-11-22T16:00:00+08:00"},
    ]
    assert [index for index, _ in desk.take(*bad)] == list(range(9))
    assert desk.state() == ["sent"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"receipts": 5}', b"[" * 100_000])
def test_unreadable_bodies_are_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(Malformed):
        desk.post(body)


def test_too_much_at_once_is_refused(desk: Desk) -> None:
    with pytest.raises(TooLarge):
        desk.take(*({"kind": "opened"} for _ in range(1001)))


def test_a_channel_without_a_secret_takes_no_receipts(story: Story) -> None:
    desk = Desk(story)
    open_channel = story.channel()
    mac = hmac.new(b"", b"0.{}", hashlib.sha256).hexdigest()
    with pytest.raises(Unauthenticated):
        desk.receipts.take(open_channel.uuid, "0", f"v1={mac}", b"{}")


def test_leaving_by_receipt_withdraws_and_suppresses(desk: Desk) -> None:
    wang = desk.story.person("王芳", "wang@example.cn")
    desk.story.enters(wang).run()
    desk.take({"key": Postbox.sent[0].key, "kind": "unsubscribed"})
    second = desk.story.journey(graph(desk.channel.uuid))
    desk.story.wait(minutes=1).enters(wang).run()
    assert desk.story.outcomes(second) == {"suppressed:no_consent": 1}


def events(journal: SqliteJournal) -> list[Envelope]:
    """What the loader would read of it."""
    own = PROTOCOLS["own"]
    decoded = [own.decode(batch.received, OWN_LIMITS) for batch in journal.read(0, 10**9)]
    assert not any(it.rejected for it in decoded)
    return [event for it in decoded for event in it.events]


@pytest.fixture
def journal(tmp_path: Path, day_keys: DayKeys) -> Iterator[SqliteJournal]:
    it = SqliteJournal(tmp_path / "journal.db", day_keys)
    yield it
    it.close()


def test_sends_and_receipts_become_events_of_the_person(desk: Desk, journal: SqliteJournal) -> None:
    announcer = Announcer(desk.story.state, journal, desk.story.contacts)
    wang = desk.story.person("王芳", "wang@example.cn")
    desk.story.enters(wang).run()
    key = Postbox.sent[0].key
    desk.take({"key": key, "kind": "delivered"}, {"key": key, "kind": "opened"})
    assert announcer.run_once(desk.story.clock.now()) == 3
    assert announcer.run_once(desk.story.clock.now()) == 0
    found = events(journal)
    assert sorted(event.event for event in found) == [
        "message_delivered",
        "message_opened",
        "message_sent",
    ]
    for event in found:
        (identifier,) = event.identifiers
        assert identifier.type == "unionid"
        about = json.loads(event.properties)
        assert about["send"] == key
        assert about["journey"] == desk.journey.uuid
        assert not event.historical


def test_an_announcement_repeated_after_a_crash_is_the_same_event(
    desk: Desk, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes after the journal has the event and before the state store knows."""
    announcer = Announcer(desk.story.state, journal, desk.story.contacts)
    desk.story.enters(desk.story.person()).run()
    append = journal.append

    def cut(batches: Sequence[Received]) -> list[int]:
        append(batches)
        raise OSError("the power went")

    with monkeypatch.context() as failing:
        failing.setattr(journal, "append", cut)
        with pytest.raises(OSError, match="power"):
            announcer.run_once(desk.story.clock.now())
    assert announcer.run_once(desk.story.clock.now()) == 1
    assert len({event.message_id for event in events(journal)}) == 1
    assert len(events(journal)) == 2
