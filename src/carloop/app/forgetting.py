"""What other parts keep of a person, removed in the transaction that erases the person."""

from __future__ import annotations

from collections.abc import Collection

from pyroaring import BitMap

from carloop.core.ports.segments import Snapshot
from carloop.core.ports.state import Tx


def forget_sends(tx: Tx, tenant: int, numbers: Collection[int]) -> None:
    """Enrolments, sends and their receipts."""
    tx.enrolments.forget(tenant, numbers)


def forget_consents(tx: Tx, tenant: int, numbers: Collection[int]) -> None:
    """The ledger; that nothing may be sent any more stands in the suppression list."""
    tx.consents.forget(tenant, numbers)


def forget_memberships(tx: Tx, tenant: int, numbers: Collection[int]) -> None:
    """The newest snapshots of all segments, deleted ones too."""
    gone = BitMap(numbers)
    for deleted in (False, True):
        for segment in tx.segments.all(tenant, deleted=deleted):
            kept = tx.segments.snapshot(tenant, segment.id)
            if kept is None:
                continue
            members = BitMap.deserialize(kept.members)
            if not members.isdisjoint(gone):
                left = members - gone
                newer = Snapshot(
                    left.serialize(), len(left), kept.refreshed_at, kept.rule_version, kept.seq
                )
                tx.segments.put_snapshot(tenant, segment.id, newer)


EVERYWHERE = (forget_sends, forget_consents, forget_memberships)
