"""What providers report later: it settles the send, and comes back as an event."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from carloop.app.channels import OpenChannels
from carloop.app.consents import withdraw
from carloop.core.events import Received
from carloop.core.identifiers import Identifier
from carloop.core.message import ReceiptKind, SendKey, SendState
from carloop.core.ports.channels import StoredChannel
from carloop.core.ports.contacts import Contacts
from carloop.core.ports.journal import Journal
from carloop.core.ports.sends import Send, StoredReceipt
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.sources import Source, SourceKind
from carloop.kit.clock import Clock, from_ms, to_ms
from carloop.kit.errors import Malformed, NotFound, TooLarge, Unauthenticated

log = structlog.get_logger(__name__)

MAX_BYTES = 1024 * 1024
MAX_RECEIPTS = 1000
TOLERANCE_MS = 300_000
SOURCE = "receipts"
_KINDS = frozenset(ReceiptKind)
_REACHED = frozenset(ReceiptKind) - {ReceiptKind.FAILED}
_NEVER_SENT = (SendState.SUPPRESSED, SendState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many receipts were taken (repeats too), and which were not: ``(index, code)``."""

    accepted: int
    rejected: Sequence[tuple[int, str]]


class Receipts:
    """Takes receipts in, signed with the channel's secret."""

    def __init__(
        self,
        state: State,
        channels: OpenChannels,
        contacts: Contacts,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._state = state
        self._channels = channels
        self._contacts = contacts
        self._cipher = cipher
        self._clock = clock

    def take(self, channel: str, timestamp: str, signature: str, body: bytes) -> Accepted:
        """Store receipts and settle their sends; repeats and any order give the same.

        Args:
            channel: public id.
            timestamp: seconds since the epoch, as text; within five minutes of now.
            signature: ``v1=`` + HMAC-SHA256 over ``timestamp.body`` with the receipt secret.
            body: ``{"receipts": [{"key" | "provider_id", "kind", "at"?, "id"?, "reason"?}]}``.

        Raises:
            Unauthenticated: unknown channel, no secret set, wrong signature, or too old.
            Malformed: the body cannot be read.
            TooLarge: more than 1 MiB, or more than 1000 receipts.
        """
        if len(body) > MAX_BYTES:
            raise TooLarge("at most 1 MiB")
        stored = self._authentic(channel, timestamp, signature, body)
        now = to_ms(self._clock.now())
        rejected: list[tuple[int, str]] = []
        items = _items(body)
        with self._state.write() as tx:
            for index, item in enumerate(items):
                code = self._take_one(tx, stored, item, now)
                if code:
                    rejected.append((index, code))
        return Accepted(len(items) - len(rejected), rejected)

    def _authentic(self, uuid: str, timestamp: str, signature: str, body: bytes) -> StoredChannel:
        refused = Unauthenticated("the signature does not hold", code="signature_invalid")
        try:
            with self._state.read() as tx:
                stored = tx.channels.public(uuid)
        except NotFound as error:
            raise refused from error
        secret = self._channels.of(stored).receipt_secret
        expected = _sign(secret, timestamp, body)
        if not secret or not hmac.compare_digest(expected.encode(), signature.encode()):
            raise refused
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise refused
        if abs(int(timestamp) * 1000 - to_ms(self._clock.now())) > TOLERANCE_MS:
            raise refused
        return stored

    def _take_one(self, tx: Tx, stored: StoredChannel, item: Any, now: int) -> str:
        """Take one receipt; returns why not, or nothing."""
        if not isinstance(item, dict) or str(item.get("kind")) not in _KINDS:
            return "kind_unknown"
        at = _instant(item.get("at"), now)
        if at is None:
            return "invalid_timestamp"
        send = _find(tx, stored, item)
        if send is None:
            return "send_unknown"
        kind = ReceiptKind(str(item["kind"]))
        identity = str(item.get("id") or f"{send.key}:{kind}:{item.get('at')}")
        receipt = StoredReceipt(
            channel=stored.id,
            id=hashlib.sha256(identity.encode("utf-8", "replace")).digest()[:16],
            tenant=stored.tenant,
            key=send.key,
            kind=kind,
            reason=_code(item.get("reason")),
            at=at,
            received_at=now,
        )
        if tx.sends.add_receipts([receipt]):
            self._settle(tx, stored, send, receipt, now)
        return ""

    def _settle(
        self, tx: Tx, stored: StoredChannel, send: Send, receipt: StoredReceipt, now: int
    ) -> None:
        """The state follows from the set of receipts, whatever their order."""
        kinds = set(tx.sends.kinds(send.key))
        if send.state not in _NEVER_SENT:
            if kinds & _REACHED:
                tx.sends.correct(send.key, SendState.SENT, "", now)
            elif ReceiptKind.FAILED in kinds:
                tx.sends.correct(send.key, SendState.FAILED, receipt.reason, now)
        if receipt.kind is ReceiptKind.UNSUBSCRIBED:
            withdraw(tx, stored.tenant, send.person, send.purpose, stored.kind, str(send.key), now)
            self._suppress(tx, stored, send, now)

    def _suppress(self, tx: Tx, stored: StoredChannel, send: Send, now: int) -> None:
        wanted = self._channels.of(stored).address_type
        contact = self._contacts.read(tx, stored.tenant, [send.person], wanted, ()).get(send.person)
        if contact is not None and contact.address is not None:
            key = self._cipher.identifier_key(stored.tenant, contact.address)
            tx.suppressions.add(stored.tenant, key, "unsubscribed", now)


class Announcer:
    """Turns what was sent and reported into events, through the journal like any other event.

    Message ids are made from the send's key, so a repeat after a crash is the same event.
    """

    def __init__(
        self, state: State, journal: Journal, contacts: Contacts, *, limit: int = 500
    ) -> None:
        self._state = state
        self._journal = journal
        self._contacts = contacts
        self._limit = limit

    def run_once(self, now: datetime) -> int:
        """Announce up to a few hundred; returns how many became events."""
        with self._state.read() as tx:
            sends = tx.sends.unannounced(self._limit)
            receipts = tx.sends.unannounced_receipts(self._limit)
            events = self._events(tx, sends, receipts)
        if not sends and not receipts:
            return 0
        sources = {tenant: self._source(tenant, now) for tenant in events}
        batches = [
            Received(
                tenant=tenant,
                source=sources[tenant],
                protocol="own",
                received_at=to_ms(now),
                body=json.dumps({"events": found}, ensure_ascii=False).encode(),
            )
            for tenant, found in events.items()
        ]
        if batches:
            self._journal.append(batches)
        with self._state.write() as tx:
            tx.sends.announce(
                [(it.key, it.state) for it in sends], [(it.channel, it.id) for it, _ in receipts]
            )
        return sum(map(len, events.values()))

    def _events(
        self,
        tx: Tx,
        sends: Sequence[Send],
        receipts: Sequence[tuple[StoredReceipt, Send]],
    ) -> Mapping[int, list[dict[str, Any]]]:
        people: dict[int, set[int]] = defaultdict(set)
        for send in (*sends, *(send for _, send in receipts)):
            people[send.tenant].add(send.person)
        named = {
            (tenant, person): identifier
            for tenant, found in people.items()
            for person, identifier in self._contacts.identify(tx, tenant, found).items()
        }
        events: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for send in sends:
            if identifier := named.get((send.tenant, send.person)):
                at = send.attempted_at or send.updated_at
                what = send.state.value
                about = _about(tx, send, send.reason)
                events[send.tenant].append(
                    _event(f"send:{send.key}:{what}", f"message_{what}", at, identifier, about)
                )
        for it, send in receipts:
            if identifier := named.get((send.tenant, send.person)):
                about = _about(tx, send, it.reason)
                what = "bounced" if it.kind is ReceiptKind.FAILED else it.kind.value
                events[it.tenant].append(
                    _event(f"receipt:{it.id.hex()}", f"message_{what}", it.at, identifier, about)
                )
        return events

    def _source(self, tenant: int, now: datetime) -> int:
        with self._state.read() as tx:
            source = tx.sources.named(tenant, SOURCE)
        if source is None:
            made = Source(
                tenant=tenant, id=0, name=SOURCE, kind=SourceKind.SYSTEM, created_at=to_ms(now)
            )
            with self._state.write() as tx:
                source = tx.sources.named(tenant, SOURCE) or tx.sources.add(made)
        return source.id


def _event(
    message_id: str, name: str, at: int, identifier: Identifier, about: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "event": name,
        "occurred_at": from_ms(at).isoformat(timespec="milliseconds"),
        "identifiers": [identifier._asdict()],
        "properties": dict(about),
    }


def _about(tx: Tx, send: Send, reason: str) -> dict[str, str]:
    channel = tx.channels.numbered(send.channel)
    return {
        "journey": tx.journeys.numbered(send.journey).uuid,
        "node": send.key.node,
        "send": str(send.key),
        "channel": channel.kind,
        "channel_id": channel.uuid,
        "purpose": send.purpose,
        **({"reason": reason} if reason else {}),
    }


def _sign(secret: str, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _items(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("the body is not readable JSON") from error
    items = document.get("receipts") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise Malformed("receipts must be a list", path="receipts")
    if len(items) > MAX_RECEIPTS:
        raise TooLarge(f"at most {MAX_RECEIPTS} receipts")
    return items


def _find(tx: Tx, stored: StoredChannel, item: Mapping[str, Any]) -> Send | None:
    key, provider = item.get("key"), item.get("provider_id")
    if isinstance(key, str):
        try:
            parsed = SendKey.parse(key)
        except ValueError:
            return None
        usable = 0 <= parsed.enrolment < 2**63 and 0 <= parsed.visit < 2**31
        return tx.sends.find(stored.tenant, stored.id, parsed, "") if usable else None
    if isinstance(provider, str) and provider and provider.isprintable():
        return tx.sends.find(stored.tenant, stored.id, None, provider)
    return None


def _instant(at: Any, now: int) -> int | None:
    """Epoch milliseconds of an RFC 3339 time; now where none is given; never in the future."""
    if at is None:
        return now
    try:
        found = datetime.fromisoformat(at)
        return min(to_ms(found), now) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _code(reason: Any) -> str:
    """A provider's reason reduced to a code: it must not carry an address into our records."""
    if not isinstance(reason, str):
        return ""
    safe = reason.isascii() and reason.replace("_", "").replace("-", "").isalnum()
    digits = sum(c.isdigit() for c in reason)
    return reason[:64].lower() if safe and digits <= 5 else "other"
