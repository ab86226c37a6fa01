"""Contacts from the vault: unsealed for the moment of sending, kept nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from carloop.app.identity import IDENTIFIER
from carloop.app.persons.profiles import ProfileReader
from carloop.app.subject_keys import PERSON, SubjectKeys, aad
from carloop.core.identifiers import Identifier
from carloop.core.ports.contacts import Contact
from carloop.core.ports.identity import Fragment
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue


class VaultContacts:
    """``core.ports.contacts.Contacts`` over the identity graph and the profiles."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher

    def read(
        self,
        tx: Tx,
        tenant: int,
        people: Collection[int],
        address_type: str,
        fields: Collection[str],
    ) -> Mapping[int, Contact]:
        """Contacts by person number; a shared address (a hub) is nobody's."""
        profiles = ProfileReader(self._catalogue, self._cipher)
        contacts: dict[int, Contact] = {}
        for person, own in _by_person(tx, tenant, people).items():
            head = next((it for it in own if it.number == person), own[0])
            addresses = [it for it in own if it.type == address_type and not it.hub]
            newest = max(addresses, key=lambda it: (it.first_at, it.number), default=None)
            values = profiles.person(tx, tenant, [it.number for it in own]) if fields else {}
            contacts[person] = Contact(
                str(UUID(bytes=head.uuid)),
                None if newest is None else self._clear(tx, tenant, newest),
                {name: _text(values[name].value) for name in fields if name in values},
            )
        return contacts

    def identify(self, tx: Tx, tenant: int, people: Collection[int]) -> Mapping[int, Identifier]:
        """The most trusted identifier of each person."""
        types = self._catalogue.identifiers
        return {
            person: self._clear(
                tx,
                tenant,
                min(own, key=lambda it: (it.hub, types.get(it.type).priority, it.number)),
            )
            for person, own in _by_person(tx, tenant, people).items()
        }

    def _clear(self, tx: Tx, tenant: int, it: Fragment) -> Identifier:
        if it.sealed is None:
            return Identifier(it.type, it.namespace, it.value or "")
        key = SubjectKeys(self._cipher).of(tx, tenant, PERSON, [it.number])[it.number]
        bound = aad(tenant, IDENTIFIER, PERSON, it.number)
        return Identifier(
            it.type, it.namespace, self._cipher.decrypt(key, it.sealed, bound).decode()
        )


def _by_person(tx: Tx, tenant: int, people: Collection[int]) -> dict[int, list[Fragment]]:
    found: dict[int, list[Fragment]] = defaultdict(list)
    for it in tx.identity.of_persons(tenant, people):
        found[it.person].append(it)
    return found


def _text(value: object) -> str:
    """A field value as a message shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "、".join(map(str, value))
    return str(value)
