"""Who is under way in a journey, over SQLAlchemy: people move in sets, one statement for many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Connection, delete, func, insert, not_, or_, select, text, tuple_, update

from carloop.core.ports.journeys import Enrolment, Entering, Journey, JourneyStatus, Place
from carloop.kit.errors import Conflict
from carloop.stores.state.lists import pieces
from carloop.stores.state.sets import TALLY, run
from carloop.stores.state.settings import SqlSettings
from carloop.stores.state.tables.identity import identity_log
from carloop.stores.state.tables.journeys import (
    enrol,
    entering,
    journey,
    journey_tally,
    outbox,
    send_receipt,
)

_MERGES = "journeys.merges"
_LIVE = f"status = '{JourneyStatus.LIVE}' AND deleted_at IS NULL"
_ENTER = """
INSERT INTO enrol (tenant, journey, version, person, ekey, node, seq, arrived_at, due, ended)
SELECT :tenant, :journey, :version, {person}, :ekey, :node, :seq, :arrived_at,
 CAST(:due AS bigint), :ended
FROM {people} WHERE true ON CONFLICT DO NOTHING RETURNING id
"""
_MOVE = """
UPDATE enrol SET node = :node, seq = :seq, arrived_at = :arrived_at,
 due = CAST(:due AS bigint), ended = :ended
WHERE {among} AND seq = :seen
"""
_FIRST_DUE = text(f"""
SELECT id, (SELECT due FROM enrol WHERE journey = journey.id AND due IS NOT NULL
 ORDER BY due LIMIT 1) AS first
