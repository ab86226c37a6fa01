"""Scoped reads of the event store: tenant and rights compiled into every table read.

Every SELECT over ``events``, ``attributes``, ``fragments`` and ``grants`` begins here. A grant to
one fragment makes the whole person visible; an event that names somebody else's dealer stays hidden
even when its person is visible. Fragment 0 is "no person": an event about entities alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from carloop.sql.query import Params, ident
from carloop.sql.select import nested, select


class Rights(Protocol):
    """What a scope must tell; ``core.scope.Scope`` is one."""

    @property
    def tenant(self) -> int:
        """Tenant number."""
        ...

    @property
    def dims(self) -> Mapping[str, frozenset[int]]:
        """Per dimension the entity numbers the caller is limited to."""
        ...


def dictionary(tenant: int) -> str:
    """Name of the dictionary that maps aliased fragments to persons.

    >>> dictionary(1)
    'person_of_1'
    """
    return f"person_of_{int(tenant)}"


def person(tenant: int, fragment: str = "fragment") -> str:
    """SQL of the canonical person (``UInt32``) of a row's ``fragment`` column.

    >>> person(1)
    "dictGetOrDefault('person_of_1', 'person', toUInt64(fragment), fragment)"
    """
    column = ".".join(ident(part) for part in fragment.split("."))
    return f"dictGetOrDefault('{dictionary(tenant)}', 'person', toUInt64({column}), {column})"


def events(
    rights: Rights, params: Params, columns: str = "*", where: Iterable[str] = (), group: str = ""
) -> str:
    """A SELECT over the events the caller may see, those without a person included.

    A caller limited by a dimension sees only events of visible persons that name none of that
    dimension's entities or one of the caller's own; and events about entities alone that name one
    of the caller's own in every dimension.
    """
    seen = [f"tenant = {params.add(rights.tenant, 'UInt32')}"]
    granted, named, alone = _granted(rights, params, person(rights.tenant)), [], []
    for dimension, own in sorted(rights.dims.items()):
        entity = f"entities[{params.add(dimension, 'String')}]"
        named.append(f"has({params.add(sorted({0, *own}), 'Array(UInt32)')}, {entity})")
        alone.append(f"{entity} != 0")
    if granted:
        somebody, nobody = " AND ".join(granted), " AND ".join(["fragment = 0", *alone])
        seen += [f"(({somebody}) OR ({nobody}))", *named]
    return select(columns, "events", where=[*seen, *where], group=group)


def attributes(
    rights: Rights, params: Params, columns: str = "*", where: Iterable[str] = (), group: str = ""
) -> str:
    """A SELECT over the newest descriptive attribute rows of visible persons, by fragment."""
    return select(
        columns, "attributes FINAL", where=[*_visible(rights, params), *where], group=group
    )


def fragments(
    rights: Rights, params: Params, columns: str = "*", where: Iterable[str] = (), group: str = ""
) -> str:
    """A SELECT over the newest fragment rows of visible persons."""
    return select(
        columns, "fragments FINAL", where=[*_visible(rights, params), *where], group=group
    )


def persons(rights: Rights, params: Params) -> str:
    """A SELECT of every visible canonical person, one column ``person``, each once."""
    number = person(rights.tenant)
    return fragments(rights, params, f"{number} AS person", ["fragment != 0"], group=number)


def visible(rights: Rights, params: Params, column: str = "person") -> str:
    """The condition that a canonical person number in ``column`` is visible; empty: all are."""
    return " AND ".join(_granted(rights, params, ident(column)))


def _visible(rights: Rights, params: Params) -> list[str]:
    tenant = params.add(rights.tenant, "UInt32")
    return [f"tenant = {tenant}", *_granted(rights, params, person(rights.tenant))]


def _granted(rights: Rights, params: Params, expression: str) -> list[str]:
    conditions = []
    for dimension, own in sorted(rights.dims.items()):
        tenant = params.add(rights.tenant, "UInt32")
        name = params.add(dimension, "String")
        numbers = params.add(sorted(own), "Array(UInt32)")
        granted = select(
            person(rights.tenant),
            "grants FINAL",
            where=[f"tenant = {tenant}", f"dimension = {name}", f"has({numbers}, entity)"],
        )
        conditions.append(f"{expression} IN {nested(granted)}")
    return conditions
