"""Journeys as stories in test time: real stores, a real dispatcher, a channel that remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from carloop.app.channels import OpenChannels
from carloop.app.consents import UnsubscribeLinks
from carloop.app.contacts import VaultContacts
from carloop.app.guard import Guard
from carloop.app.identity import IdentityResolver
from carloop.app.journeys import Graphs, JourneyEntries, JourneyWorker
from carloop.app.persons.profiles import ProfileWrite, ProfileWriter
from carloop.app.sends import Dispatcher, Pace
from carloop.app.templates import Writer
from carloop.core.consent import ANY_CHANNEL, MARKETING, ConsentEntry, ConsentState
from carloop.core.events import OpKind, ProfileOp
from carloop.core.evidence import Evidence
from carloop.core.identifiers import RawIdentifier
from carloop.core.message import Delivery, Message, Outcome, SendState, Sent
from carloop.core.ports.channels import ChannelKinds, StoredChannel
from carloop.core.ports.journeys import Journey
from carloop.core.ports.state import State, Tx
from carloop.core.ports.tenants import Tenant
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue
from carloop.engines.journeys.graph import read_graph, write_graph
from carloop.kit.clock import ManualClock, to_ms
from carloop.kit.errors import NotFound

CATALOGUE = Catalogue.of()
SEGMENT = 9


@dataclass(frozen=True)
class Change:
    tenant: int
    segment: int
    entered: Collection[int]
    as_of: int
    entered_by_history: Collection[int] = ()


class Postbox:
    """A channel whose receiver is a list; ``answers`` come first, then everything is taken."""

    kind: ClassVar[str] = "postbox"
    title: ClassVar[Mapping[str, str]] = {"zh": "信箱", "en": "Postbox"}
    sent: ClassVar[list[Message]] = []
    answers: ClassVar[list[Outcome]] = []
    now: ClassVar[list[datetime]] = []

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"type": "object", "properties": {"delivery": {}, "receipt_secret": {}}}

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> Self:
        return cls(settings)

    @property
    def address_type(self) -> str:
        return "email"

    @property
    def delivery(self) -> Delivery:
        return Delivery(self._settings.get("delivery", Delivery.AT_MOST_ONCE))

    @property
    def receipt_secret(self) -> str:
        return str(self._settings.get("receipt_secret", ""))

    @property
    def timeout_seconds(self) -> float:
        return 5

    def send(self, message: Message, now: datetime) -> Outcome:
        self.sent.append(message)
        self.now.append(now)
        return self.answers.pop(0) if self.answers else Sent(f"p-{message.key}")

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Rules:
    """Stands in for the segments: one segment, and who satisfies which rule."""

    satisfied: set[int] = field(default_factory=set)
    error: Exception | None = None

    def number(self, tx: Tx, tenant: int, uuid: str) -> int:
        if uuid != "s":
            raise NotFound("no such segment")
        return SEGMENT

    def members(self, tx: Tx, tenant: int, segment: int) -> Sequence[int]:
        return sorted(self.satisfied)

    def check(self, tenant: int, rule: Mapping[str, Any]) -> None:
        """Every rule can be asked."""

    def matching(
        self, tenant: int, rule: Mapping[str, Any], people: Collection[int], now: int
    ) -> Collection[int]:
        if self.error is not None:
            raise self.error
        return self.satisfied & set(people)


class Story:
    """One tenant, one journey, one channel, and the people in it."""

    def __init__(
        self,
        state: State,
        cipher: Cipher,
        clock: ManualClock,
        tenant: int,
        *,
        kinds: ChannelKinds | None = None,
        allowed_hosts: tuple[str, ...] = (),
        pace: Pace | None = None,
        consent_default: bool = False,
    ) -> None:
        Postbox.sent, Postbox.answers, Postbox.now = [], [], []
        self.state, self.cipher, self.clock, self.tenant = state, cipher, clock, tenant
        self.rules = Rules()
        self.graphs = Graphs()
        self.entries = JourneyEntries(self.graphs)
        self.worker = JourneyWorker(state, self.rules, self.graphs)
        self.channels = OpenChannels(cipher, kinds or {"postbox": Postbox}, allowed_hosts)
        self.contacts = VaultContacts(CATALOGUE, cipher)
        self.links = UnsubscribeLinks(state, cipher, clock)
        writer = Writer(cipher, self.links, "https://crm.example.cn")
        self.guard = Guard(
            self.contacts, cipher, writer, self.graphs, consent_default=consent_default
        )
        self.dispatcher = Dispatcher(state, self.channels, self.guard, clock, pace or Pace(40, 4))
        self.identity = IdentityResolver(CATALOGUE, cipher)
        self.profiles = ProfileWriter(CATALOGUE, cipher)
        with state.write() as tx:
            tx.tenants.save(Tenant(tenant, "一汽某店"))

    @property
    def now(self) -> int:
        return to_ms(self.clock.now())

    def channel(
        self, kind: str = "postbox", settings: Mapping[str, Any] | None = None, policy: str = "{}"
    ) -> StoredChannel:
        uuid = str(uuid4())
        key, sealed = self.channels.seal(self.tenant, uuid, settings or {})
        with self.state.write() as tx:
            return tx.channels.add(
                StoredChannel(
                    tenant=self.tenant,
                    uuid=uuid,
                    kind=kind,
                    name="测试",
                    policy=policy,
                    key=key,
                    settings_enc=sealed,
                    created_by="user:1",
                    created_at=self.now,
                    updated_at=self.now,
                )
            )

    def journey(self, graph: Mapping[str, Any]) -> Journey:
        text = write_graph(read_graph(graph))
        made = Journey(
            tenant=self.tenant,
            uuid=str(uuid4()),
            name="保养提醒",
            draft=text,
            created_by="user:1",
            created_at=self.now,
            updated_at=self.now,
            segment=SEGMENT,
        )
        with self.state.write() as tx:
            return tx.journeys.publish(tx.journeys.add(made), text, self.now, "user:1")

    def person(
        self, name: str = "王芳", email: str | None = None, *, consent: bool = True, **more: str
    ) -> int:
        """A person with an e-mail address and a unionid; returns the canonical number."""
        raw = [RawIdentifier("unionid", f"o{uuid4().hex[:20]}")]
        raw += (
            [RawIdentifier("email", email or f"{uuid4().hex[:10]}@example.cn")]
            if email != ""
            else []
        )
        found = tuple(CATALOGUE.identifiers.normalise(it) for it in raw)
        with self.state.write() as tx:
            evidence = Evidence(found, self.now, uuid4().hex)
            (resolved,) = self.identity.resolve(tx, self.tenant, [evidence])
            ops = [ProfileOp(OpKind.SET, k, v) for k, v in {"name": name, **more}.items()]
            write = ProfileWrite(resolved.fragment, ops, self.now, uuid4().hex)
            self.profiles.apply(tx, self.tenant, [write])
        if consent:
            self.consent(resolved.person, ConsentState.GRANTED)
        return resolved.person

    def consent(
        self, person: int, state: ConsentState, *, channel: str = ANY_CHANNEL, at: int | None = None
    ) -> None:
        entry = ConsentEntry(
            person, MARKETING, channel, state, "v1", "app", "", self.now if at is None else at
        )
        with self.state.write() as tx:
            tx.consents.append(self.tenant, entry, self.now, "user:1")

    def enters(self, *people: int, history: Sequence[int] = ()) -> Self:
        with self.state.write() as tx:
            self.entries.changed(tx, Change(self.tenant, SEGMENT, people, self.now, history))
        return self

    def run(self) -> Self:
        """Step until nobody moves, then send what is due."""
        while self.worker.run_once(self.clock.now()).moved:
            pass
        self.dispatcher.run_once(self.clock.now())
        return self

    def wait(self, **delta: float) -> Self:
        """Let time pass, then run."""
        self.clock.advance(timedelta(**delta))
        return self.run()

    @property
    def sent(self) -> list[str]:
        """Texts in the order they left."""
        return [message.text for message in Postbox.sent]

    def outcomes(self, journey: Journey) -> Counter[str]:
        """``state`` or ``state:reason`` with counts."""
        with self.state.read() as tx:
            found = tx.sends.counts(self.tenant, journey.id)
        return Counter({f"{s}:{r}" if r else s: n for (s, r), n in found.items()})

    def states(self, journey: Journey) -> Counter[SendState]:
        with self.state.read() as tx:
            found = tx.sends.counts(self.tenant, journey.id)
        counted: Counter[SendState] = Counter()
        for (state, _), n in found.items():
            counted[SendState(state)] += n
        return counted


def graph(
    channel: str, *steps: Mapping[str, Any], reentry: str = "once", purpose: str = MARKETING
) -> dict[str, Any]:
    """Entry, then ``steps`` (or one send) in a line, then the exit."""
    line: list[dict[str, Any]] = [
        {"id": "start", "kind": "entry_segment", "segment": "s", "reentry": reentry}
    ]
    line += [dict(step) for step in steps] or [send("hello", channel, purpose=purpose)]
    line.append({"id": "end", "kind": "exit"})
    edges = [{"from": one["id"], "to": two["id"]} for one, two in zip(line, line[1:], strict=False)]
    return {
        "goal": "让车主按时回店保养",
        "period": {"from": "2026-01-01T00:00:00+08:00"},
        "entry": "start",
        "nodes": line,
        "edges": edges,
    }


def send(id: str, channel: str, text: str = "", **more: Any) -> dict[str, Any]:
    template = {"zh": {"subject": "保养", "text": text or f"{id} {{{{name}}}}"}}
    return {"id": id, "kind": "send", "channel": channel, "template": template, **more}


def wait(id: str, **duration: int) -> dict[str, Any]:
    return {"id": id, "kind": "wait", **duration}
