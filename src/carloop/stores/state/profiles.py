"""Profiles in the state store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from carloop.core.ports.profiles import Attribute
from carloop.stores.state.lists import insert_rows, pieces
from carloop.stores.state.tables.profiles import attribute, subject_key

_a = attribute.c
_k = subject_key.c
_ATTRIBUTES = select(_a.number, _a.field, _a.state, _a.blind, _a.occurred_at).where(
    _a.tenant == bindparam("tenant"), _a.number.in_(bindparam("numbers", expanding=True))
)
_KEYS = select(_k.number, _k.wrapped).where(
    _k.tenant == bindparam("tenant"),
    _k.space == bindparam("space"),
    _k.number.in_(bindparam("numbers", expanding=True)),
)


class SqlProfiles:
    """The :class:`~carloop.core.ports.profiles.ProfileRepository` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def attributes(self, tenant: int, numbers: Collection[int]) -> list[Attribute]:
        """Every attribute of these fragments."""
        return [
            Attribute(*row)
            for piece in pieces(numbers)
            for row in self._db.execute(_ATTRIBUTES, {"tenant": tenant, "numbers": piece})
        ]

    def put(self, tenant: int, attributes: Sequence[Attribute]) -> None:
        """Store attributes, replacing those of the same fragment and field."""
        names = ("tenant", *Attribute._fields)
        rows = [(tenant, *a) for a in attributes]
        insert_rows(self._db, attribute, names, rows, replace=True)

    def holders(self, tenant: int, field: str, blind: bytes, limit: int) -> list[int]:
        """Fragments whose identifying ``field`` has this blind index."""
        query = (
            select(_a.number)
            .where(_a.tenant == tenant, _a.field == field, _a.blind == blind)
            .order_by(_a.number)
            .limit(limit)
        )
        return list(self._db.scalars(query))

    def subject_keys(self, tenant: int, space: str, numbers: Collection[int]) -> dict[int, bytes]:
        """Wrapped keys by number; ``space`` is ``person`` or an entity type."""
        asked = {"tenant": tenant, "space": space}
        return {
            number: wrapped
            for piece in pieces(numbers)
            for number, wrapped in self._db.execute(_KEYS, {**asked, "numbers": piece})
        }

    def add_subject_keys(self, tenant: int, space: str, keys: Mapping[int, bytes]) -> None:
        """Store new wrapped keys."""
        names = ("tenant", "space", "number", "wrapped")
        rows = [(tenant, space, number, wrapped) for number, wrapped in keys.items()]
        insert_rows(self._db, subject_key, names, rows)

    def remove(self, tenant: int, numbers: Collection[int]) -> None:
        """Remove attributes and subject keys of fragments for good."""
        for piece in pieces(numbers):
            self._db.execute(delete(attribute).where(_a.tenant == tenant, _a.number.in_(piece)))
            self._db.execute(
                delete(subject_key).where(
                    _k.tenant == tenant, _k.space == "person", _k.number.in_(piece)
                )
            )
