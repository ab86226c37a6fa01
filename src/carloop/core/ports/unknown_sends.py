"""Sends that nobody knows the outcome of, until a receipt or a person settles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from carloop.core.message import SendKey, SendState


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownSend:
    """One send that may or may not have reached its person. Times are epoch ms.

    Attributes:
        journey, journey_name: public id and name of its journey.
        channel, channel_name: public id and name of its channel.
        reason: why the outcome is not known (``interrupted``, ``timeout`` …).
    """

    key: SendKey
    journey: str
    journey_name: str
    channel: str
    channel_name: str
    person: int
    purpose: str
    reason: str
    attempts: int
    provider_id: str
    attempted_at: int | None
    updated_at: int


class UnknownSends(Protocol):
    """The part of the outbox whose outcome is unknown."""

    def page(self, tenant: int, *, before: SendKey | None, limit: int) -> Sequence[UnknownSend]:
        """Across journeys, removed ones too, newest enrolment first."""
        ...

    def exists(self, tenant: int, key: SendKey) -> bool:
        """Whether the tenant has a send of this key, whatever its outcome."""
        ...

    def settle(self, tenant: int, key: SendKey, state: SendState, reason: str, now: int) -> bool:
        """Give an unknown send its outcome; False where it is none of the tenant's, or not unknown.

        It becomes an event like any other outcome, and is never sent again.
        """
        ...
