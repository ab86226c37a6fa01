"""The outbox over SQLAlchemy: claims, marks and results of many sends in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    func,
    select,
    text,
    tuple_,
    update,
)

from carloop.core.message import SendKey, SendState
from carloop.core.ports.sends import Posting, Send, Settled, StoredReceipt
from carloop.stores.state import outbox_sql as sql
from carloop.stores.state.lists import upsert
from carloop.stores.state.receipts import ReceiptRows
from carloop.stores.state.sets import run
from carloop.stores.state.tables.journeys import UNSAID, enrol, journey_tally, outbox, send_pace
from carloop.stores.state.tables.journeys import journey as journeys

_KEY = tuple_(outbox.c.enrol, outbox.c.node, outbox.c.visit)
_LIVE = select(journeys.c.id).where(text(sql.LIVE))
_IN = 1000
"""Keys per statement."""
_CLAIMED = SendState.CLAIMED.value
_ATTEMPTING = SendState.ATTEMPTING.value
_NEW = SendState.NEW.value
_UNKNOWN = SendState.UNKNOWN.value
_COUNTED = (SendState.SENT.value, _UNKNOWN, _ATTEMPTING)
_STATES = {state.value: state for state in SendState}


class SqlSends(ReceiptRows):
    """``core.ports.sends.Sends`` over SQLAlchemy."""

    def post(self, enrolments: Sequence[int], posting: Posting) -> None:
        """Add one send for each."""
        if enrolments:
            run(self._connection, sql.POST, {**posting._asdict(), "ids": enrolments})

    def waiting(self, now: int) -> Sequence[int]:
        """Numbers of enabled channels with something to do."""
        return list(self._connection.scalars(sql.WAITING, {"now": now}))

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
        """Take due sends of live journeys, the journey that waited longest first."""
        ready = self._connection.execute(sql.FIRST_READY, {"channel": channel})
        first = [(due, id) for id, due in ready if due is not None]
        claimed: list[Send] = []
        for due, journey in sorted(first):
            if due > now or len(claimed) >= limit:
                break
            values = {"channel": channel, "journey": journey, "now": now, "lease": lease}
            values["limit"] = limit - len(claimed)
            statement = sql.CLAIM[self._connection.dialect.name]
            claimed += map(_send, run(self._connection, statement, values))
        return sorted(claimed, key=lambda send: (send.not_before, send.key))

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
        if not sends:
            return
        if self._connection.dialect.name == "sqlite":
            rows = sql.alike((), ((s.key, s.fence, ()) for s in sends), now=now, lease=lease)
            self._connection.exec_driver_sql(sql.ATTEMPT["sqlite"], rows)
        else:
            values = {"now": now, "lease": lease, **sql.keys([(s.key, s.fence) for s in sends])}
            self._connection.exec_driver_sql(sql.ATTEMPT["postgresql"], values)

    def settle(self, settled: Sequence[Settled], now: int) -> None:
        """Write results, each only while its fence is the current one."""
        if not settled:
            return
        if self._connection.dialect.name == "sqlite":
            names = ("state", "reason", "not_before", "provider_id")
            became = (
                (it.key, it.fence, (it.state.value, it.reason, it.not_before, it.provider_id))
                for it in settled
            )
            rows = sql.alike(names, became, now=now)
            self._connection.exec_driver_sql(sql.SETTLE["sqlite"], rows)
            return
        values = {
            "now": now,
            **sql.keys([(it.key, it.fence) for it in settled]),
            "state": [it.state.value for it in settled],
            "reason": [it.reason for it in settled],
            "not_before": [it.not_before for it in settled],
            "provider_id": [it.provider_id for it in settled],
        }
        self._connection.exec_driver_sql(sql.SETTLE["postgresql"], values)

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
            select(enrol.c.person, func.count())
            .join(outbox, outbox.c.enrol == enrol.c.id)
            .where(
                enrol.c.tenant == tenant,
                enrol.c.person.in_(people),
                outbox.c.channel == channel,
                outbox.c.state.in_(_COUNTED),
                outbox.c.attempted_at > since,
            )
            .group_by(enrol.c.person)
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
        """How many sends per (state, reason), those aged away too."""
        kept = select(outbox.c.state, outbox.c.reason, func.count()).where(
            outbox.c.tenant == tenant
        )
        t = journey_tally.c
        aged = select(t.name, t.reason, t.number).where(t.tenant == tenant, t.kind == "sends")
        if journey is not None:
            kept = kept.where(outbox.c.journey == journey)
            aged = aged.where(t.journey == journey)
        found: dict[tuple[str, str], int] = {}
        for query in (kept.group_by(outbox.c.state, outbox.c.reason), aged):
            for state, reason, count in self._connection.execute(query):
                found[state, reason] = found.get((state, reason), 0) + count
        return found

    def correct(self, key: SendKey, state: SendState, reason: str, now: int) -> None:
        """Set the state that receipts prove."""
        self._connection.execute(
            update(outbox)
            .where(_is(key), outbox.c.state != state.value)
            .values(state=state.value, reason=reason, lease=None, updated_at=now, announced=False)
        )

    def unannounced(self, limit: int) -> Sequence[Send]:
        """Sends that came to an end and have not become events yet, oldest first."""
        query = select(outbox).where(text(UNSAID)).order_by(outbox.c.updated_at).limit(limit)
        return [_send(row) for row in self._connection.execute(query)]

    def unannounced_receipts(self, limit: int) -> Sequence[tuple[StoredReceipt, Send]]:
        """Receipts that have not become events yet, with their sends."""
        receipts = self._unannounced_receipts(limit)
        sends = {send.key: send for send in self._read([it.key for it in receipts])}
        return [(it, sends[it.key]) for it in receipts]

    def announce(
        self,
        sends: Sequence[tuple[SendKey, SendState]],
        receipts: Sequence[tuple[int, bytes]],
    ) -> None:
        """Note that these became events; a send only while it is in the state that was told."""
        if sends:
            names = ("enrol", "node", "visit", "state")
            here = and_(*(outbox.c[name] == bindparam(f"b_{name}") for name in names))
            self._connection.execute(
                update(outbox).where(here).values(announced=True),
                [
                    dict(zip((f"b_{n}" for n in names), (*key, state.value), strict=True))
                    for key, state in sends
                ],
            )
        self._announce_receipts(receipts)

    def free_at(self, channel: int) -> int:
        """When the channel's pace was last drawn up to."""
        query = select(send_pace.c.free_at).where(send_pace.c.channel == channel)
        return self._connection.scalar(query) or 0

    def pace(self, channel: int, free_at: int) -> None:
        """Remember how far the channel's pace is drawn."""
        upsert(self._connection, send_pace, [{"channel": channel, "free_at": free_at}])

    def age(self, tenant: int, before: int, after: int, upto: int) -> int:
        """Remove old settled sends, and their receipts, of the enrolments ``(after, upto]``."""
        window = {"tenant": tenant, "before": before, "after": after, "upto": upto}
        return [self._connection.execute(part, window).rowcount for part in sql.AGE][-1]

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


def _send(row: Row[Any]) -> Send:
    """A send from a row of the outbox, in the order of its columns."""
    (enrolment, node, visit, tenant, journey, version, person, channel, purpose, state, reason,
     not_before, expires_at, attempts, attempted_at, lease, fence, provider_id, created_at,
     updated_at, _) = tuple(row)  # fmt: skip
    return Send(
        SendKey(enrolment, node, visit), tenant, journey, version, person, channel, purpose,
        not_before, expires_at, created_at, updated_at, _STATES[state], reason, attempts,
        attempted_at, lease, fence, provider_id,
    )  # fmt: skip
