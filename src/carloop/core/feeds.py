"""Feeds: what carloop goes and reads — tables, folders, topics — instead of being sent.

A feed hands out *pages* of records. Whoever runs it journals a page, saves the page's cursor, then
acknowledges; so a record may be read twice after a crash, never left out, and its key and version
make the second reading harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, Self

Cursor = Mapping[str, Any]
"""Where reading goes on: a small JSON object that only the feed understands."""

MOST_PAGE_RECORDS = 5_000
LONGEST_RECORD = 256 * 1024


class FeedColumn(NamedTuple):
    """A column as the source declares it; ``type`` in the source's own words, normalised."""

    name: str
    type: str


class FeedRecord(NamedTuple):
    """One row, message or document.

    Attributes:
        key: names it for ever within the feed (primary key, topic offset, file and line).
        body: a JSON object, or the bytes as they came where ``code`` is set.
        version: changes when the same thing was changed at the source; empty where it cannot.
        code: why it cannot be read; it is kept with this reason.
    """

    key: str
    body: bytes
    version: str = ""
    code: str = ""


@dataclass(slots=True)
class FeedPage:
    """Records to be kept together; see the module's first lines for the order of steps.

    Attributes:
        records: at most :data:`MOST_PAGE_RECORDS`.
        cursor: where to go on once the page is durable; None: as before.
        handle: for :meth:`Feed.acknowledge`; nobody else looks at it.
        total: records of the whole reading, where the source can tell.
    """

    records: Sequence[FeedRecord]
    cursor: Cursor | None = None
    handle: object = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a trial connection saw.

    Attributes:
        columns: declared or, where the source declares none, found in the sample.
        sample: up to 20 records, JSON objects.
        total: records at the source, where it can tell.
        notes: codes of what the operator should know (``no_primary_key``, ``watermark_nulls``).
    """

    columns: tuple[FeedColumn, ...] = ()
    sample: tuple[bytes, ...] = ()
    total: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the installation permits feeds to reach besides public addresses.

    Attributes:
        hosts: private hosts and networks.
        folders: directories of this machine whose files may be read.
    """

    hosts: tuple[str, ...] = ()
    folders: tuple[str, ...] = field(default=())


Stop = Callable[[], bool]


class Feed(Protocol):
    """One configured source that is read. One file each in ``connectors/feeds``.

    Every method raises only ``CarloopError``: ``InvalidInput`` for what the operator must mend
    (``credentials_refused``, ``table_unknown``, ``address_forbidden``), ``Retryable`` for what may
    pass (``unreachable``, ``timed_out``, ``source_gone``). No message quotes a credential.
    """

    kind: ClassVar[str]
    title: ClassVar[Mapping[str, str]]
    endless: ClassVar[bool]
    """True: reads until stopped (a broker). False: reads to an end and is run by its schedule."""

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings; secret ones carry ``writeOnly``."""
        ...

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed: Allowed) -> Self:
        """A feed from its settings; connects to nothing yet.

        Raises:
            InvalidInput: a setting is missing or wrong; ``path`` names it.
        """
        ...

    def probe(self) -> Probe:
        """Connect, look, and leave everything as it was: a broker keeps its messages."""
        ...

    def columns(self) -> tuple[FeedColumn, ...]:
        """The columns as declared now; empty where the source declares none."""
        ...

    def pages(self, cursor: Cursor | None, stop: Stop) -> Iterator[FeedPage]:
        """Pages after ``cursor``. An endless feed yields an empty page now and then while idle."""
        ...

    def acknowledge(self, page: FeedPage) -> None:
        """The page is durable: a broker may forget it."""
        ...

    def count(self) -> int | None:
        """Records at the source now, to reconcile against what landed; None where unknown."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


FeedKinds = Mapping[str, type[Feed]]
"""The kinds of feed of an installation, by name."""
