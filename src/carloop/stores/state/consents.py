"""The consent ledger and the suppression list over SQLAlchemy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, delete, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from carloop.core.consent import ConsentEntry, ConsentState
from carloop.core.ports.consents import Suppression
from carloop.stores.state.lists import pieces
from carloop.stores.state.tables.consents import consent, suppression
from carloop.stores.state.tables.identity import identifier


class SqlConsents:
    """``core.ports.consents.Consents`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, tenant: int, entry: ConsentEntry, recorded_at: int, by: str) -> ConsentEntry:
        """Add one entry; returns it with its number."""
        created = self._connection.execute(
            insert(consent).values(
                tenant=tenant,
                subject=entry.subject,
                purpose=entry.purpose,
                channel=entry.channel,
                state=entry.state.value,
                policy_version=entry.policy_version,
                source=entry.source,
                evidence=entry.evidence,
                at=entry.at,
                recorded_at=recorded_at,
                recorded_by=by,
            )
        )
        assert created.inserted_primary_key is not None
        return replace(entry, id=created.inserted_primary_key[0])

    def of(self, tenant: int, people: Sequence[int]) -> Mapping[int, Sequence[ConsentEntry]]:
        """Entries per person, of all the fragments that are that person now."""
        query = (
            select(identifier.c.person, consent)
            .join(
                consent,
                and_(
                    consent.c.tenant == identifier.c.tenant,
                    consent.c.subject == identifier.c.number,
                ),
            )
            .where(identifier.c.tenant == tenant, identifier.c.person.in_(people))
            .order_by(consent.c.at, consent.c.id)
        )
        found: dict[int, list[ConsentEntry]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.person, []).append(
                ConsentEntry(
                    subject=row.subject,
                    purpose=row.purpose,
                    channel=row.channel,
                    state=ConsentState(row.state),
                    policy_version=row.policy_version,
                    source=row.source,
                    evidence=row.evidence,
                    at=row.at,
                    id=row.id,
                )
            )
        return found

    def forget(self, tenant: int, subjects: Collection[int]) -> None:
        """Remove every entry of erased fragments."""
        for piece in pieces(subjects):
            gone = (consent.c.tenant == tenant, consent.c.subject.in_(piece))
            self._connection.execute(delete(consent).where(*gone))


class SqlSuppressions:
    """``core.ports.consents.Suppressions`` over SQLAlchemy."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, tenant: int, key: bytes, reason: str, at: int) -> None:
        """Put an address on the list; one that is there stays as it is."""
        upsert = sqlite_insert if self._connection.dialect.name == "sqlite" else pg_insert
        row = {"tenant": tenant, "key": key, "reason": reason, "at": at}
        self._connection.execute(upsert(suppression).values(row).on_conflict_do_nothing())

    def lift(self, tenant: int, key: bytes) -> bool:
        """Take an address off the list."""
        gone = self._connection.execute(
            delete(suppression).where(suppression.c.tenant == tenant, suppression.c.key == key)
        )
        return gone.rowcount > 0

    def get(self, tenant: int, key: bytes) -> Suppression | None:
        """One address, if it is on the list."""
        t = suppression.c
        query = select(t.key, t.reason, t.at).where(t.tenant == tenant, t.key == key)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Suppression(bytes(row.key), row.reason, row.at)

    def page(
        self, tenant: int, *, before: tuple[int, bytes] | None, limit: int
    ) -> Sequence[Suppression]:
        """Newest first."""
        t = suppression.c
        query = select(t.key, t.reason, t.at).where(t.tenant == tenant)
        if before is not None:
            query = query.where(tuple_(t.at, t.key).__lt__(before))
        rows = self._connection.execute(query.order_by(t.at.desc(), t.key.desc()).limit(limit))
        return [Suppression(bytes(row.key), row.reason, row.at) for row in rows]

    def among(self, tenant: int, keys: Sequence[bytes]) -> frozenset[bytes]:
        """Which of ``keys`` are on the list."""
        query = select(suppression.c.key).where(
            suppression.c.tenant == tenant, suppression.c.key.in_(keys)
        )
        return frozenset(bytes(key) for key in self._connection.scalars(query))
