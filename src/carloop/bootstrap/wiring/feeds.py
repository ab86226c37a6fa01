"""Wires the sources that are read: kinds, runner, desk, decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from carloop.app.feeds.desk import FeedDesk
from carloop.app.feeds.opened import OpenFeeds
from carloop.app.feeds.runner import FeedRunner
from carloop.app.operation.lag import Lag
from carloop.bootstrap.background import Loop
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores
from carloop.core.feeds import Allowed, Feed, FeedKinds
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock

DUE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the engine needs of the feeds."""

    desk: FeedDesk
    runner: FeedRunner
    loop: Loop

    def start(self) -> None:
        """Note what a dead process left under way; the loop does the rest."""
        self.runner.recover()

    def stop(self) -> None:
        """End every run after its page."""
        self.runner.close()


class _Kinds(Mapping[str, type[Feed]]):
    """The kinds of feed, imported when first asked for: an engine starts faster without drivers."""

    @cached_property
    def _kinds(self) -> FeedKinds:
        from carloop.connectors.feeds import FEED_KINDS

        return FEED_KINDS

    def __getitem__(self, kind: str) -> type[Feed]:
        return self._kinds[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def wire_feeds(
    settings: Settings,
    stores: Stores,
    catalogue: Catalogue,
    clock: Clock,
    lag: Callable[[], Lag],
) -> Reading:
    """Everything from settings to journalled records."""
    allowed = Allowed(_listed(settings.allowed_hosts), _listed(settings.allowed_folders))
    feeds = OpenFeeds(stores.cipher, _Kinds(), allowed)
    runner = FeedRunner(
        stores.state, stores.journal, feeds, catalogue, clock, lambda: lag().batches
    )
    desk = FeedDesk(stores.state, stores.event_store, feeds, runner, catalogue, clock)
    return Reading(desk, runner, Loop("feeds", runner.step, DUE_SECONDS))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
