"""One data key per subject: destroying it makes everything sealed with it unreadable."""

from __future__ import annotations

from collections.abc import Collection

from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher

PERSON = "person"
_CAPACITY = 50_000


class SubjectKeys:
    """Plain data keys by subject, made on first use. Not thread-safe.

    ``space`` is ``person`` (numbers are fragments) or an entity type.
    """

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._known: dict[tuple[int, str, int], bytes] = {}

    def of(self, tx: Tx, tenant: int, space: str, numbers: Collection[int]) -> dict[int, bytes]:
        """The keys there are; subjects without one are left out.

        Raises:
            Permanent: ``key_unreadable``.
        """
        if len(self._known) > _CAPACITY:
            self._known.clear()
        missing = [n for n in numbers if (tenant, space, n) not in self._known]
        if missing:
            for number, wrapped in tx.profiles.subject_keys(tenant, space, missing).items():
                self._known[tenant, space, number] = self._cipher.unwrap(wrapped)
        return {n: key for n in numbers if (key := self._known.get((tenant, space, n)))}

    def make(self, tx: Tx, tenant: int, space: str, numbers: Collection[int]) -> dict[int, bytes]:
        """The keys of all ``numbers``, new ones where there was none."""
        keys = self.of(tx, tenant, space, numbers)
        return keys | self.mint(tx, tenant, space, [n for n in numbers if n not in keys])

    def mint(self, tx: Tx, tenant: int, space: str, numbers: Collection[int]) -> dict[int, bytes]:
        """Fresh keys for subjects known to have none."""
        fresh = {n: self._cipher.new_subject_key() for n in numbers}
        tx.profiles.add_subject_keys(
            tenant, space, {n: wrapped for n, (_, wrapped) in fresh.items()}
        )
        keys = {n: plain for n, (plain, _) in fresh.items()}
        self._known.update({(tenant, space, n): plain for n, plain in keys.items()})
        return keys

    def reset(self) -> None:
        """Forget every key."""
        self._known.clear()


def aad(tenant: int, field: str, space: str, number: int) -> str:
    """What a sealed value is bound to: ``tenant:field:subject``."""
    return f"{tenant}:{field}:{space}/{number}"
