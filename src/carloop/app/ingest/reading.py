"""From the journal to prepared events: decode, prepare, seal what cannot be taken."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec
import structlog

from carloop.app.ingest.prepare import Prepared, Preparer, Refused
from carloop.connectors.protocol import Decoder
from carloop.core.events import SEQ_BITS, Decoded, Envelope, Received, Rejected, room_of, seq_of
from carloop.core.ports.journal import Batch, JournalKeys
from carloop.core.ports.pipeline import QuarantinedEvent
from carloop.core.ports.vault import Cipher
from carloop.kit.clock import from_ms
from carloop.kit.errors import CarloopError, Malformed

log = structlog.get_logger(__name__)

REPLAY = "replay"
"""Protocol of a journal batch that asks for events of an earlier one."""
LAST_INDEX = (1 << SEQ_BITS) - 1


def where(error: BaseException) -> dict[str, str]:
    """Kind and place of an error for the log; its message may quote an event and is left out."""
    trace = "".join(traceback.format_tb(error.__traceback__, limit=-6))
    return {"error": type(error).__name__, "trace": trace}


class Replay(msgspec.Struct):
    """The body of a replay: an earlier body, and which of its events are wanted."""

    protocol: str
    hint: str
    body: bytes
    indexes: list[int]


@dataclass(slots=True)
class Work:
    """What one cycle has to do, up to and including ``cursor``."""

    cursor: int
    batches: int = 0
    events: int = 0
    prepared: list[Prepared] = field(default_factory=list)
    quarantined: list[QuarantinedEvent] = field(default_factory=list)


class Reader:
    """Decodes and prepares journal batches. One per loader; not thread-safe."""

    def __init__(
        self,
        protocols: Mapping[str, Decoder],
        preparer: Preparer,
        cipher: Cipher,
        keys: JournalKeys,
    ) -> None:
        self._protocols = protocols
        self._preparer = preparer
        self._cipher = cipher
        self._keys = keys

    def read(self, batches: Iterable[Batch], cursor: int, most: int) -> Work:
        """Prepare batches beyond ``cursor`` until about ``most`` events are at hand."""
        work = Work(cursor)
        for batch in batches:
            self._batch(batch, cursor, work)
            work.batches += 1
            work.cursor = seq_of(batch.id, LAST_INDEX)
            if work.events >= most:
                break
        return work

    def quarantine(
        self, received: Received, batch: int, index: int, code: str, path: str, raw: bytes,
        event: str = "",
    ) -> QuarantinedEvent:  # fmt: skip
        """One event that cannot be taken, its bytes sealed under the key of its day."""
        day = from_ms(received.received_at).date().isoformat()
        aad = f"quarantine:{received.tenant}:{batch}:{index}"
        sealed = self._cipher.encrypt(self._keys.key(day), raw, aad)
        return QuarantinedEvent(
            received.tenant, received.source, batch, index, code, path, event, day, sealed,
            received.received_at,
        )  # fmt: skip

    def poison(self, event: Prepared) -> QuarantinedEvent:
        """An event whose loading failed for a reason of ours."""
        received = Received(
            tenant=event.tenant,
            source=event.source,
            protocol="",
            received_at=event.received_at,
            body=b"",
        )
        return self.quarantine(
            received, event.seq >> SEQ_BITS, event.seq & LAST_INDEX, "internal_error", "",
            msgspec.json.encode(event.envelope), event.event,
        )  # fmt: skip

    def _batch(self, batch: Batch, cursor: int, work: Work) -> None:
        received = batch.received
        try:
            decoded = self._decode(received)
        except CarloopError as error:
            decoded = Decoded([], [Rejected(index=0, code=error.code, raw=received.body)])
        except Exception as error:
            log.error("decode_failed", batch=batch.id, **where(error))
            decoded = Decoded([], [Rejected(index=0, code="internal_error", raw=received.body)])
        for bad in decoded.rejected:
            if seq_of(batch.id, bad.index) > cursor:
                work.events += 1
                work.quarantined.append(
                    self.quarantine(received, batch.id, bad.index, bad.code, bad.path, bad.raw)
                )
        for envelope in decoded.events:
            seq = seq_of(batch.id, envelope.index)
            if seq > cursor:
                work.events += 1
                self._event(envelope, received, seq, work)

    def _event(self, envelope: Envelope, received: Received, seq: int, work: Work) -> None:
        try:
            work.prepared.append(self._preparer.prepare(envelope, received, seq))
            return
        except Refused as refused:
            code, path, faults = refused.code, refused.path, refused.faults
        except Exception as error:
            log.error("prepare_failed", seq=seq, **where(error))
            code, path, faults = "internal_error", "", ()
        kept = self.quarantine(
            received,
            seq >> SEQ_BITS,
            envelope.index,
            code,
            path,
            msgspec.json.encode(envelope),
            envelope.event,
        )
        told = tuple((fault.path, fault.code) for fault in faults)
        work.quarantined.append(replace(kept, occurred_at=envelope.occurred_at, faults=told))

    def _decode(self, received: Received) -> Decoded:
        if received.protocol == REPLAY:
            return self._decode_replay(received)
        protocol = self._protocols.get(received.protocol)
        if protocol is None:
            raise Malformed("no such protocol", code="unknown_protocol")
        return protocol.decode(*room_of(received, protocol.limits))

    def _decode_replay(self, received: Received) -> Decoded:
        replay = msgspec.msgpack.decode(received.body, type=Replay)
        whole = self._decode(
            Received(
                tenant=received.tenant,
                source=received.source,
                protocol=replay.protocol,
                received_at=received.received_at,
                body=replay.body,
                hint=replay.hint,
            )
        )
        wanted = set(replay.indexes)
        return Decoded(
            [e for e in whole.events if e.index in wanted],
            [r for r in whole.rejected if r.index in wanted],
        )
