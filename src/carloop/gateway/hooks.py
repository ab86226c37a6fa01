"""Sources that are called by an address of their own: their published settings, opened once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from carloop.connectors.hook import HookProtocol, HookSettings, Place
from carloop.connectors.protocol import Request, Response
from carloop.core.hooks import Hook, clear_settings, decode_hooks
from carloop.core.ports.vault import Cipher
from carloop.gateway.published import PublishedFile
from carloop.kit.errors import CarloopError, NotFound


@dataclass(frozen=True, slots=True)
class Called:
    """A protocol, and the place that a request names."""

    protocol: HookProtocol
    place: Place

    @property
    def name(self) -> str:
        """The protocol's."""
        return self.protocol.name

    def refused(self, request: Request, error: CarloopError) -> Response:
        """The protocol's."""
        return self.protocol.refused(request, error)


class HookRing:
    """The hooks in force; one that was just made is found at once.

    Args:
        path: ``hooks.json``; while it is absent or unreadable, what was read last stays in force.
        cipher: opens what is sealed in the settings.
    """

    def __init__(self, protocols: Iterable[HookProtocol], path: Path, cipher: Cipher) -> None:
        self._by_word = {protocol.word: protocol for protocol in protocols}
        self._file = PublishedFile(path, decode_hooks)
        self._cipher = cipher
        self._hooks: dict[tuple[int, int], Hook] = {}
        self._open: dict[tuple[int, int], tuple[int, HookSettings]] = {}

    def called(self, method: str, path: str) -> Called | None:
        """Whom a request calls, where its path is of that form."""
        place = Place.of(path)
        protocol = self._by_word.get(place.word) if place else None
        if place is None or protocol is None or method not in protocol.methods:
            return None
        return Called(protocol, place)

    def settings(self, called: Called, now: float) -> HookSettings:
        """The opened settings.

        Raises:
            NotFound: ``source_unknown``: no such source, disabled, or of another kind.
            Permanent: the settings cannot be read with this master key.
        """
        where = (called.place.tenant, called.place.source)
        self._look(now, at_once=where not in self._hooks)
        hook = self._hooks.get(where)
        if hook is None or hook.protocol != called.protocol.name:
            raise NotFound("no such source", code="source_unknown")
        known = self._open.get(where)
        if known is not None and known[0] == hook.version:
            return known[1]
        clear = clear_settings(
            self._cipher, hook.tenant, hook.source, hook.settings, hook.key, hook.sealed
        )
        opened = called.protocol.open(clear)
        self._open[where] = (hook.version, opened)
        return opened

    def _look(self, now: float, *, at_once: bool = False) -> None:
        hooks = self._file.fresh(now, at_once=at_once)
        if hooks is None:
            return
        self._hooks = {(hook.tenant, hook.source): hook for hook in hooks}
        self._open = {where: known for where, known in self._open.items() if where in self._hooks}
