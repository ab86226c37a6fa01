"""Messages under the drill: a journey writes to members through a webhook while processes die."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import httpx

from carloop.bootstrap.stores import Stores
from carloop.core.message import SendState
from tests.drill.server import Server
from tests.support.provider import Provider
from tests.support.story import graph, send
from tests.support.waiting import until

ENVIRONMENT = {"CARLOOP_ALLOWED_HOSTS": "127.0.0.1", "CARLOOP_CONSENT_DEFAULT": "grant"}


class Campaign:
    """A journey that greets whoever becomes a member, once each.

    Args:
        receiver: takes the messages and counts them.
    """

    def __init__(self, receiver: Provider) -> None:
        self._receiver = receiver

    def start(self, server: Server, token: str) -> None:
        """Publish the journey, and wait until the segment has been computed without anybody."""
        headers = {"authorization": f"Bearer {token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=10) as http:
            rule = {"kind": "attribute", "field": "level", "op": "=", "value": "member"}
            segment = _made(http, "/api/segments", {"name": "drill", "rule": rule})
            settings = {"url": self._receiver.url, "secret": "s" * 16}
            body = {"kind": "webhook", "name": "drill", "settings": settings}
            channel = _made(http, "/api/channels", body)
            shape = graph(channel, send("hello", channel, "hello"))
            shape["nodes"][0]["segment"] = segment
            journey = _made(http, "/api/journeys", {"name": "drill", "graph": shape})
            answer = http.post(f"/api/journeys/{journey}/publish")
            assert answer.status_code == 200, answer.text
            until(lambda: http.get(f"/api/segments/{segment}").json()["refreshed_at"])

    def finish(self, server: Server, token: str, seconds: float = 30) -> None:
        """Wait for the first message, then until nothing new is sent for a while or ``seconds``."""
        until(lambda: self._receiver.delivered, "no message was sent at all")
        ends, seen, quiet = time.monotonic() + seconds, -1, 0
        while time.monotonic() < ends and quiet < 6:
            now = sum(self._receiver.delivered.values())
            quiet = quiet + 1 if now == seen else 0
            seen = now
            time.sleep(0.5)

    def check(self, stores: Stores) -> list[str]:
        """Nobody got a message twice, and everything called sent was received."""
        with stores.state.read() as tx:
            counts: Counter[str] = Counter()
            for (state, _), number in tx.sends.counts(1).items():
                counts[state] += number
        delivered = self._receiver.delivered
        faults = []
        if twice := [key for key, number in delivered.items() if number > 1]:
            faults.append(f"{len(twice)} messages were sent more than once")
        sent, unknown = counts[SendState.SENT.value], counts[SendState.UNKNOWN.value]
        if not delivered:
            faults.append("no message was sent at all")
        if not sent <= len(delivered) <= sent + unknown + counts[SendState.ATTEMPTING.value]:
            faults.append(f"{len(delivered)} received, but {sent} sent and {unknown} unknown")
        return faults


def _made(http: httpx.Client, path: str, body: dict[str, Any]) -> str:
    answer = http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
