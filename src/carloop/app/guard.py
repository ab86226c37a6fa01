"""The last look at each message, in the transaction that marks its attempt.

A withdrawal, a suppression, an erasure or a stopped journey that was committed before that
transaction therefore always wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carloop.app.channels import read_policy
from carloop.app.journeys import Graphs
from carloop.app.templates import Writer, fields_of
from carloop.core.consent import ConsentEntry, allows, current
from carloop.core.message import Message, SendState
from carloop.core.ports.channels import Channel, StoredChannel
from carloop.core.ports.contacts import Contact, Contacts
from carloop.core.ports.sends import Send, Settled
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.engines.journeys.guards import DAY_MS, Allow, Defer, Facts, Suppress, judge
from carloop.engines.journeys.nodes import Send as SendNode
from carloop.engines.journeys.templates import Template


class Ready(NamedTuple):
    """A message that may leave now. Lives in memory only."""

    send: Send
    message: Message


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look read, by person."""

    contacts: Mapping[int, Contact]
    consents: Mapping[int, Sequence[ConsentEntry]]
    suppressed: frozenset[int]
    recent: Counter[int]


class Guard:
    """Decides which of a wave may leave, and writes their messages."""

    def __init__(
        self,
        contacts: Contacts,
        cipher: Cipher,
        writer: Writer,
        graphs: Graphs,
        *,
        consent_default: bool = False,
    ) -> None:
        """``consent_default``: may a person be written to who never spoke of the purpose?"""
        self._contacts = contacts
        self._cipher = cipher
        self._writer = writer
        self._graphs = graphs
        self._default = consent_default

    def look(
        self, tx: Tx, stored: StoredChannel, channel: Channel, sends: Sequence[Send], now: int
    ) -> tuple[list[Ready], list[Settled]]:
        """``(those that may leave, what becomes of the others)``."""
        if not sends:
            return [], []
        tenant = stored.tenant
        zone = ZoneInfo(tx.tenants.get(tenant).zone)
        policy = read_policy(stored.policy)
        templates = [self._template(tx, send) for send in sends]
        since = now - policy.cap.days * DAY_MS if policy.cap else now
        known = self._read(tx, stored, channel, sends, templates, since)
        ready: list[Ready] = []
        judged: list[Settled] = []
        for send, template in zip(sends, templates, strict=True):
            verdict = judge(self._facts(send, stored, channel, known), policy, zone, now)
            if isinstance(verdict, Allow):
                known.recent[send.person] += 1
                contact = known.contacts[send.person]
                ready.append(Ready(send, self._writer.write(send, stored, template, contact)))
            elif isinstance(verdict, Defer):
                judged.append(_settled(send, SendState.NEW, "quiet_hours", verdict.until))
            elif isinstance(verdict, Suppress):
                judged.append(_settled(send, SendState.SUPPRESSED, verdict.reason))
            else:
                judged.append(_settled(send, SendState.EXPIRED, "too_late"))
        return ready, judged

    def _read(
        self,
        tx: Tx,
        stored: StoredChannel,
        channel: Channel,
        sends: Sequence[Send],
        templates: Sequence[Template],
        since: int,
    ) -> _Known:
        tenant = stored.tenant
        people = sorted({send.person for send in sends})
        fields = set[str]().union(*map(fields_of, templates))
        contacts = self._contacts.read(tx, tenant, people, channel.address_type, fields)
        keys = {
            person: self._cipher.identifier_key(tenant, contact.address)
            for person, contact in contacts.items()
            if contact.address is not None
        }
        listed = tx.suppressions.among(tenant, list(keys.values()))
        return _Known(
            contacts,
            tx.consents.of(tenant, people),
            frozenset(person for person, key in keys.items() if key in listed),
            Counter(tx.sends.recent(tenant, stored.id, people, since)),
        )

    def _facts(self, send: Send, stored: StoredChannel, channel: Channel, known: _Known) -> Facts:
        contact = known.contacts.get(send.person)
        standing = current(known.consents.get(send.person, ()))
        return Facts(
            purpose=send.purpose,
            expires_at=send.expires_at,
            known=contact is not None,
            consented=allows(standing, send.purpose, stored.kind, self._default),
            address_needed=bool(channel.address_type),
            address_found=contact is not None and contact.address is not None,
            suppressed=send.person in known.suppressed,
            recent=known.recent[send.person],
        )

    def _template(self, tx: Tx, send: Send) -> Template:
        node = self._graphs.of(tx, send.journey, send.version).by_id[send.key.node]
        assert isinstance(node, SendNode)
        return {str(language): text for language, text in node.template.items()}


def _settled(send: Send, state: SendState, reason: str, until: int = 0) -> Settled:
    return Settled(send.key, send.fence, state, reason, until or send.not_before)
