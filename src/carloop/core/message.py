"""A message on its way out, and what became of the attempt to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class SendKey(NamedTuple):
    """``enrolment:node:visit``: the same for every retry of one send, different for any other.

    >>> str(SendKey(7, "hello", 2))
    '7:hello:2'
    >>> SendKey.parse("7:hello:2").visit
    2
    """

    enrolment: int
    node: str
    visit: int

    def __str__(self) -> str:
        return f"{self.enrolment}:{self.node}:{self.visit}"

    @classmethod
    def parse(cls, text: str) -> SendKey:
        """The key written as ``text``.

        Raises:
            ValueError: not of the form ``enrolment:node:visit``.
        """
        enrolment, node, visit = text.split(":")
        if not (node.isascii() and node.isprintable() and len(node) <= 64):
            raise ValueError("not a node id")
        return cls(int(enrolment), node, int(visit))


class Delivery(StrEnum):
    """What a channel may do when it cannot tell whether a message was taken.

    AT_MOST_ONCE: never again by itself; the send is listed as ``unknown``.
    AT_LEAST_ONCE: again with the same key; the receiver de-duplicates, or repeats do no harm.
    """

    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"


class SendState(StrEnum):
    """Where a send stands. The last five are final, though a receipt may still settle UNKNOWN."""

    NEW = "new"
    CLAIMED = "claimed"
    ATTEMPTING = "attempting"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel gets to send. Lives in memory only; the address is never stored with it.

    Attributes:
        key: the idempotency key, see :class:`SendKey`.
        address: where to (an e-mail address, a phone number); empty where the receiver of a webhook
            knows the person by ``person``.
        person: the person's public id.
        unsubscribe_url: link to leave, empty where there is none.
        variables: further values for a receiver that renders by itself.
    """

    key: str
    address: str
    person: str
    subject: str
    text: str
    html: str = ""
    unsubscribe_url: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver accepted the message."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver certainly did not take it.

    Attributes:
        reason: stable code (``http_429``, ``connect_failed``, ``recipient_refused``).
        retry: whether a later attempt may succeed.
        retry_after_seconds: the receiver's own wish, if it named one.
    """

    reason: str
    retry: bool
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may or may not have been taken (time-out after the request left, connection lost)."""

    reason: str


Outcome = Sent | Refused | Unclear


class ReceiptKind(StrEnum):
    """What a provider reports about a message later."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    FAILED = "failed"
    UNSUBSCRIBED = "unsubscribed"
