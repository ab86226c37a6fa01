"""From a record as it was read to events, by the feed's mapping: a decoder of the journal.

Journal bodies of feeds hold records as the source gave them, so that a mapping can be mended and
what failed tried again. The journal's hint is the digest of the mapping in force when the record
was read; mappings are kept for ever under their digests, so decoding is deterministic. A record
takes a fixed number of sequence places, whatever it yields: ``index = record * places + place``;
where that is not :data:`PLACES`, the hint tells it: ``<digest>/<places>``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from carloop.app.feeds.meanings import PLACES, Meaning, digest_of, meaning_of
from carloop.connectors.json_guard import BadEvent
from carloop.connectors.own import OwnProtocol
from carloop.core.events import OWN_LIMITS, SEQ_BITS, Decoded, Envelope, Limits, Received, Rejected
from carloop.core.feeds import FeedRecord
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.kit.errors import Malformed

NAME = "records"
_Records = list[tuple[str, str, str, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Records).decode


class Hint(NamedTuple):
    """How a journal batch of records is to be decoded.

    >>> Hint.of("0123456789abcdef/256")
    Hint(digest='0123456789abcdef', places=256)
    >>> str(Hint("0123456789abcdef", 8))
    '0123456789abcdef'
    """

    digest: str
    places: int = PLACES

    @classmethod
    def of(cls, text: str) -> Hint:
        """From the journal."""
        digest, _, places = text.partition("/")
        return cls(digest, int(places or PLACES))

    def __str__(self) -> str:
        return self.digest if self.places == PLACES else f"{self.digest}/{self.places}"


def packed(records: Sequence[FeedRecord], places: int) -> Iterator[bytes]:
    """The bodies of journal batches that hold these records, in order."""
    rest = iter(records)
    while piece := list(islice(rest, (1 << SEQ_BITS) // places)):
        yield _encode([(r.key, r.version, r.code, r.body) for r in piece])


def places_of(indexes: Sequence[int], hint: str) -> list[int]:
    """All sequence places of the records that some places belong to: a replay may yield more.

    >>> places_of([9], "0123456789abcdef")
    [8, 9, 10, 11, 12, 13, 14, 15]
    """
    each = Hint.of(hint).places
    records = sorted({index // each for index in indexes})
    return [record * each + place for record in records for place in range(each)]


class RecordsProtocol:
    """Decodes journalled records; the pipeline knows it as the protocol ``records``."""

    name = NAME
    limits = OWN_LIMITS

    def __init__(self, state: State, catalogue: Catalogue, cipher: Cipher) -> None:
        self._state = state
        self._catalogue = catalogue
        self._cipher = cipher
        self._own = OwnProtocol()
        self._meanings: dict[tuple[int, str], Meaning] = {}

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Events of the records, and records that yield none because something is wrong.

        Raises:
            Malformed: ``mapping_unknown``: nobody knows what the columns meant.
        """
        hint = Hint.of(received.hint)
        meaning = self._meaning(received.tenant, hint.digest)
        own: list[tuple[int, bytes]] = []
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for number, (key, version, code, body) in enumerate(_decode(received.body)):
            first = number * hint.places
            if code:
                rejected.append(Rejected(index=first, code=code, path=key, raw=body))
                continue
            prefix = f"{self._named(received.tenant, key)}.{_short(version)}"
            try:
                applied = meaning.apply(prefix, body, received, limits, hint.places)
            except BadEvent as bad:
                rejected.append(bad.rejected(first, body))
                continue
            own += [(first + place, text) for place, text in applied.own]
            for event in applied.events:
                event.index += first
            for refused in applied.bad:
                refused.index += first
            events += applied.events
            rejected += applied.bad
        if own:
            inner = self._own.decode(_own_batch(received, [body for _, body in own]), limits)
            for event in inner.events:
                event.index = own[event.index][0]
            for refused in inner.rejected:
                refused.index = own[refused.index][0]
            return Decoded([*events, *inner.events], [*rejected, *inner.rejected])
        return Decoded(events, rejected)

    def _named(self, tenant: int, key: str) -> str:
        """A record's name for message ids: keyed, since keys may be phone numbers."""
        return self._cipher.blind_index(tenant, "feed", key).hex()

    def _meaning(self, tenant: int, digest: str) -> Meaning:
        known = self._meanings.get((tenant, digest))
        if known is None:
            with self._state.read() as tx:
                text = tx.feeds.kept_mapping(tenant, digest)
            if text is None:
                raise Malformed("no mapping for these records", code="mapping_unknown")
            known = self._meanings[tenant, digest] = meaning_of(text, self._catalogue)
        return known


def _short(version: str) -> str:
    return hashlib.blake2b(version.encode(), digest_size=8).hexdigest()


def _own_batch(received: Received, bodies: Sequence[bytes]) -> Received:
    return Received(
        tenant=received.tenant,
        source=received.source,
        protocol="own",
        received_at=received.received_at,
        body=b'{"events":[' + b",".join(bodies) + b"]}",
    )


def renewed(tx: Tx, received: Received) -> str:
    """The hint that kept records are decoded with today: the mapping now in force."""
    text = tx.feeds.mapping_of(received.tenant, received.source)
    return str(Hint(digest_of(text), Hint.of(received.hint).places)) if text else received.hint
