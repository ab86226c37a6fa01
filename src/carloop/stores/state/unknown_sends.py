"""Sends of unknown outcome over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, select, tuple_, update

from carloop.core.message import SendKey, SendState
from carloop.core.ports.unknown_sends import UnknownSend
from carloop.stores.state.tables.journeys import channel, journey, outbox

_KEY = tuple_(outbox.c.enrol, outbox.c.node, outbox.c.visit)
_UNKNOWN = outbox.c.state == SendState.UNKNOWN.value
_PAGE = (
    select(
        outbox,
        journey.c.uuid.label("journey_uuid"),
        journey.c.name.label("journey_name"),
        channel.c.uuid.label("channel_uuid"),
        channel.c.name.label("channel_name"),
    )
    .join(journey, journey.c.id == outbox.c.journey)
    .join(channel, channel.c.id == outbox.c.channel)
    .where(_UNKNOWN)
    .order_by(outbox.c.enrol.desc(), outbox.c.node.desc(), outbox.c.visit.desc())
)


class SqlUnknownSends:
    """``core.ports.unknown_sends.UnknownSends`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def page(self, tenant: int, *, before: SendKey | None, limit: int) -> Sequence[UnknownSend]:
        """Across journeys, newest enrolment first."""
        query = _PAGE.where(outbox.c.tenant == tenant).limit(limit)
        if before is not None:
            query = query.where(_KEY.__lt__(tuple(before)))
        return [
            UnknownSend(
                key=SendKey(row.enrol, row.node, row.visit),
                journey=row.journey_uuid,
                journey_name=row.journey_name,
                channel=row.channel_uuid,
                channel_name=row.channel_name,
                person=row.person,
                purpose=row.purpose,
                reason=row.reason,
                attempts=row.attempts,
                provider_id=row.provider_id,
                attempted_at=row.attempted_at,
                updated_at=row.updated_at,
            )
            for row in self._db.execute(query)
        ]

    def exists(self, tenant: int, key: SendKey) -> bool:
        """Whether the tenant has a send of this key."""
        query = select(outbox.c.enrol).where(outbox.c.tenant == tenant, _is(key))
        return self._db.scalar(query) is not None

    def settle(self, tenant: int, key: SendKey, state: SendState, reason: str, now: int) -> bool:
        """Give an unknown send its outcome, once."""
        settled = self._db.execute(
            update(outbox)
            .where(outbox.c.tenant == tenant, _is(key), _UNKNOWN)
            .values(state=state.value, reason=reason, lease=None, updated_at=now, announced=False)
        )
        return settled.rowcount > 0


def _is(key: SendKey) -> ColumnElement[bool]:
    return tuple_(*key) == _KEY
