"""Receipts of sends over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, false, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from carloop.core.message import ReceiptKind, SendKey
from carloop.core.ports.sends import StoredReceipt
from carloop.stores.state.tables.journeys import send_receipt


class ReceiptRows:
    """The part of ``core.ports.sends.Sends`` about receipts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_receipts(self, receipts: Sequence[StoredReceipt]) -> int:
        """Store receipts; repeats change nothing."""
        if not receipts:
            return 0
        upsert = sqlite_insert if self._connection.dialect.name == "sqlite" else pg_insert
        added = 0
        for it in receipts:
            row = {
                "channel": it.channel,
                "id": it.id,
                "tenant": it.tenant,
                **it.key._asdict(),
                "kind": it.kind.value,
                "reason": it.reason,
                "at": it.at,
                "received_at": it.received_at,
                "announced": False,
            }
            row["enrol"] = row.pop("enrolment")
            statement = upsert(send_receipt).values(row).on_conflict_do_nothing()
            stored = self._connection.scalars(statement.returning(send_receipt.c.id))
            added += len(stored.all())
        return added

    def kinds(self, key: SendKey) -> Sequence[ReceiptKind]:
        """The kinds of receipts there are for one send."""
        query = select(send_receipt.c.kind).where(
            send_receipt.c.enrol == key.enrolment,
            send_receipt.c.node == key.node,
            send_receipt.c.visit == key.visit,
        )
        return [ReceiptKind(kind) for kind in self._connection.scalars(query.distinct())]

    def _unannounced_receipts(self, limit: int) -> list[StoredReceipt]:
        query = (
            select(send_receipt)
            .where(send_receipt.c.announced == false())
            .order_by(send_receipt.c.received_at)
            .limit(limit)
        )
        return [_receipt(row) for row in self._connection.execute(query)]

    def _announce_receipts(self, receipts: Sequence[tuple[int, bytes]]) -> None:
        if receipts:
            one = and_(
                send_receipt.c.channel == bindparam("b_channel"),
                send_receipt.c.id == bindparam("b_id"),
            )
            self._connection.execute(
                update(send_receipt).where(one).values(announced=True),
                [{"b_channel": channel, "b_id": id} for channel, id in receipts],
            )


def _receipt(row: Row[Any]) -> StoredReceipt:
    return StoredReceipt(
        row.channel,
        bytes(row.id),
        row.tenant,
        SendKey(row.enrol, row.node, row.visit),
        ReceiptKind(row.kind),
        row.reason,
        row.at,
        row.received_at,
    )
