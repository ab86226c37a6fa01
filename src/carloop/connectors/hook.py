"""Ways in that are called by an address of their own, with settings kept beside the source.

``/<word>/<source>`` names a source by number (``7``, or ``<tenant>-<number>`` beside the first
tenant). The gateway finds the source's settings, opens them once, and then:

1. ``receive(request, settings, now_ms)`` checks the signature and undoes the transport; what it
   returns is what the journal keeps, or an answer that ends the request (an address check).
2. Where ``settings.key_needed``, a write key of that very source must come with the request.
3. ``decode(received, limits)`` as in :mod:`carloop.connectors.protocol`: pure, deterministic. What
   it needs of the settings stands in ``Received.hint``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from carloop.connectors.protocol import Request, Response
from carloop.core.events import Decoded, Limits, Received
from carloop.core.pack import Titles
from carloop.kit.errors import CarloopError

PLACE = re.compile(r"/([a-z]+)/(?:(\d{1,9})-)?(\d{1,9})/?\Z")
FIRST_TENANT = 1


class Place(NamedTuple):
    """What a path says: the word of a protocol, a tenant and a source."""

    word: str
    tenant: int
    source: int

    @classmethod
    def of(cls, path: str) -> Place | None:
        """The place that a path names, if it is of that form.

        >>> Place.of("/wechat/3-12/")
        Place(word='wechat', tenant=3, source=12)
        >>> Place.of("/webhooks/7").tenant, Place.of("/webhooks/x")
        (1, None)
        """
        found = PLACE.match(path)
        if found is None:
            return None
        return cls(found[1], int(found[2] or FIRST_TENANT), int(found[3]))

    def path(self) -> str:
        """The path of this place.

        >>> Place("webhooks", 1, 7).path(), Place("webhooks", 3, 12).path()
        ('/webhooks/7', '/webhooks/3-12')
        """
        tenant = "" if self.tenant == FIRST_TENANT else f"{self.tenant}-"
        return f"/{self.word}/{tenant}{self.source}"


class Incoming(NamedTuple):
    """A request whose sender is known.

    Attributes:
        body: for ``Received.body``.
        hint: for ``Received.hint``.
        answer: what the sender expects to hear; None: ``{accepted, rejected}``.
    """

    body: bytes
    hint: str = ""
    answer: Response | None = None


class HookSettings(Protocol):
    """Settings, opened and checked."""

    @property
    def key_needed(self) -> bool:
        """Whether a write key must come with the request, as nothing is signed."""
        ...

    def hint(self) -> str:
        """What ``decode`` needs of them; a replay takes today's in place of the kept one."""
        ...


class HookProtocol(Protocol):
    """One way in over HTTP that has settings."""

    @property
    def name(self) -> str:
        """Stable name, kept in the journal; also the kind of its sources."""
        ...

    @property
    def title(self) -> Titles:
        """For people."""
        ...

    @property
    def word(self) -> str:
        """First part of the path."""
        ...

    @property
    def methods(self) -> tuple[str, ...]:
        """HTTP methods it answers."""
        ...

    @property
    def limits(self) -> Limits:
        """Size limits."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON schema of the settings; secret ones are ``writeOnly``."""
        ...

    def open(self, settings: Mapping[str, Any]) -> HookSettings:
        """Check settings.

        Raises:
            InvalidInput: a setting is wrong; ``path`` names it.
        """
        ...

    def receive(self, request: Request, settings: Any, now_ms: int) -> Incoming | Response:
        """Check who sends, undo the transport.

        Raises:
            Unauthenticated: the signature is missing, wrong or too old.
            TooLarge, Malformed: as :meth:`IngestProtocol.unwrap`.
        """
        ...

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """As :meth:`IngestProtocol.decode`."""
        ...

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """The answer where ``Incoming.answer`` is None."""
        ...

    def refused(self, request: Request, error: CarloopError) -> Response:
        """The answer to a body that was not taken."""
        ...
