"""Channels: a way out, described by a JSON schema and opened with stored settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChannel:
    """A configured channel. Times are epoch milliseconds.

    Attributes:
        id: internal number; ``uuid`` is the public id.
        policy: quiet hours and cap, JSON.
        key: wrapped data key of ``settings_enc``.
        settings_enc: the settings as encrypted JSON, credentials among them.
        revision: counts changes, for optimistic locking.
    """

    tenant: int
    uuid: str
    kind: str
    name: str
    policy: str
    key: bytes
    settings_enc: bytes
    created_by: str
    created_at: int
    updated_at: int
    id: int = 0
    enabled: bool = True
    revision: int = 1


class Channels(Protocol):
    """Configured channels in the state store."""

    def add(self, channel: StoredChannel) -> StoredChannel:
        """Store a new channel; returns it with its number."""
        ...

    def save(self, channel: StoredChannel) -> StoredChannel:
        """Store a changed channel whose ``revision`` is the one that was read.

        Raises:
            Conflict: ``stale``: somebody changed it meanwhile.
        """
        ...

    def get(self, tenant: int, uuid: str) -> StoredChannel:
        """One channel by public id.

        Raises:
            NotFound: ``channel_unknown``.
        """
        ...

    def numbered(self, id: int) -> StoredChannel:
        """One channel by number, a removed one too.

        Raises:
            NotFound: ``channel_unknown``.
        """
        ...

    def public(self, uuid: str) -> StoredChannel:
        """One channel by public id alone, for receipts, which name no tenant.

        Raises:
            NotFound: ``channel_unknown``.
        """
        ...

    def list(self, tenant: int) -> Sequence[StoredChannel]:
        """All channels of a tenant by number, removed ones not."""
        ...

    def remove(self, channel: StoredChannel, now: int) -> None:
        """Delete softly; nothing leaves through it any more."""
        ...
