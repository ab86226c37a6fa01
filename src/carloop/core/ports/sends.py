"""The outbox and the receipts in the state store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from carloop.core.message import ReceiptKind, SendKey, SendState


class Send(NamedTuple):
    """One message to one person; never holds an address or a text. Times are epoch ms.

    Attributes:
        key: enrolment, node and visit; the same for every attempt.
        journey / version: whose send node holds the text.
        channel: number of the channel.
        reason: why it was suppressed, failed or is unknown.
        lease: until when its claim or attempt holds.
        fence: grows with every claim; a result of an older claim is not taken.
    """

    key: SendKey
    tenant: int
    journey: int
    version: int
    person: int
    channel: int
    purpose: str
    not_before: int
    expires_at: int
    created_at: int
    updated_at: int
    state: SendState = SendState.NEW
    reason: str = ""
    attempts: int = 0
    attempted_at: int | None = None
    lease: int | None = None
    fence: int = 0
    provider_id: str = ""


class Settled(NamedTuple):
    """A new state for a claimed send; taken only while ``fence`` is the current one."""

    key: SendKey
    fence: int
    state: SendState
    reason: str = ""
    not_before: int = 0
    provider_id: str = ""


class Posting(NamedTuple):
    """One message for many who reached a send node at the same visit. Times are epoch ms."""

    node: str
    visit: int
    channel: int
    purpose: str
    not_before: int
    expires_at: int


class StoredReceipt(NamedTuple):
    """One receipt; ``id`` makes a repeat harmless."""

    channel: int
    id: bytes
    tenant: int
    key: SendKey
    kind: ReceiptKind
    reason: str
    at: int
    received_at: int


class Sends(Protocol):
    """The outbox."""

    def post(self, enrolments: Sequence[int], posting: Posting) -> None:
        """Add one send for each, in the transaction that moves the enrolments.

        Raises:
            Conflict: one exists already; nothing may be committed.
        """
        ...

    def waiting(self, now: int) -> Sequence[int]:
        """Enabled channels with something of a live journey to send, or a lapsed lease."""
        ...

    def recover(self, channel: int, now: int, repeat: bool) -> None:
        """Lapsed claims are new again; lapsed attempts unknown, or new where it may ``repeat``."""
        ...

    def claim(self, channel: int, now: int, lease: int, limit: int) -> Sequence[Send]:
        """Take due sends of live journeys, oldest first, until ``lease``, with a new fence."""
        ...

    def held(self, claimed: Sequence[Send]) -> Sequence[Send]:
        """Those of ``claimed`` whose claim still stands and whose journey is still live."""
        ...

    def attempt(self, sends: Sequence[Send], now: int, lease: int) -> None:
        """Mark claimed sends as being attempted, until ``lease``."""
        ...

    def settle(self, settled: Sequence[Settled], now: int) -> None:
        """Write what became of claimed or attempted sends, or of unknown ones learned late."""
        ...

    def drop(self, reason: str, *, channel: int | None = None, journey: int | None = None) -> None:
        """Suppress what waits for a channel or a journey that was removed."""
        ...

    def recent(
        self, tenant: int, channel: int, people: Sequence[int], since: int
    ) -> Mapping[int, int]:
        """Messages per person that were or may have been sent after ``since``."""
        ...

    def find(self, tenant: int, channel: int, key: SendKey | None, provider: str) -> Send | None:
        """One send of a channel by key, or by the provider's id."""
        ...

    def page(
        self,
        tenant: int,
        journey: int,
        *,
        state: SendState | None,
        before: SendKey | None,
        limit: int,
    ) -> Sequence[Send]:
        """Sends of a journey, newest enrolment first."""
        ...

    def counts(self, tenant: int, journey: int | None = None) -> Mapping[tuple[str, str], int]:
        """How many sends per (state, reason)."""
        ...

    def add_receipts(self, receipts: Sequence[StoredReceipt]) -> int:
        """Store receipts; repeats change nothing. Returns how many were new."""
        ...

    def kinds(self, key: SendKey) -> Sequence[ReceiptKind]:
        """The kinds of receipts there are for one send."""
        ...

    def correct(self, key: SendKey, state: SendState, reason: str, now: int) -> None:
        """Set the state that receipts prove."""
        ...

    def unannounced(self, limit: int) -> Sequence[Send]:
        """Sends that came to an end and have not become events yet, oldest first."""
        ...

    def unannounced_receipts(self, limit: int) -> Sequence[tuple[StoredReceipt, Send]]:
        """Receipts that have not become events yet, with their sends."""
        ...

    def announce(
        self,
        sends: Sequence[tuple[SendKey, SendState]],
        receipts: Sequence[tuple[int, bytes]],
    ) -> None:
        """Note that these became events; a send only while it is in the state that was told."""
        ...

    def free_at(self, channel: int) -> int:
        """When the channel's pace was last drawn up to, epoch microseconds; 0: never."""
        ...

    def pace(self, channel: int, free_at: int) -> None:
        """Remember how far the channel's pace is drawn."""
        ...

    def age(self, tenant: int, before: int, after: int, upto: int) -> int:
        """Remove sends of enrolments ``(after, upto]`` settled before ``before`` and announced.

        Receipts go with their sends; these go on counting in ``counts``. Returns how many went.
        """
        ...
