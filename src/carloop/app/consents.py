"""Consent as people record it, and the link in a message by which a person leaves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

from carloop.app.persons.visible import visible
from carloop.core.consent import ConsentEntry, ConsentState, current
from carloop.core.message import ReceiptKind, SendKey
from carloop.core.ports.sends import StoredReceipt
from carloop.core.ports.state import State, Tx
from carloop.core.ports.vault import Cipher
from carloop.core.scope import Caller
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import InvalidInput, NotFound

FUTURE_MS = 86_400_000


class ConsentView(NamedTuple):
    """The whole ledger of a person, oldest first, and what stands."""

    entries: Sequence[ConsentEntry]
    standing: Sequence[ConsentEntry]


class ConsentLedger:
    """Records and shows consent."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def of(self, caller: Caller, person: str) -> ConsentView:
        """Everything a person said; raises ``NotFound`` outside the caller's scope."""
        with self._state.read() as tx:
            number = visible(tx, caller, person).number
            entries = list(tx.consents.of(caller.scope.tenant, [number]).get(number, ()))
        return ConsentView(entries, list(current(entries).values()))

    def record(
        self,
        caller: Caller,
        person: str,
        *,
        purpose: str,
        channel: str,
        state: ConsentState,
        policy_version: str,
        source: str,
        evidence: str,
        at: int | None,
    ) -> ConsentEntry:
        """Append one statement; ``at`` (epoch ms) is when the person spoke, None: now.

        Raises:
            NotFound: no such person in the caller's scope.
            InvalidInput: ``at`` lies in the future.
        """
        now = to_ms(self._clock.now())
        if at is not None and at > now + FUTURE_MS:
            raise InvalidInput("nobody speaks in the future", code="invalid_timestamp", path="at")
        with self._state.write() as tx:
            subject = visible(tx, caller, person).number
            entry = ConsentEntry(
                subject, purpose, channel, state, policy_version, source, evidence,
                now if at is None else at,
            )  # fmt: skip
            return tx.consents.append(caller.scope.tenant, entry, now, caller.id)


class Leaving(NamedTuple):
    """What an unsubscribe link stands for; ``address`` is a keyed hash."""

    tenant: int
    channel: int
    purpose: str
    address: bytes
    key: SendKey


class UnsubscribeLinks:
    """Makes and honours unsubscribe links. A link names no person and reveals no address."""

    def __init__(self, state: State, cipher: Cipher, clock: Clock) -> None:
        self._state = state
        self._cipher = cipher
        self._clock = clock

    def token(self, leaving: Leaving) -> str:
        """The signed token of a link."""
        payload = "|".join(
            (
                str(leaving.tenant),
                str(leaving.channel),
                leaving.purpose,
                leaving.address.hex(),
                str(leaving.key),
            )
        )
        return f"{_encode(payload.encode())}.{_encode(self._mac(leaving.tenant, payload))}"

    def read(self, token: str) -> Leaving:
        """What ``token`` stands for.

        Raises:
            NotFound: ``link_unknown``: not one of ours.
        """
        try:
            body, _, mac = token.partition(".")
            payload = _decode(body).decode()
            tenant, channel, purpose, address, key = payload.split("|")
            signed = hmac.compare_digest(self._mac(int(tenant), payload), _decode(mac))
            leaving = Leaving(
                int(tenant), int(channel), purpose, bytes.fromhex(address), SendKey.parse(key)
            )
        except (ValueError, binascii.Error) as error:
            raise NotFound("no such link", code="link_unknown") from error
        if not signed:
            raise NotFound("no such link", code="link_unknown")
        return leaving

    def leave(self, token: str) -> None:
        """Suppress the address and record the withdrawal; a second time changes nothing more."""
        leaving = self.read(token)
        now = to_ms(self._clock.now())
        with self._state.write() as tx:
            send = tx.sends.find(leaving.tenant, leaving.channel, leaving.key, "")
            if send is None:
                raise NotFound("no such link", code="link_unknown")
            receipt = StoredReceipt(
                channel=leaving.channel,
                id=hashlib.sha256(f"unsubscribe:{leaving.key}".encode()).digest()[:16],
                tenant=leaving.tenant,
                key=leaving.key,
                kind=ReceiptKind.UNSUBSCRIBED,
                reason="link",
                at=now,
                received_at=now,
            )
            if tx.sends.add_receipts([receipt]):
                kind = tx.channels.numbered(leaving.channel).kind
                withdraw(
                    tx, leaving.tenant, send.person, leaving.purpose, kind, str(leaving.key), now
                )
            tx.suppressions.add(leaving.tenant, leaving.address, "unsubscribed", now)

    def _mac(self, tenant: int, payload: str) -> bytes:
        return self._cipher.blind_index(tenant, "unsubscribe", payload)


def withdraw(
    tx: Tx, tenant: int, person: int, purpose: str, channel: str, evidence: str, now: int
) -> None:
    """Append what an unsubscription means to the ledger."""
    entry = ConsentEntry(
        person, purpose, channel, ConsentState.WITHDRAWN, "", "unsubscribe", evidence, now
    )
    tx.consents.append(tenant, entry, now, "system")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
