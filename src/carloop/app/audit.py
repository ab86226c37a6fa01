"""The audit log: every change, reveal and export, chained so that tampering shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from carloop.core.ports.audit import AuditEntry
from carloop.core.ports.state import State, Tx
from carloop.core.scope import Caller
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Permanent

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry as noted outside the log; shows a truncation."""

    id: int
    mac: str


class HeadFile(Protocol):
    """Keeps the head beside the state store."""

    def read(self) -> Head | None:
        """The head noted last; None where none was."""
        ...

    def write(self, head: Head) -> None:
        """Note a newer head, durably."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found; ``problem`` is empty where the log is whole.

    Attributes:
        entries: how many entries were read.
        at: id of the first entry that does not fit; None where there is none.
    """

    entries: int
    problem: str = ""
    at: int | None = None


class AuditLog:
    """Appends to and verifies the log.

    Args:
        key: the secret of the chain; whoever changes the database does not have it.
        head: keeps the newest entry's mac outside the database.
    """

    def __init__(self, state: State, clock: Clock, key: bytes, head: HeadFile) -> None:
        self._state = state
        self._clock = clock
        self._key = key
        self._head = head

    def record(self, caller: Caller, action: str, object: str, **detail: Any) -> None:
        """Append one entry in a transaction of its own; see :meth:`append`."""
        with self._state.write() as tx:
            self.append(tx, caller, action, object, **detail)

    def append(self, tx: Tx, caller: Caller, action: str, object: str, **detail: Any) -> None:
        """Append one entry to an open write transaction.

        ``object`` and ``detail`` hold ids and names of fields, never personal values.
        """
        last = tx.audit.last()
        entry = AuditEntry(
            id=last.id + 1 if last else 1,
            at=to_ms(self._clock.now()),
            tenant=caller.scope.tenant,
            caller=caller.id[:200],
            action=action[:100],
            object=object[:500],
            detail=json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        )
        mac = self._mac(entry, last.mac if last else GENESIS)
        tx.audit.append(replace(entry, mac=mac))

    def page(
        self,
        caller: Caller,
        *,
        before: int | None,
        limit: int,
        by: str | None = None,
        action: str | None = None,
    ) -> Sequence[AuditEntry]:
        """Entries of the caller's tenant, newest first."""
        with self._state.read() as tx:
            return tx.audit.page(
                caller.scope.tenant, before=before, limit=limit, caller=by, action=action
            )

    def checkpoint(self) -> Head | None:
        """Note the newest entry outside the log; called from time to time and at a clean stop.

        Raises:
            Permanent: ``audit_broken``: the log lost entries that an earlier checkpoint knew.
        """
        with self._state.read() as tx:
            last = tx.audit.last()
        noted = self._head.read()
        if noted is not None and (last is None or last.id < noted.id):
            raise Permanent("the audit log lost entries", code="audit_broken")
        if last is None:
            return None
        head = Head(last.id, last.mac.hex())
        if head != noted:
            self._head.write(head)
        return head

    def verify(self) -> Verdict:
        """Walk the whole log; an edit, removal, re-ordering or truncation is found."""
        noted = self._head.read()
        with self._state.read() as tx:
            return self._walk(tx.audit.walk(), noted)

    def _walk(self, entries: Iterator[AuditEntry], noted: Head | None) -> Verdict:
        previous, seen = GENESIS, 0
        for entry in entries:
            if entry.id != seen + 1:
                return Verdict(seen, "an entry is missing or out of order", seen + 1)
            if not hmac.compare_digest(entry.mac, self._mac(entry, previous)):
                return Verdict(seen, "an entry was changed", entry.id)
            if noted is not None and entry.id == noted.id and entry.mac.hex() != noted.mac:
                return Verdict(seen, "the log differs from its checkpoint", entry.id)
            previous, seen = entry.mac, entry.id
        if noted is not None and seen < noted.id:
            return Verdict(seen, "the newest entries are missing", seen + 1)
        return Verdict(seen)

    def _mac(self, entry: AuditEntry, previous: bytes) -> bytes:
        fields = (
            entry.id,
            entry.at,
            entry.tenant,
            entry.caller,
            entry.action,
            entry.object,
            entry.detail,
        )
        text = json.dumps(fields, ensure_ascii=False).encode()
        return hmac.new(self._key, previous + text, hashlib.sha256).digest()
