"""Wires the way out: journeys, channels, sends, receipts, consent."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from carloop.app.audit import AuditLog
from carloop.app.channels import ChannelDesk, OpenChannels
from carloop.app.consents import ConsentLedger, UnsubscribeLinks
from carloop.app.contacts import VaultContacts
from carloop.app.guard import Guard
from carloop.app.journey_ageing import JourneyAgeing
from carloop.app.journey_desk import JourneyDesk
from carloop.app.journeys import Graphs, JourneyEntries, JourneyWorker
from carloop.app.persons.lookup import Persons
from carloop.app.receipts import Announcer, Receipts
from carloop.app.sends import Dispatcher
from carloop.app.suppressions import SuppressionDesk
from carloop.app.templates import Writer
from carloop.app.unknown_sends import UnknownSendDesk
from carloop.bootstrap.background import Loop
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores
from carloop.channels import CHANNEL_KINDS
from carloop.core.ports.audience import Audience
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock

log = structlog.get_logger(__name__)

STEP_SECONDS = 1.0
SEND_SECONDS = 0.25
ANNOUNCE_SECONDS = 1.0
AGEING_SECONDS = 86_400.0


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
    settings: Settings,
    stores: Stores,
    catalogue: Catalogue,
    clock: Clock,
    audience: Audience,
    persons: Persons,
    audit: AuditLog,
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
            Loop("ageing", lambda: _age(JourneyAgeing(state), clock), AGEING_SECONDS),
        ),
        {
            "journeys": JourneyDesk(
                state, audience, entries, contacts, desk, catalogue, clock, persons
            ),
            "unknown_sends": UnknownSendDesk(state, persons, audit, clock),
            "suppressions": SuppressionDesk(state, cipher, persons, audit, clock),
            "channels": desk,
            "consents": ConsentLedger(state, clock),
            "unsubscribe_links": links,
            "receipts": Receipts(state, channels, contacts, cipher, clock),
        },
    )


def _send(dispatcher: Dispatcher, clock: Clock) -> bool:
    return bool(dispatcher.run_once(clock.now(), wait_for_all=False))


def _age(ageing: JourneyAgeing, clock: Clock) -> bool:
    aged = ageing.run(clock.now())
    log.info("journeys_aged", sends=aged.sends, enrolments=aged.enrolments)
    return False
