"""Consent: an append-only ledger per person, purpose and channel, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MARKETING = "marketing"
SERVICE = "service"
ANY_CHANNEL = "*"


class ConsentState(StrEnum):
    """What the person said last."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the ledger; never changed, only followed by another.

    Attributes:
        subject: the identity fragment that spoke; merges and un-merges carry the entry along.
        purpose: what for (``marketing``, ``service``, …).
        channel: channel kind (``email``), or ``*`` for every channel.
        policy_version: the privacy policy the person saw.
        source: where the statement was taken (``app``, ``dealer``, ``unsubscribe``).
        evidence: reference to a proof (a form id, a recording id); never a personal value.
        at: when the person spoke, epoch milliseconds.
        id: order of recording; breaks ties in time.
    """

    subject: int
    purpose: str
    channel: str
    state: ConsentState
    policy_version: str
    source: str
    evidence: str
    at: int
    id: int = 0


def current(entries: Iterable[ConsentEntry]) -> dict[tuple[str, str], ConsentEntry]:
    """The standing entry per (purpose, channel): the last by (at, id).

    >>> def entry(at, state):
    ...     return ConsentEntry(1, MARKETING, "email", ConsentState(state), "", "", "", at)
    >>> current([entry(2, "withdrawn"), entry(1, "granted")])[MARKETING, "email"].state.value
    'withdrawn'
    """
    standing: dict[tuple[str, str], ConsentEntry] = {}
    for entry in sorted(entries, key=lambda e: (e.at, e.id)):
        standing[entry.purpose, entry.channel] = entry
    return standing


def allows(
    standing: Mapping[tuple[str, str], ConsentEntry],
    purpose: str,
    channel: str,
    default: bool,
) -> bool:
    """Whether a message for ``purpose`` may leave through ``channel``.

    The later of the entry for this channel and the one for all channels decides; ``service`` is
    allowed until withdrawn; any other purpose that was never spoken of follows ``default``.
    """
    known = [e for c in (channel, ANY_CHANNEL) if (e := standing.get((purpose, c))) is not None]
    if known:
        return max(known, key=lambda e: (e.at, e.id)).state is ConsentState.GRANTED
    return default or purpose == SERVICE
