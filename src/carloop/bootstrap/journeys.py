"""Wires the way out: journeys, channels, sends, receipts, consent."""

from __future__ import annotations

from dataclasses import dataclass

from carloop.app.channels import ChannelDesk, OpenChannels
from carloop.app.consents import ConsentLedger, UnsubscribeLinks
from carloop.app.contacts import VaultContacts
from carloop.app.guard import Guard
from carloop.app.journey_desk import JourneyDesk
from carloop.app.journeys import Graphs, JourneyEntries, JourneyWorker
from carloop.app.receipts import Announcer, Receipts
from carloop.app.sends import Dispatcher
from carloop.app.templates import Writer
from carloop.bootstrap.background import Loop
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores
from carloop.channels import CHANNEL_KINDS
from carloop.core.ports.audience import Audience
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock

STEP_SECONDS = 1.0
SEND_SECONDS = 0.25
ANNOUNCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WayOut:
    """What the engine needs of the journeys.

    Attributes:
        entries: listens to the segment refresher.
        senders: holds the dispatcher's threads and connections; to be stopped after the loops.
        loops: step, send, announce.
        services: parts of :class:`~carloop.api.services.Services`.
    """

    entries: JourneyEntries
    senders: Senders
    loops: tuple[Loop, ...]
    services: dict[str, object]


@dataclass(frozen=True, slots=True)
class Senders:
    """The dispatcher's threads and the channels' connections."""

    dispatcher: Dispatcher
    channels: OpenChannels

    def start(self) -> None:
        """Threads start with the first message."""

    def stop(self) -> None:
        """Finish what is under way, then hang up."""
        self.dispatcher.close()
        self.channels.close()


def wire_journeys(
    settings: Settings, stores: Stores, catalogue: Catalogue, clock: Clock, audience: Audience
) -> WayOut:
    """Everything from a segment's change to a receipt."""
    state, cipher = stores.state, stores.cipher
    hosts = tuple(host.strip() for host in settings.allowed_hosts.split(",") if host.strip())
    channels = OpenChannels(cipher, CHANNEL_KINDS, hosts)
    contacts = VaultContacts(catalogue, cipher)
    links = UnsubscribeLinks(state, cipher, clock)
    graphs = Graphs()
    entries = JourneyEntries(graphs)
    guard = Guard(
        contacts,
        cipher,
        Writer(cipher, links, settings.public_url),
        graphs,
        consent_default=settings.consent_default == "grant",
    )
    worker = JourneyWorker(state, audience, graphs)
    dispatcher = Dispatcher(state, channels, guard, clock)
    announcer = Announcer(state, stores.journal, contacts)
    desk = ChannelDesk(state, channels, clock)
    return WayOut(
        entries,
        Senders(dispatcher, channels),
        (
            Loop("journeys", lambda: worker.run_once(clock.now()).moved > 0, STEP_SECONDS),
            Loop("sends", lambda: _send(dispatcher, clock), SEND_SECONDS),
            Loop("receipts", lambda: announcer.run_once(clock.now()) > 0, ANNOUNCE_SECONDS),
        ),
        {
            "journeys": JourneyDesk(state, audience, entries, contacts, desk, catalogue, clock),
            "channels": desk,
            "consents": ConsentLedger(state, clock),
            "unsubscribe_links": links,
            "receipts": Receipts(state, channels, contacts, cipher, clock),
        },
    )


def _send(dispatcher: Dispatcher, clock: Clock) -> bool:
    return bool(dispatcher.run_once(clock.now(), wait_for_all=False))
