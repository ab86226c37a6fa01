"""Who is who, online: evidence in, fragments and persons out, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from carloop.core.evidence import Evidence, Resolved
from carloop.core.ports.state import Tx
from carloop.core.ports.vault import Cipher
from carloop.core.registry import Catalogue


class IdentityResolver:
    """Resolves evidence in batches. One per loader; not thread-safe."""

    def __init__(self, catalogue: Catalogue, cipher: Cipher) -> None:
        self._catalogue = catalogue
        self._cipher = cipher

    def resolve(self, tx: Tx, tenant: int, evidence: Sequence[Evidence]) -> list[Resolved]:
        """File each piece of evidence; the answer is in the same order.

        Mints fragments for identifiers never seen, stores new edges and recomputes the persons
        they touch, all in ``tx``.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Drop the caches; to be called after a rollback."""
