"""A dispatcher in a process of its own, to be killed: ``python -m tests.support.dispatcher``."""

from __future__ import annotations

import sys
import time

from carloop.app.channels import OpenChannels
from carloop.app.consents import UnsubscribeLinks
from carloop.app.contacts import VaultContacts
from carloop.app.guard import Guard
from carloop.app.journeys import Graphs
from carloop.app.sends import Dispatcher, Pace
from carloop.app.templates import Writer
from carloop.channels import CHANNEL_KINDS
from carloop.core.registry import Catalogue
from carloop.kit.clock import SystemClock
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.keys import MasterKey

CONCURRENCY = 4


def main(url: str) -> None:
    clock = SystemClock()
    cipher = VaultCipher(MasterKey(bytes(range(32))))
    state = SqlState(url)
    channels = OpenChannels(cipher, CHANNEL_KINDS, ("127.0.0.1",))
    writer = Writer(cipher, UnsubscribeLinks(state, cipher, clock), "")
    guard = Guard(VaultContacts(Catalogue.of(), cipher), cipher, writer, Graphs())
    dispatcher = Dispatcher(state, channels, guard, clock, Pace(8, CONCURRENCY))
    print("ready", flush=True)
    while True:
        if not dispatcher.run_once(clock.now()):
            time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
