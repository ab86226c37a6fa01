"""``kill -9`` the sender again and again: nobody gets a message twice, nothing is lost unseen."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from carloop.channels import CHANNEL_KINDS
from carloop.core.consent import SERVICE
from carloop.core.evidence import Evidence
from carloop.core.identifiers import Identifier
from carloop.core.message import SendState
from carloop.core.ports.journeys import Journey
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import ManualClock
from carloop.stores.state.store import SqlState
from tests.support.dispatcher import CONCURRENCY
from tests.support.provider import Provider, provider
from tests.support.story import Story, graph
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
KILLS = 12
PEOPLE = 300


def start(url: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.dispatcher", url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def stop(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def prepare(story: Story, it: Provider, delivery: str) -> Journey:
    settings = {"url": it.url, "secret": "s", "delivery": delivery, "timeout_seconds": 1}
    return story.journey(graph(story.channel("webhook", settings).uuid, purpose=SERVICE))


def people(story: Story) -> list[int]:
    with story.state.write() as tx:
        shown = [
            Evidence((Identifier("unionid", "", f"o{n:08d}"),), story.now, uuid4().hex)
            for n in range(PEOPLE)
        ]
        return [it.person for it in story.identity.resolve(tx, story.tenant, shown)]


def unfinished(story: Story, *journeys: Journey) -> int:
    over = {SendState.SENT, SendState.UNKNOWN}
    return sum(n for j in journeys for state, n in story.states(j).items() if state not in over)


def await_delivery(one: Provider, two: Provider, before: int) -> None:
    """Until this sender's first message arrived; it may have only leases to wait for."""
    deadline = time.monotonic() + 5
    while len(one.delivered) + len(two.delivered) == before and time.monotonic() < deadline:
        time.sleep(0.002)


def test_killed_senders(sqlite_state: SqlState, cipher: Cipher, tenant: int) -> None:
    rng = random.Random(20261122)
    clock = ManualClock(datetime.now(UTC))
    story = Story(sqlite_state, cipher, clock, tenant, kinds=CHANNEL_KINDS)
    with (
        provider(honours_keys=True, delay_seconds=0.02) as keyed,
        provider(delay_seconds=0.02) as keyless,
    ):
        repeated = prepare(story, keyed, "at_least_once")
        once = prepare(story, keyless, "at_most_once")
        story.enters(*people(story))
        while story.worker.run_once(clock.now()).moved:
            pass
        for _ in range(KILLS):
            before = len(keyless.delivered) + len(keyed.delivered)
            child = start(sqlite_state.url)
            await_delivery(keyless, keyed, before)
            time.sleep(rng.uniform(0, 0.1))
            stop(child)
        under_fire = len(keyless.delivered)
        child = start(sqlite_state.url)
        try:
            until(
                lambda: not unfinished(story, repeated, once),
                lambda: f"not all is sent: {story.states(repeated)}, {story.states(once)}",
                every=0.2,
            )
        finally:
            stop(child)
    story.dispatcher.close()

    assert 0 < under_fire < PEOPLE, "the kills have to fall while messages are under way"
    assert story.states(repeated) == {SendState.SENT: PEOPLE}
    assert len(keyed.delivered) == PEOPLE
    assert set(keyed.delivered.values()) == {1}

    states = story.states(once)
    unknown = states[SendState.UNKNOWN]
    assert states[SendState.SENT] + unknown == PEOPLE
    assert 0 < unknown <= KILLS * CONCURRENCY
    assert set(keyless.delivered.values()) == {1}
    assert PEOPLE - len(keyless.delivered) <= unknown
