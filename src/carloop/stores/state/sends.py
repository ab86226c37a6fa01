"""The outbox and the receipts over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from carloop.core.message import ReceiptKind, SendKey, SendState
from carloop.core.ports.journeys import JourneyStatus
from carloop.core.ports.sends import Send, Settled, StoredReceipt
from carloop.stores.state.tables.journeys import channel as channels
from carloop.stores.state.tables.journeys import journey as journeys
from carloop.stores.state.tables.journeys import outbox, send_receipt

_KEY = tuple_(outbox.c.enrol, outbox.c.node, outbox.c.visit)
_THIS = and_(
    outbox.c.enrol == bindparam("b_enrol"),
    outbox.c.node == bindparam("b_node"),
    outbox.c.visit == bindparam("b_visit"),
)
_LIVE = select(journeys.c.id).where(
    journeys.c.status == JourneyStatus.LIVE.value, journeys.c.deleted_at.is_(None)
)
_IN = 1000
"""Keys per statement."""
_CLAIMED = SendState.CLAIMED.value
_ATTEMPTING = SendState.ATTEMPTING.value
_NEW = SendState.NEW.value
_UNKNOWN = SendState.UNKNOWN.value
_COUNTED = (SendState.SENT.value, _UNKNOWN, _ATTEMPTING)


class SqlSends:
    """``core.ports.sends.Sends`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, sends: Sequence[Send]) -> None:
        """Add new sends."""
        if sends:
            self._connection.execute(insert(outbox), [_row(send) for send in sends])

    def waiting(self, now: int) -> Sequence[int]:
        """Numbers of enabled channels with something to do."""
        due = or_(
            and_(outbox.c.state == _NEW, outbox.c.not_before <= now),
            and_(outbox.c.state.in_((_CLAIMED, _ATTEMPTING)), outbox.c.lease <= now),
        )
        query = select(channels.c.id).where(
            channels.c.enabled,
            channels.c.deleted_at.is_(None),
            exists().where(outbox.c.channel == channels.c.id, due),
        )
        return list(self._connection.scalars(query.order_by(channels.c.id)))

    def recover(self, channel: int, now: int, repeat: bool) -> None:
        """A lapsed claim is new again; a lapsed attempt is unknown unless it may be repeated."""
        lapsed = and_(outbox.c.channel == channel, outbox.c.lease <= now)
        again = (_CLAIMED, _ATTEMPTING) if repeat else (_CLAIMED,)
        self._connection.execute(
            update(outbox)
            .where(lapsed, outbox.c.state.in_(again))
            .values(state=_NEW, lease=None, updated_at=now)
        )
        self._connection.execute(
            update(outbox)
            .where(lapsed, outbox.c.state == _ATTEMPTING)
            .values(state=_UNKNOWN, reason="interrupted", lease=None, updated_at=now)
        )

    def claim(self, channel: int, now: int, lease: int, limit: int) -> Sequence[Send]:
        """Take due sends of live journeys, oldest first: pick and lock keys, then mark those."""
        picked = (
            select(outbox.c.enrol, outbox.c.node, outbox.c.visit)
            .where(
                outbox.c.channel == channel,
                outbox.c.state == _NEW,
                outbox.c.not_before <= now,
                outbox.c.journey.in_(_LIVE),
            )
            .order_by(outbox.c.not_before, outbox.c.enrol)
            .limit(limit)
            .with_for_update(skip_locked=True, of=outbox)
            .cte("picked")
        )
        claimed = self._connection.execute(
            update(outbox)
            .where(_KEY.in_(select(picked)))
            .values(state=_CLAIMED, lease=lease, fence=outbox.c.fence + 1, updated_at=now)
            .returning(outbox)
        )
        return sorted(map(_send, claimed), key=lambda send: (send.not_before, send.key))

    def held(self, claimed: Sequence[Send]) -> Sequence[Send]:
        """Those whose claim still stands and whose journey is still live."""
        fences = {send.key: send.fence for send in claimed}
        return [
            send
            for send in self._read(list(fences), outbox.c.journey.in_(_LIVE))
            if send.state is SendState.CLAIMED and send.fence == fences[send.key]
        ]

    def attempt(self, sends: Sequence[Send], now: int, lease: int) -> None:
        """Mark claimed sends as being attempted."""
        for start in range(0, len(sends), _IN):
            keys = [tuple(send.key) for send in sends[start : start + _IN]]
            self._connection.execute(
                update(outbox)
                .where(_KEY.in_(keys))
                .values(
                    state=_ATTEMPTING,
                    attempts=outbox.c.attempts + 1,
                    attempted_at=now,
                    lease=lease,
                    updated_at=now,
                )
            )

    def settle(self, settled: Sequence[Settled], now: int) -> None:
        """Write results, each only while its fence is the current one."""
        if not settled:
            return
        self._connection.execute(
            update(outbox)
            .where(
                _THIS,
                outbox.c.fence == bindparam("b_fence"),
                or_(*(outbox.c.state == state for state in (_CLAIMED, _ATTEMPTING, _UNKNOWN))),
            )
            .values(
                state=bindparam("b_state"),
                reason=bindparam("b_reason"),
                not_before=bindparam("b_not_before"),
                provider_id=bindparam("b_provider_id"),
                lease=None,
                updated_at=now,
            ),
            [
                _bound(it.key)
                | {
                    "b_fence": it.fence,
                    "b_state": it.state.value,
                    "b_reason": it.reason,
                    "b_not_before": it.not_before,
                    "b_provider_id": it.provider_id,
                }
                for it in settled
            ],
        )

    def drop(self, reason: str, *, channel: int | None = None, journey: int | None = None) -> None:
        """Suppress what waits for a channel or a journey that was removed."""
        of = outbox.c.channel == channel if channel is not None else outbox.c.journey == journey
        self._connection.execute(
            update(outbox)
            .where(of, outbox.c.state.in_((_NEW, _CLAIMED)))
            .values(
                state=SendState.SUPPRESSED.value,
                reason=reason,
                fence=outbox.c.fence + 1,
                lease=None,
            )
        )

    def recent(
        self, tenant: int, channel: int, people: Sequence[int], since: int
    ) -> Mapping[int, int]:
        """Messages per person that were or may have been sent after ``since``."""
        query = (
            select(outbox.c.person, func.count())
            .where(
                outbox.c.tenant == tenant,
                outbox.c.person.in_(people),
                outbox.c.channel == channel,
                outbox.c.state.in_(_COUNTED),
                outbox.c.attempted_at > since,
            )
            .group_by(outbox.c.person)
        )
        return {person: count for person, count in self._connection.execute(query)}

    def find(self, tenant: int, channel: int, key: SendKey | None, provider: str) -> Send | None:
        """One send of a channel by key, or by the provider's id."""
        query = select(outbox).where(outbox.c.tenant == tenant, outbox.c.channel == channel)
        query = (
            query.where(outbox.c.provider_id == provider, outbox.c.provider_id != "")
            if key is None
            else query.where(_is(key))
        )
        row = self._connection.execute(query.limit(1)).first()
        return None if row is None else _send(row)

    def page(
        self,
        tenant: int,
        journey: int,
        *,
        state: SendState | None,
        before: SendKey | None,
        limit: int,
    ) -> Sequence[Send]:
        """Sends of a journey, newest enrolment first."""
        query = select(outbox).where(outbox.c.tenant == tenant, outbox.c.journey == journey)
        if state is not None:
            query = query.where(outbox.c.state == state.value)
        if before is not None:
            query = query.where(_KEY.__lt__(tuple(before)))
        order = (outbox.c.enrol.desc(), outbox.c.node.desc(), outbox.c.visit.desc())
        return [_send(row) for row in self._connection.execute(query.order_by(*order).limit(limit))]

    def counts(self, tenant: int, journey: int | None = None) -> Mapping[tuple[str, str], int]:
        """How many sends per (state, reason)."""
        query = select(outbox.c.state, outbox.c.reason, func.count()).where(
            outbox.c.tenant == tenant
        )
        if journey is not None:
            query = query.where(outbox.c.journey == journey)
        rows = self._connection.execute(query.group_by(outbox.c.state, outbox.c.reason))
        return {(state, reason): count for state, reason, count in rows}

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
            added += self._connection.execute(statement).rowcount
        return added

    def kinds(self, key: SendKey) -> Sequence[ReceiptKind]:
        """The kinds of receipts there are for one send."""
        query = select(send_receipt.c.kind).where(
            send_receipt.c.enrol == key.enrolment,
            send_receipt.c.node == key.node,
            send_receipt.c.visit == key.visit,
        )
        return [ReceiptKind(kind) for kind in self._connection.scalars(query.distinct())]

    def correct(self, key: SendKey, state: SendState, reason: str, now: int) -> None:
        """Set the state that receipts prove."""
        self._connection.execute(
            update(outbox)
            .where(_is(key), outbox.c.state != state.value)
            .values(state=state.value, reason=reason, lease=None, updated_at=now, announced=False)
        )

    def unannounced(self, limit: int) -> Sequence[Send]:
        """Sent or failed messages that have not become events yet."""
        said = (SendState.SENT.value, SendState.FAILED.value)
        query = select(outbox).where(outbox.c.announced == false(), outbox.c.state.in_(said))
        return [_send(row) for row in self._connection.execute(query.limit(limit))]

    def unannounced_receipts(self, limit: int) -> Sequence[tuple[StoredReceipt, Send]]:
        """Receipts that have not become events yet, with their sends."""
        query = (
            select(send_receipt)
            .where(send_receipt.c.announced == false())
            .order_by(send_receipt.c.received_at)
            .limit(limit)
        )
        receipts = [_receipt(row) for row in self._connection.execute(query)]
        sends = {send.key: send for send in self._read([it.key for it in receipts])}
        return [(it, sends[it.key]) for it in receipts]

    def announce(self, sends: Sequence[SendKey], receipts: Sequence[tuple[int, bytes]]) -> None:
        """Note that these became events."""
        if sends:
            self._connection.execute(
                update(outbox).where(_THIS).values(announced=True), [_bound(key) for key in sends]
            )
        if receipts:
            one = and_(
                send_receipt.c.channel == bindparam("b_channel"),
                send_receipt.c.id == bindparam("b_id"),
            )
            self._connection.execute(
                update(send_receipt).where(one).values(announced=True),
                [{"b_channel": channel, "b_id": id} for channel, id in receipts],
            )

    def _read(self, keys: Sequence[SendKey], *where: Any) -> list[Send]:
        """Sends by key, in the order given."""
        found: dict[SendKey, Send] = {}
        for start in range(0, len(keys), _IN):
            query = select(outbox).where(_KEY.in_([tuple(k) for k in keys[start : start + _IN]]))
            for row in self._connection.execute(query.where(*where)):
                send = _send(row)
                found[send.key] = send
        return [found[key] for key in keys if key in found]


def _is(key: SendKey) -> ColumnElement[bool]:
    return and_(
        outbox.c.enrol == key.enrolment, outbox.c.node == key.node, outbox.c.visit == key.visit
    )


def _bound(key: SendKey) -> dict[str, Any]:
    return {"b_enrol": key.enrolment, "b_node": key.node, "b_visit": key.visit}


def _row(send: Send) -> dict[str, Any]:
    return {
        "enrol": send.key.enrolment,
        "node": send.key.node,
        "visit": send.key.visit,
        "tenant": send.tenant,
        "journey": send.journey,
        "version": send.version,
        "person": send.person,
        "channel": send.channel,
        "purpose": send.purpose,
        "state": send.state.value,
        "reason": send.reason,
        "not_before": send.not_before,
        "expires_at": send.expires_at,
        "attempts": send.attempts,
        "attempted_at": send.attempted_at,
        "lease": send.lease,
        "fence": send.fence,
        "provider_id": send.provider_id,
        "created_at": send.created_at,
        "updated_at": send.updated_at,
        "announced": False,
    }


def _send(row: Row[Any]) -> Send:
    return Send(
        key=SendKey(row.enrol, row.node, row.visit),
        tenant=row.tenant,
        journey=row.journey,
        version=row.version,
        person=row.person,
        channel=row.channel,
        purpose=row.purpose,
        state=SendState(row.state),
        reason=row.reason,
        not_before=row.not_before,
        expires_at=row.expires_at,
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        lease=row.lease,
        fence=row.fence,
        provider_id=row.provider_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
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
