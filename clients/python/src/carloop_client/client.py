"""The client: calls that take events at once; :mod:`carloop_client.delivery` sends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Callable

from carloop_client.buffers import Buffer, Memory, Spool
from carloop_client.delivery import Delivery, Pace
from carloop_client.errors import NotDelivered, Rejected
from carloop_client.events import Entities, Identifiers, encode
from carloop_client.wire import Wire


class Client:
    """Sends events to carloop. Safe to share between threads, and over ``fork``.

    Args:
        server: ``https://cdp.example.com``.
        write_key: of the source.
        spool: a file for events that wait; with it, what a call has taken survives a crash.
            Without, events wait in memory.
        batch_size: most events in one request (2500 at most).
        flush_after: seconds that an event waits for company.
        queue_size: most events that wait.
        block: seconds that a call waits for room before it raises :class:`QueueFull`.
        timeout: seconds that one request may take.
        exit_timeout: seconds that the end of the process waits for delivery.
        historical: imported history, which never triggers a journey.
        on_rejected: told of each event that the server did not take for good, from the sending
            thread. Without it, reasons go to the log ``carloop_client``, values never.

    Raises:
        ValueError: an argument that cannot work.
    """

    def __init__(
        self,
        server: str,
        write_key: str,
        *,
        spool: str | Path | None = None,
        batch_size: int = 200,
        flush_after: float = 1.0,
        queue_size: int = 10_000,
        block: float = 0.0,
        timeout: float = 15.0,
        exit_timeout: float = 5.0,
        historical: bool = False,
        on_rejected: Callable[[Rejected], None] | None = None,
    ) -> None:
        if not 1 <= batch_size <= 2500:
            raise ValueError("batch_size is from 1 to 2500")
        if queue_size < batch_size:
            raise ValueError("queue_size is at least batch_size")
        wire = Wire(server, write_key, timeout, historical)
        buffer: Buffer = Spool(spool) if spool is not None else Memory()
        pace = Pace(batch_size, flush_after, queue_size, block, exit_timeout)
        self._delivery = Delivery(wire, buffer, pace, on_rejected)

    def track(
        self,
        event: str,
        identifiers: Identifiers | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        entities: Entities | None = None,
        profile: Mapping[str, Any] | None = None,
        occurred_at: datetime | None = None,
        message_id: str | None = None,
    ) -> str:
        """Take an event; the answer is its message id.

        Args:
            event: its name, ``order_placed``.
            properties: what there is to say of it; dates, decimals and UUIDs may be values.
            identifiers: of the person: ``{"login_id": "m-1", "mobile": "139…"}``.
            entities: what else it is about: ``{"dealer": "D001"}``.
            profile: ``set``, ``set_once``, ``increment``, ``append``, ``unset``, ``delete``.
            occurred_at: with a time zone; now unless said.
            message_id: makes repeats harmless across processes: ``f"order-{number}-paid"``.

        Raises:
            InvalidEvent: it could never be taken.
            QueueFull: too many wait.
            SpoolFailed: the spool cannot be written.
            Closed: the client was closed.
        """
        id_, encoded = encode(
            event,
            identifiers,
            properties,
            entities=entities,
            profile=profile,
            occurred_at=occurred_at,
            message_id=message_id,
        )
        self._delivery.take([encoded])
        return id_

    def identify(
        self,
        identifiers: Identifiers,
        set: Mapping[str, Any] | None = None,
        *,
        profile: Mapping[str, Any] | None = None,
        occurred_at: datetime | None = None,
        message_id: str | None = None,
    ) -> str:
        """Say that these identifiers are one person, and what is known of them; see :meth:`track`.

        ``set`` holds profile fields, ``{"name": "王芳"}``; ``profile`` further changes.
        """
        changes = {**(profile or {}), **({"set": dict(set)} if set else {})}
        return self.track(
            "$identify",
            identifiers,
            profile=changes,
            occurred_at=occurred_at,
            message_id=message_id,
        )

    def entity(
        self,
        type: str,
        key: str,
        properties: Mapping[str, Any] | None = None,
        *,
        event: str = "$entity",
        identifiers: Identifiers | None = None,
        occurred_at: datetime | None = None,
        message_id: str | None = None,
    ) -> str:
        """Tell something of a thing (a dealer, a vehicle) and of nobody; see :meth:`track`.

        ``identifiers``: of a person who deals with it, where there is one.
        """
        return self.track(
            event,
            identifiers,
            properties,
            entities={type: key},
            occurred_at=occurred_at,
            message_id=message_id,
        )

    def relate(
        self,
        relation: str,
        identifiers: Identifiers | None = None,
        *,
        entities: Entities,
        ended: bool = False,
        occurred_at: datetime | None = None,
        message_id: str | None = None,
    ) -> str:
        """Tell that a relation holds from then on, or has ended; see :meth:`track`.

        ``relate("owns", {"login_id": "m-1"}, entities={"vehicle": vin})``; between two things:
        ``relate("stocked_at", entities={"dealer": "D001", "vehicle": vin})``.
        """
        properties = {"relation": relation, **({"ended": True} if ended else {})}
        return self.track(
            "$relate",
            identifiers,
            properties,
            entities=entities,
            occurred_at=occurred_at,
            message_id=message_id,
        )

    def pending(self) -> int:
        """How many events wait."""
        return self._delivery.pending()

    def flush(self, timeout: float | None = None) -> None:
        """Wait until nothing waits: all that was taken has been acknowledged.

        Raises:
            KeyRefused: the server refuses the key.
            NotDelivered: ``timeout`` seconds were not enough.
        """
        self._delivery.flush(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Deliver what waits, then stop. A second call does nothing.

        Raises:
            NotDelivered: events in memory could not be delivered in time and are lost; those in a
                spool stay there and nothing is raised.
        """
        self._delivery.close(timeout)

    def __enter__(self) -> Client:
        """The client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; what cannot be delivered never hides an error of the caller's."""
        try:
            self.close()
        except NotDelivered:
            if error is None:
                raise
