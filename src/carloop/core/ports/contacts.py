"""People as the senders need them, read at the last moment and never stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from carloop.core.identifiers import Identifier
from carloop.core.ports.state import Tx


class Contact(NamedTuple):
    """One person, reachable.

    Attributes:
        uuid: public id.
        address: the newest identifier of the type asked for, if there is one.
        values: profile fields as text, in clear, those that have a value.
    """

    uuid: str
    address: Identifier | None
    values: Mapping[str, str]


class Contacts(Protocol):
    """Reads contacts inside a transaction."""

    def read(
        self,
        tx: Tx,
        tenant: int,
        people: Collection[int],
        address_type: str,
        fields: Collection[str],
    ) -> Mapping[int, Contact]:
        """Contacts by person number; who is unknown or erased is left out."""
        ...

    def identify(self, tx: Tx, tenant: int, people: Collection[int]) -> Mapping[int, Identifier]:
        """One identifier per person, by which an event finds the person again."""
        ...