FROM journey WHERE {_LIVE}
""")  # noqa: S608
_DUE = """
SELECT id, tenant, journey, version, person, node, seq, arrived_at FROM enrol
WHERE journey = :journey AND due <= :now ORDER BY due LIMIT :limit
"""
_OLD = """
id > :after AND id <= :upto AND tenant = :tenant AND due IS NULL AND arrived_at < :before
AND (ekey <> '' OR journey IN (SELECT id FROM journey WHERE deleted_at IS NOT NULL))
AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.enrol = enrol.id)
"""
_AGE = (
    text(
        TALLY.format(
            kind="people", name="ended", reason="''", group="ended", table="enrol", where=_OLD
        )
    ),
    text(f"DELETE FROM enrol WHERE {_OLD}"),  # noqa: S608
)


class SqlEnrolments:
    """``core.ports.journeys.Enrolments`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def defer(self, journey: Journey, pieces: Iterable[Sequence[int]], as_of: int) -> None:
        """Note people who will enter the published version, piece by piece."""
        fixed = {"tenant": journey.tenant, "journey": journey.id, "version": journey.version}
        rows = [
            {**fixed, "as_of": as_of, "people": BitMap(piece).serialize()}
            for piece in pieces
            if piece
        ]
        if rows:
            self._connection.execute(insert(entering), rows)

    def entering(self) -> Entering | None:
        """The oldest piece that waits to enter a live journey."""
        row = self._connection.execute(
            select(entering)
            .join(journey, journey.c.id == entering.c.journey)
            .where(journey.c.status == JourneyStatus.LIVE, journey.c.deleted_at.is_(None))
            .order_by(entering.c.id)
            .limit(1)
        ).first()
        if row is None:
            return None
        people = list(BitMap.deserialize(row.people))
        return Entering(row.id, row.tenant, row.journey, row.version, row.as_of, people)

    def entered(self, piece: int) -> None:
        """Remove a piece."""
        self._connection.execute(delete(entering).where(entering.c.id == piece))

    def enter(
        self,
        journey: int,
        version: int,
        tenant: int,
        people: Sequence[int],
        ekey: str,
        place: Place,
    ) -> Sequence[int]:
        """Take people in, all at once; the unique key leaves out whoever is in already."""
        fixed = {"tenant": tenant, "journey": journey, "version": version, "ekey": ekey}
        values = {**fixed, **place._asdict(), "people": people}
        return list(run(self._connection, _ENTER, values).scalars())

    def due(self, now: int, limit: int, *, lock: bool = False) -> Sequence[Enrolment]:
        """Enrolments of live journeys to be stepped, the journey that waited longest first."""
        first = [(due, id) for id, due in self._connection.execute(_FIRST_DUE) if due is not None]
        found: list[Enrolment] = []
        statement = _DUE + ("{lock}" if lock else "")
        for due, id in sorted(first):
            if due > now or len(found) >= limit:
                break
            values = {"journey": id, "now": now, "limit": limit - len(found)}
            found += map(Enrolment._make, run(self._connection, statement, values))
        return found

    def move(self, enrolments: Sequence[int], seen: int, to: Place) -> None:
        """Write one new place for many who were all read with the same ``seq``."""
        if not enrolments:
            return
        values = {**to._asdict(), "ids": enrolments, "seen": seen}
        if run(self._connection, _MOVE, values).rowcount != len(enrolments):
            raise Conflict("somebody else moved an enrolment", code="stale")

    def merge(self, tenant: int, kept: int, absorbed: Sequence[int]) -> None:
        """One enrolment per journey and entry goes on: the furthest, then the oldest."""
        rows = self._connection.execute(
            select(enrol.c.id, enrol.c.journey, enrol.c.person, enrol.c.ekey, enrol.c.ended)
            .where(enrol.c.tenant == tenant, enrol.c.person.in_((kept, *absorbed)))
            .order_by(enrol.c.seq.desc(), enrol.c.id)
        )
        best: dict[tuple[int, str], _Held] = {}
        theirs: list[_Held] = []
        for it in map(_Held._make, rows):
            theirs.append(it)
            if best.setdefault((it.journey, it.ekey), it) is not it:
                self._retire(it)
        self._hand_over([it.id for it in theirs if it.person != kept], kept)
        self._merge_entering(tenant, kept, absorbed)

    def apply_merges(self) -> None:
        """Bring enrolments and sends up to the merges logged since last time."""
        settings = SqlSettings(self._connection)
        cursor = int(settings.get(_MERGES, 0))
        rows = self._connection.execute(
            select(identity_log).where(identity_log.c.id > cursor).order_by(identity_log.c.id)
        ).all()
        for row in rows:
            if row.kind == "merge":
                self.merge(row.tenant, row.kept, [row.moved])
        if rows:
            settings.put(_MERGES, rows[-1].id)

    def forget(self, tenant: int, people: Collection[int]) -> None:
        """Remove the enrolments of erased persons, their sends and the receipts of those.

        The log of merges is about to lose its entries of these persons, after which SQLite may
        give their ids again: the place up to which it was read must not lie beyond what is left.
        """
        self.apply_merges()
        log = identity_log.c
        for piece in pieces(people):
            here = (enrol.c.tenant == tenant, enrol.c.person.in_(piece))
            theirs = outbox.c.enrol.in_(select(enrol.c.id).where(*here))
            sends = select(outbox.c.enrol, outbox.c.node, outbox.c.visit).where(theirs)
            place = tuple_(send_receipt.c.enrol, send_receipt.c.node, send_receipt.c.visit)
            self._connection.execute(delete(send_receipt).where(place.in_(sends)))
            self._connection.execute(delete(outbox).where(theirs))
            self._connection.execute(delete(enrol).where(*here))
            going = or_(log.kept.in_(piece), log.moved.in_(piece))
            left = select(func.max(log.id)).where(not_((log.tenant == tenant) & going))
            settings = SqlSettings(self._connection)
            read = int(settings.get(_MERGES, 0))
            settings.put(_MERGES, min(read, self._connection.scalar(left) or 0))
        self._rewrite_entering(tenant, lambda waiting: waiting - BitMap(people))

    def counts(self, journey: int) -> Mapping[str, int]:
        """People by node or by how they ended, those aged away too."""
        query = (
            select(enrol.c.node, enrol.c.ended, func.count())
            .where(enrol.c.journey == journey)
            .group_by(enrol.c.node, enrol.c.ended)
        )
        aged = select(journey_tally.c.name, journey_tally.c.number).where(
            journey_tally.c.journey == journey, journey_tally.c.kind == "people"
        )
        found: dict[str, int] = {}
        for node, ended, people in self._connection.execute(query):
            name = f"ended:{ended}" if ended else f"node:{node}"
            found[name] = found.get(name, 0) + people
        for name, people in self._connection.execute(aged):
            found[f"ended:{name}"] = found.get(f"ended:{name}", 0) + people
        return found

    def newest(self) -> int:
        """The highest number of an enrolment, 0 where there is none."""
        return self._connection.scalar(select(func.max(enrol.c.id))) or 0

    def age(self, tenant: int, before: int, after: int, upto: int) -> int:
        """Remove old ended enrolments without sends among those numbered ``(after, upto]``."""
        window = {"tenant": tenant, "before": before, "after": after, "upto": upto}
        return [self._connection.execute(part, window).rowcount for part in _AGE][-1]

    def _hand_over(self, ids: Sequence[int], person: int) -> None:
        """These enrolments and their sends are ``person``'s now."""
        if ids:
            changed = {"person": person}
            self._connection.execute(update(enrol).where(enrol.c.id.in_(ids)).values(changed))
            self._connection.execute(update(outbox).where(outbox.c.enrol.in_(ids)).values(changed))

    def _merge_entering(self, tenant: int, kept: int, absorbed: Sequence[int]) -> None:
        moved = BitMap(absorbed)
        self._rewrite_entering(
            tenant, lambda it: it if it.isdisjoint(moved) else (it - moved) | BitMap([kept])
        )

    def _rewrite_entering(self, tenant: int, change: Any) -> None:
        """Change who waits to enter, piece by piece."""
        query = select(entering.c.id, entering.c.people).where(entering.c.tenant == tenant)
        for id, people in self._connection.execute(query).all():
            before = BitMap.deserialize(people)
            after = change(before)
            if after != before:
                self._connection.execute(
                    update(entering).where(entering.c.id == id).values(people=after.serialize())
                )

    def _retire(self, it: _Held) -> None:
        """End an enrolment that another goes on for, and whatever it had not sent yet."""
        over = {"ekey": f"merged:{it.id}", "due": None, "ended": it.ended or "merged"}
        self._connection.execute(update(enrol).where(enrol.c.id == it.id).values(over))
        self._connection.execute(
            update(outbox)
            .where(outbox.c.enrol == it.id, outbox.c.state.in_(("new", "claimed")))
            .values(state="suppressed", reason="merged", fence=outbox.c.fence + 1, lease=None)
        )


class _Held(NamedTuple):
    id: int
    journey: int
    person: int
    ekey: str
    ended: str
