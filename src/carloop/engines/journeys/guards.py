"""The last look before a message leaves: may this person get it, now?

Pure decisions; the dispatcher brings the facts, read in the transaction that marks the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from carloop.core.consent import SERVICE
from carloop.engines.journeys.pace import Rate
from carloop.kit.clock import from_ms, to_ms

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local wall-clock hours in which nothing leaves, ``[from, to)``; may span midnight."""

    from_: Annotated[time, Field(alias="from")]
    to: time


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``messages`` to one person within any ``days`` × 24 hours."""

    messages: Annotated[int, Field(ge=1, le=1000)]
    days: Annotated[int, Field(ge=1, le=365)]


@dataclass(frozen=True, slots=True)
class Policy:
    """A channel's own limits. Messages for ``service`` are bound by ``rate`` alone."""

    quiet_hours: QuietHours | None = None
    cap: Cap | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one message at the moment it would leave. Times in epoch ms.

    Attributes:
        known: the person exists and was not erased.
        consented: the consent ledger allows this purpose on this channel.
        address_needed / address_found: a contact address and whether there is one.
        suppressed: the address is on the suppression list.
        recent: messages of this channel that reached, or may have reached, the person within the
            cap's window.
    """

    purpose: str
    expires_at: int
    known: bool
    consented: bool
    address_needed: bool
    address_found: bool
    suppressed: bool
    recent: int = 0


@dataclass(frozen=True, slots=True)
class Allow:
    """It may leave."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """It may never leave; ``reason`` is listed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Not before ``until`` (epoch milliseconds)."""

    until: int


@dataclass(frozen=True, slots=True)
class Expire:
    """Too late by now."""


Verdict = Allow | Suppress | Defer | Expire


def judge(facts: Facts, policy: Policy, zone: ZoneInfo, now: int) -> Verdict:
    """Whether a message may leave now.

    Args:
        facts: about the message and the person.
        policy: of the channel.
        zone: the tenant's time zone, in which quiet hours are meant.
        now: epoch milliseconds.
    """
    for stops, reason in (
        (not facts.known, "person_unknown"),
        (not facts.consented, "no_consent"),
        (facts.address_needed and not facts.address_found, "no_address"),
        (facts.suppressed, "suppressed"),
    ):
        if stops:
            return Suppress(reason)
    if now >= facts.expires_at:
        return Expire()
    if facts.purpose == SERVICE:
        return Allow()
    if policy.cap is not None and facts.recent >= policy.cap.messages:
        return Suppress("frequency_cap")
    until = quiet_until(policy.quiet_hours, zone, now)
    return Allow() if until is None else Defer(until)


def quiet_until(hours: QuietHours | None, zone: ZoneInfo, now: int) -> int | None:
    """When the quiet hours that hold at ``now`` end (epoch ms), None outside them.

    >>> night = QuietHours(time(21), time(9))
    >>> at = to_ms(datetime(2026, 11, 22, 14, 0, tzinfo=ZoneInfo("UTC")))
    >>> from_ms(quiet_until(night, ZoneInfo("Asia/Shanghai"), at)).isoformat()
    '2026-11-23T01:00:00+00:00'
    """
    if hours is None or hours.from_ == hours.to:
        return None
    local = from_ms(now).astimezone(zone)
    clock = local.time()
    spans = hours.from_ > hours.to
    quiet = (clock >= hours.from_ or clock < hours.to) if spans else hours.from_ <= clock < hours.to
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if spans and clock >= hours.from_ else 0)
    return max(to_ms(datetime.combine(day, hours.to, zone)), now + 1)
