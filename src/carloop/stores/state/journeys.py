"""Journeys and enrolments over SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)

from carloop.core.ports.journeys import Enrolment, Journey, JourneyStatus
from carloop.kit.errors import Conflict, NotFound
from carloop.stores.state.lists import pieces
from carloop.stores.state.settings import SqlSettings
from carloop.stores.state.tables.identity import identity_log
from carloop.stores.state.tables.journeys import (
    enrol,
    journey,
    journey_version,
    outbox,
    send_receipt,
)

CHUNK = 20_000
_MERGES = "journeys.merges"
_ENTER = """
INSERT INTO enrol (tenant, journey, version, person, ekey, node, seq, arrived_at, due, ended)
SELECT :tenant, :journey, :version, {person}, :ekey, :node, 0, :now, :now, ''
FROM {people} ON CONFLICT DO NOTHING
"""
_PEOPLE = {
    "sqlite": {"person": "value", "people": "json_each(:people) WHERE true"},
    "postgresql": {"person": "p", "people": "unnest(CAST(:people AS bigint[])) AS p"},
}


class SqlJourneys:
    """``core.ports.journeys.Journeys`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, it: Journey) -> Journey:
        """Store a new journey; returns it with its number."""
        created = self._connection.execute(
            insert(journey).values(
                tenant=it.tenant,
                uuid=it.uuid,
                history_skipped=0,
                created_by=it.created_by,
                created_at=it.created_at,
                revision=1,
                **_changing(it),
            )
        )
        assert created.inserted_primary_key is not None
        return replace(it, id=created.inserted_primary_key[0], revision=1)

    def save(self, it: Journey) -> Journey:
        """Store a changed journey; ``Conflict`` where somebody changed it meanwhile."""
        changed = self._connection.execute(
            update(journey)
            .where(
                journey.c.id == it.id,
                journey.c.revision == it.revision,
                journey.c.deleted_at.is_(None),
            )
            .values(revision=it.revision + 1, **_changing(it))
        )
        if changed.rowcount == 0:
            raise Conflict("the journey was changed meanwhile", code="stale")
        return replace(it, revision=it.revision + 1)

    def get(self, tenant: int, uuid: str) -> Journey:
        """One journey; ``NotFound`` where the tenant has none of this id."""
        row = self._connection.execute(
            select(journey).where(
                journey.c.tenant == tenant, journey.c.uuid == uuid, journey.c.deleted_at.is_(None)
            )
        ).first()
        if row is None:
            raise NotFound("no such journey", code="journey_unknown")
        return _journey(row)

    def numbered(self, id: int) -> Journey:
        """One journey by number, a removed one too."""
        row = self._connection.execute(select(journey).where(journey.c.id == id)).first()
        if row is None:
            raise NotFound("no such journey", code="journey_unknown")
        return _journey(row)

    def page(self, tenant: int, *, before: int | None, limit: int) -> Sequence[Journey]:
        """Newest first."""
        query = select(journey).where(journey.c.tenant == tenant, journey.c.deleted_at.is_(None))
        if before is not None:
            query = query.where(journey.c.id < before)
        return [
            _journey(row)
            for row in self._connection.execute(query.order_by(journey.c.id.desc()).limit(limit))
        ]

    def remove(self, it: Journey, now: int) -> None:
        """Delete softly and let nobody step any more."""
        removed = self.save(replace(it, status=JourneyStatus.STOPPED, updated_at=now))
        self._connection.execute(
            update(journey).where(journey.c.id == removed.id).values(deleted_at=now)
        )
        self._connection.execute(
            update(enrol)
            .where(enrol.c.journey == it.id, enrol.c.due.is_not(None))
            .values(due=None, ended="journey_removed")
        )

    def publish(self, it: Journey, graph: str, now: int, by: str) -> Journey:
        """Store ``graph`` as the next version and make the journey live on it."""
        version = it.version + 1
        self._connection.execute(
            insert(journey_version).values(
                journey=it.id, version=version, graph=graph, published_at=now, published_by=by
            )
        )
        return self.save(replace(it, version=version, status=JourneyStatus.LIVE, updated_at=now))

    def graph(self, journey: int, version: int) -> str:
        """The JSON of a published version."""
        found = self._connection.scalar(
            select(journey_version.c.graph).where(
                journey_version.c.journey == journey, journey_version.c.version == version
            )
        )
        if found is None:
            raise NotFound("no such version", code="journey_unknown")
        return str(found)

    def started_by(self, tenant: int, segment: int) -> Sequence[Journey]:
        """Live journeys that people enter through this segment."""
        query = select(journey).where(
            journey.c.tenant == tenant,
            journey.c.segment == segment,
            journey.c.status == JourneyStatus.LIVE,
            journey.c.deleted_at.is_(None),
        )
        return [_journey(row) for row in self._connection.execute(query.order_by(journey.c.id))]

    def count_history(self, journey_id: int, people: int) -> None:
        """Note that ``people`` were not taken in because history brought them."""
        self._connection.execute(
            update(journey)
            .where(journey.c.id == journey_id)
            .values(history_skipped=journey.c.history_skipped + people)
        )

    def stop_all(self, tenant: int, now: int) -> int:
        """Stop every live or paused journey."""
        stopped = self._connection.execute(
            update(journey)
            .where(
                journey.c.tenant == tenant,
                journey.c.status.in_((JourneyStatus.LIVE, JourneyStatus.PAUSED)),
            )
            .values(status=JourneyStatus.STOPPED, updated_at=now, revision=journey.c.revision + 1)
        )
        return stopped.rowcount


class SqlEnrolments:
    """``core.ports.journeys.Enrolments`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enter(self, journey: Journey, people: Iterable[int], ekey: str, node: str, now: int) -> int:
        """Take people in, set by set; the unique key leaves out whoever is in already."""
        dialect = self._connection.dialect.name
        statement = text(_ENTER.format(**_PEOPLE[dialect]))
        fixed = {
            "tenant": journey.tenant,
            "journey": journey.id,
            "version": journey.version,
            "ekey": ekey,
            "node": node,
            "now": now,
        }
        taken = 0
        coming = iter(people)
        while numbers := [int(person) for person in islice(coming, CHUNK)]:
            bound = json.dumps(numbers) if dialect == "sqlite" else numbers
            taken += self._connection.execute(statement, {**fixed, "people": bound}).rowcount
        return taken

    def due(self, now: int, limit: int) -> Sequence[Enrolment]:
        """Enrolments of live journeys to be stepped, oldest first."""
        live = select(journey.c.id).where(
            journey.c.status == JourneyStatus.LIVE, journey.c.deleted_at.is_(None)
        )
        query = (
            select(enrol)
            .where(enrol.c.due <= now, enrol.c.journey.in_(live))
            .order_by(enrol.c.due, enrol.c.id)
            .limit(limit)
        )
        return [_enrolment(row) for row in self._connection.execute(query)]

    def move(self, moved: Sequence[Enrolment], seen: Mapping[int, int]) -> None:
        """Write new positions, each only over the ``seq`` it was read with."""
        if not moved:
            return
        changed = self._connection.execute(
            update(enrol)
            .where(enrol.c.id == bindparam("b_id"), enrol.c.seq == bindparam("b_seq"))
            .values(
                {name: bindparam(f"b_{name}_new") for name in _POSITION},
            ),
            [
                {
                    "b_id": it.id,
                    "b_seq": seen[it.id],
                    **{f"b_{name}_new": getattr(it, name) for name in _POSITION},
                }
                for it in moved
            ],
        )
        if changed.rowcount != len(moved):
            raise Conflict("somebody else moved an enrolment", code="stale")

    def merge(self, tenant: int, kept: int, absorbed: Sequence[int]) -> None:
        """One enrolment per journey and entry goes on: the furthest, then the oldest."""
        people = (kept, *absorbed)
        rows = self._connection.execute(
            select(enrol)
            .where(enrol.c.tenant == tenant, enrol.c.person.in_(people))
            .order_by(enrol.c.seq.desc(), enrol.c.id)
        )
        best: dict[tuple[int, str], Enrolment] = {}
        for it in map(_enrolment, rows):
            if best.setdefault((it.journey, it.ekey), it) is not it:
                self._retire(it)
        for it in best.values():
            if it.person != kept:
                self._change(it.id, person=kept)
        self._connection.execute(
            update(outbox)
            .where(outbox.c.tenant == tenant, outbox.c.person.in_(absorbed))
            .values(person=kept)
        )

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
            theirs = (outbox.c.tenant == tenant, outbox.c.person.in_(piece))
            sends = select(outbox.c.enrol, outbox.c.node, outbox.c.visit).where(*theirs)
            place = tuple_(send_receipt.c.enrol, send_receipt.c.node, send_receipt.c.visit)
            self._connection.execute(delete(send_receipt).where(place.in_(sends)))
            self._connection.execute(delete(outbox).where(*theirs))
            self._connection.execute(
                delete(enrol).where(enrol.c.tenant == tenant, enrol.c.person.in_(piece))
            )
            going = or_(log.kept.in_(piece), log.moved.in_(piece))
            left = select(func.max(log.id)).where(not_((log.tenant == tenant) & going))
            settings = SqlSettings(self._connection)
            read = int(settings.get(_MERGES, 0))
            settings.put(_MERGES, min(read, self._connection.scalar(left) or 0))

    def counts(self, journey: int) -> Mapping[str, int]:
        """People by node or by how they ended."""
        query = (
            select(enrol.c.node, enrol.c.ended, func.count())
            .where(enrol.c.journey == journey)
            .group_by(enrol.c.node, enrol.c.ended)
        )
        found: dict[str, int] = {}
        for node, ended, people in self._connection.execute(query):
            name = f"ended:{ended}" if ended else f"node:{node}"
            found[name] = found.get(name, 0) + people
        return found

    def _retire(self, it: Enrolment) -> None:
        """End an enrolment that another goes on for, and whatever it had not sent yet."""
        self._change(it.id, ekey=f"merged:{it.id}", due=None, ended=it.ended or "merged")
        self._connection.execute(
            update(outbox)
            .where(outbox.c.enrol == it.id, outbox.c.state.in_(("new", "claimed")))
            .values(state="suppressed", reason="merged", fence=outbox.c.fence + 1)
        )

    def _change(self, id: int, **values: Any) -> None:
        self._connection.execute(update(enrol).where(enrol.c.id == id).values(values))


_POSITION = ("node", "seq", "arrived_at", "due", "ended")


def _changing(it: Journey) -> dict[str, Any]:
    return {
        "name": it.name,
        "status": it.status.value,
        "version": it.version,
        "draft": it.draft,
        "segment": it.segment,
        "updated_at": it.updated_at,
    }


def _journey(row: Row[Any]) -> Journey:
    return Journey(
        id=row.id,
        tenant=row.tenant,
        uuid=row.uuid,
        name=row.name,
        status=JourneyStatus(row.status),
        version=row.version,
        draft=row.draft,
        segment=row.segment,
        revision=row.revision,
        history_skipped=row.history_skipped,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _enrolment(row: Row[Any]) -> Enrolment:
    return Enrolment(
        row.id,
        row.tenant,
        row.journey,
        row.version,
        row.person,
        row.ekey,
        row.node,
        row.seq,
        row.arrived_at,
        row.due,
        row.ended,
    )
