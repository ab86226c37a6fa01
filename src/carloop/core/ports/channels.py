"""Channels: a way out, described by a JSON schema and opened with stored settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

from carloop.core.message import Delivery, Message, Outcome


class Channel(Protocol):
    """An opened channel. Thread-safe: several messages may be under way at once."""

    kind: ClassVar[str]
    title: ClassVar[Mapping[str, str]]

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON schema of the settings; secret ones carry ``writeOnly``."""
        ...

    @classmethod
    def open(cls, settings: Mapping[str, Any], allowed_hosts: tuple[str, ...]) -> Self:
        """A channel from its settings.

        Args:
            settings: as described by ``schema``, secrets in clear.
            allowed_hosts: private hosts or networks that the installation permits.

        Raises:
            InvalidInput: a setting is missing or wrong; ``path`` names it.
        """
        ...

    @property
    def address_type(self) -> str:
        """The identifier type a message is addressed by, empty where none is needed."""
        ...

    @property
    def delivery(self) -> Delivery:
        """What to do when an outcome is unclear."""
        ...

    @property
    def receipt_secret(self) -> str:
        """The secret that signs receipts of this channel; empty: no receipts are taken."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """The longest one attempt may take."""
        ...

    def send(self, message: Message, now: datetime) -> Outcome:
        """One attempt, stamped ``now``. Never raises for what receiver or network do."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


ChannelKinds = Mapping[str, type[Channel]]
"""The channel kinds of an installation, by name."""
