"""What every way in over HTTP offers the gateway: six small, pure functions and a few facts.

The gateway walks them in this order:

1. ``ROUTES[method, path]`` names the protocol; ``credentials(request)`` is the write key from the
   headers or the query, empty where the body holds it.
2. ``unwrap(request, limits)`` undoes transport (gzip, forms, base64) within bounds; what it returns
   is what the journal keeps. ``credentials_in(body)`` finds a key inside the body.
3. ``decode(received, limits)`` turns the journal's bytes into envelopes. It is deterministic: the
   same ``Received`` and limits give the same result for ever, at the gateway and at any replay.
4. ``accepted`` or ``refused`` is the answer.

All of them raise only :class:`~carloop.kit.errors.CarloopError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from carloop.core.events import Decoded, Limits, Received
from carloop.core.pack import Titles
from carloop.kit.errors import CarloopError


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that a protocol may look at.

    Attributes:
        query: decoded query parameters; the first value wins where one repeats.
        headers: header values by lower-case name.
        body: as received, still compressed.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, ready to be written."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unwrapped(NamedTuple):
    """A body free of its transport.

    Attributes:
        body: JSON bytes for ``Received.body``.
        hint: for ``Received.hint``: what ``decode`` must know beyond the body.
        check_only: the sender asks for a check; nothing may be journalled.
    """

    body: bytes
    hint: str = ""
    check_only: bool = False


class Decoder(Protocol):
    """What the loader needs of a way in."""

    @property
    def limits(self) -> Limits:
        """Default size limits."""
        ...

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes, and what had to be rejected. Pure and deterministic."""
        ...


class IngestProtocol(Protocol):
    """One way in over HTTP."""

    @property
    def name(self) -> str:
        """Stable name, kept in the journal (``own``, ``segment``, ``sensors``)."""
        ...

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """(method, path) pairs; paths are exact."""
        ...

    @property
    def tails(self) -> tuple[str, ...]:
        """Paths among the routes that also answer under any prefix."""
        ...

    @property
    def title(self) -> Titles:
        """For people."""
        ...

    @property
    def limits(self) -> Limits:
        """Default size limits."""
        ...

    def credentials(self, request: Request) -> str:
        """The write key from headers or query; empty where there is none."""
        ...

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """Undo the transport.

        Raises:
            TooLarge: ``too_large`` on the wire or unpacked.
            Malformed: the transport cannot be undone.
        """
        ...

    def credentials_in(self, body: bytes) -> str:
        """The write key inside an unwrapped body; empty where there is none."""
        ...

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """Envelopes, and what had to be rejected. Pure and deterministic.

        Raises:
            Malformed: not readable as a batch at all.
            TooLarge: ``too_many_events``.
        """
        ...

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """The answer to a readable batch that is in the journal."""
        ...

    def refused(self, request: Request, error: CarloopError) -> Response:
        """The answer to a body that was not taken."""
        ...
