"""Daily data keys in files, wrapped by the master key and destroyed by age.

What was written with a day's key cannot be read once the key is gone, wherever its copies lie.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.files import create_once, destroy
from carloop.stores.vault.keys import KEY_BYTES

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_SUFFIX = ".key"


class DayKeys:
    """``core.ports.journal.JournalKeys`` in a directory. Thread-safe; processes may share it."""

    def __init__(self, directory: Path, cipher: VaultCipher) -> None:
        self._directory = directory
        self._cipher = cipher
        self._known: dict[str, bytes] = {}
        self._lock = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def key(self, day: str) -> bytes:
        """The 32-byte key of ``day`` (``2026-11-22``); made, and durable, on first use.

        A key that another process destroyed meanwhile (its clock was ahead) is not used again:
        what was written with it could never be read.
        """
        if not self._path(day).exists():
            with self._lock:
                self._known.pop(day, None)
        found = self.find(day)
        if found is None:
            plain = AESGCM.generate_key(8 * KEY_BYTES)
            create_once(self._path(day), self._cipher.wrap(plain, day))
            found = self.find(day)
            assert found is not None, "the key file was just made"
        return found

    def find(self, day: str) -> bytes | None:
        """The key of ``day``, or None when it was never made or has been destroyed.

        Raises:
            Permanent: ``key_unreadable``: another master key, or an altered file.
        """
        with self._lock:
            known = self._known.get(day)
            if known is not None:
                return known
            try:
                wrapped = self._path(day).read_bytes()
            except FileNotFoundError:
                return None
            key = self._known[day] = self._cipher.unwrap(wrapped, day)
            return key

    def days(self) -> list[str]:
        """The days that have a key, oldest first."""
        names = (p.name.removesuffix(_SUFFIX) for p in self._directory.glob(f"*{_SUFFIX}"))
        return sorted(name for name in names if _DAY.match(name))

    def destroy_before(self, day: str) -> int:
        """Destroy the keys of all days before ``day``; returns how many there were."""
        old = [d for d in self.days() if d < day]
        with self._lock:
            for each in old:
                self._known.pop(each, None)
                destroy(self._path(each))
        return len(old)

    def _path(self, day: str) -> Path:
        if not _DAY.match(day):
            raise ValueError("a day looks like 2026-11-22")
        return self._directory / f"{day}{_SUFFIX}"
