"""Events on their way in: what a connector hands to the pipeline.

Connectors turn bytes into :class:`Envelope` values and never look anything up; the pipeline turns
envelopes into rows. Envelopes are ``msgspec`` structs because this is the hot path.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

import msgspec

from carloop.core.identifiers import RawIdentifier

NAMESPACE_EVENT = UUID("8c0f6f0a-6d0c-5b5e-9a57-3a3c2b7a6f10")
SEQ_BITS = 12
"""A journal batch holds at most ``2**SEQ_BITS`` events: ``seq = batch_id << SEQ_BITS | index``."""


class OpKind(StrEnum):
    """What a profile operation does to one field."""

    SET = "set"
    SET_ONCE = "set_once"
    INCREMENT = "increment"
    APPEND = "append"
    UNSET = "unset"
    DELETE = "delete"


class ProfileOp(msgspec.Struct, frozen=True, array_like=True):
    """One change to one field of a person's profile; ``field`` is empty for DELETE."""

    op: str
    field: str = ""
    value: str | float | int | bool | list[str] | None = None


class EntityRef(msgspec.Struct, frozen=True, array_like=True):
    """A reference to a vehicle, dealer, advisor … by its own key (``type``, ``key``)."""

    type: str
    key: str


class Envelope(msgspec.Struct, kw_only=True):
    """One event as its sender meant it, before validation against the plan and before identity.

    Attributes:
        index: position in the received batch; answers and quarantine refer to it.
        message_id: sender's id, or one derived from the content where the protocol has none.
        event: event name; ``$identify`` where only profile or identity moves.
        occurred_at: corrected time of occurrence, milliseconds since the epoch.
        identifiers: as sent, in the sender's order; not yet normalised. Empty where the event names
            at least one entity and nobody: it is then filed under fragment 0, which is no person.
        properties: a JSON object as bytes; never null.
        entities: explicit references to other entities.
        profile: changes to the person's profile.
        bind / unbind: True where the sender explicitly asserts or withdraws that all identifiers
            of this event are one person.
        historical: imported history, which never triggers a journey.
    """

    index: int
    message_id: str
    event: str
    occurred_at: int
    identifiers: list[RawIdentifier]
    properties: bytes = b"{}"
    entities: list[EntityRef] = []
    profile: list[ProfileOp] = []
    bind: bool = False
    unbind: bool = False
    historical: bool = False


class Rejected(msgspec.Struct, kw_only=True):
    """One event of a readable batch that cannot be taken; kept in quarantine with its bytes.

    Codes are those of ``docs/reference/quarantine.md``: ``missing_identifier``,
    ``invalid_timestamp``, ``invalid_type``, ``too_large``, ``too_deep``, ``too_many_keys``,
    ``name_invalid``, ``nul`` …
    """

    index: int
    code: str
    path: str = ""
    raw: bytes = b""


class Decoded(msgspec.Struct):
    """What a protocol decoder made of one request body."""

    events: list[Envelope]
    rejected: list[Rejected]


class Received(msgspec.Struct, kw_only=True):
    """One request body as the journal keeps it: enough to decode it again, any number of times."""

    tenant: int
    source: int
    protocol: str
    received_at: int
    body: bytes
    hint: str = ""
    """Protocol detail needed to decode (the Segment call, ``gzip`` already undone)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of one way in, in bytes; ``docs/guides/send-events.md`` tells them to senders.

    Attributes:
        wire: a request body as it arrives, packed or not; ``unpacked``: after decompression.
        depth: levels of JSON inside one another.
        keys: members of one event's properties, at every level together.
        key_length: characters of one name.
    """

    event: int
    events_per_batch: int
    wire: int
    unpacked: int
    depth: int = 32
    keys: int = 500
    key_length: int = 200


SEGMENT_LIMITS = Limits(32 * 1024, 2500, 500_000, 8 * 500_000)
SENSORS_LIMITS = Limits(256 * 1024, 2500, 4 * 1024 * 1024, 16 * 1024 * 1024)
OWN_LIMITS = SENSORS_LIMITS
MOST_EVENT, MOST_WIRE = SENSORS_LIMITS.event, SENSORS_LIMITS.wire
"""How far a source may raise the limits of the Segment routes."""
_ROOM = "\x1fevent="


def raised(limits: Limits, event: int, wire: int) -> Limits:
    """``limits`` with as much room for an event and a batch as a source was given, if it is more.

    >>> raised(SEGMENT_LIMITS, 65_536, 0).event, raised(OWN_LIMITS, 65_536, 0) == OWN_LIMITS
    (65536, True)
    """
    if event <= limits.event and wire <= limits.wire:
        return limits
    wide = max(limits.wire, min(wire, MOST_WIRE))
    return replace(
        limits,
        event=max(limits.event, min(event, MOST_EVENT)),
        wire=wide,
        unpacked=max(limits.unpacked, min(8 * wide, SENSORS_LIMITS.unpacked)),
    )


def with_room(received: Received, usual: Limits, given: Limits) -> Received:
    """``received`` as the journal keeps it, so that any replay decodes it under ``given``."""
    if given.event == usual.event:
        return received
    return msgspec.structs.replace(received, hint=f"{received.hint}{_ROOM}{given.event}")


def room_of(received: Received, usual: Limits) -> tuple[Received, Limits]:
    """What :func:`with_room` was given: the hint as it was, and the limits of this body."""
    hint, marked, event = received.hint.partition(_ROOM)
    if not marked:
        return received, usual
    return msgspec.structs.replace(received, hint=hint), raised(usual, int(event), 0)


def event_id(tenant: int, source: int, message_id: str) -> UUID:
    """``uuid5(tenant/source, message_id)``: a repeat of a message has the same id.

    >>> event_id(1, 2, "m") == event_id(1, 2, "m") != event_id(1, 3, "m")
    True
    """
    data = NAMESPACE_EVENT.bytes + f"{tenant}/{source}/{message_id}".encode()
    return UUID(bytes=hashlib.sha1(data, usedforsecurity=False).digest()[:16], version=5)


def uuid5_bytes(digest: bytes) -> bytes:
    """The bytes of a version 5 UUID from the SHA-1 of its namespace and name.

    >>> digest = hashlib.sha1(NAMESPACE_EVENT.bytes + b"x").digest()
    >>> uuid5_bytes(digest) == UUID(bytes=digest[:16], version=5).bytes
    True
    """
    return b"%b%c%b%c%b" % (
        digest[:6],
        (digest[6] & 0x0F) | 0x50,
        digest[7:8],
        (digest[8] & 0x3F) | 0x80,
        digest[9:16],
    )


def seq_of(batch_id: int, index: int) -> int:
    """The journal sequence of one event: orders events by arrival, and breaks ties in time.

    >>> seq_of(3, 5) >> SEQ_BITS
    3
    """
    return batch_id << SEQ_BITS | index
