"""One row to its events, by a mapping; every cell that does not fit is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from carloop.app.imports.mapping import (
    EntityColumn,
    EventOfRow,
    IdentifierColumn,
    Mapping,
    ProfileColumn,
    PropertyColumn,
    TimeColumn,
)
from carloop.app.imports.values import BadValue, as_type, is_null, time_ms
from carloop.connectors.files import Row, Value
from carloop.core.cells import as_text
from carloop.core.identifiers import InvalidIdentifier, RawIdentifier
from carloop.core.registry import Catalogue
from carloop.kit.errors import InvalidInput

NAMESPACE_IMPORT = UUID("5f0d8a52-2f0b-5d0a-9d3e-7b6f6f1b2c11")


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that was left out, or for which the whole row was (``fatal``)."""

    column: str
    code: str
    fatal: bool = False


@dataclass(slots=True)
class RowResult:
    """What one row became; no events where a fault was fatal."""

    events: list[dict[str, Any]] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)
    person: bool = False
    entities: list[tuple[str, str]] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        """True where the row yields nothing because something in it is wrong."""
        return any(fault.fatal for fault in self.faults)


class RowMapper:
    """Applies a mapping to rows of one file.

    Args:
        digest: of the file's content; numbers its rows where the mapping declares no key.
        default_ms: time of rows without one, milliseconds.

    Raises:
        InvalidInput: ``mapping_invalid``: a column, type or entity that does not exist.
    """

    def __init__(
        self,
        mapping: Mapping,
        headers: Sequence[str],
        catalogue: Catalogue,
        *,
        digest: str,
        default_ms: int,
    ) -> None:
        self._mapping = mapping
        self._catalogue = catalogue
        self._places = {header: place for place, header in enumerate(headers)}
        self._nulls = frozenset(null.casefold() for null in mapping.nulls)
        self._zone = ZoneInfo(mapping.zone)
        self._base = "key" if mapping.key else f"{digest}/{mapping.digest()}"
        self._default_ms = default_ms
        self._check()
        self._times = [
            (header, column)
            for header, column in mapping.columns.items()
            if isinstance(column, TimeColumn)
        ]

    def _check(self) -> None:
        mapping = self._mapping
        conditions = {e.when.column for e in mapping.events if e.when}
        times = {e.time_column for e in mapping.events if e.time_column}
        for header in {*mapping.columns, *mapping.key, *conditions, *times}:
            if header not in self._places:
                raise _invalid(f"the file has no column {header!r}", header)
        for header in times:
            if not isinstance(mapping.columns.get(header), TimeColumn):
                raise _invalid(f"{header!r} is not mapped as a time", header)
        identifiers, entities = self._catalogue.identifiers.by_alias, self._catalogue.entity_types
        for header, column in mapping.columns.items():
            if isinstance(column, IdentifierColumn) and column.type not in identifiers:
                raise _invalid(f"no identifier type {column.type!r}", header)
            if isinstance(column, EntityColumn) and column.type not in entities:
                raise _invalid(f"no entity type {column.type!r}", header)

    def apply(self, row: Row) -> RowResult:
        """The events of one row."""
        result = RowResult()
        cells = {
            header: value
            for header, place in self._places.items()
            if not is_null(value := row.values[place], self._nulls)
        }
        identifiers, profile = self._person(cells, result)
        entities = self._entities(cells, result)
        result.entities = entities
        if not identifiers:
            if profile and entities:
                result.faults.append(CellFault("", "profile_without_person"))
            if not entities:
                result.faults.append(CellFault("", "missing_identifier", fatal=True))
                return result
        result.person = bool(identifiers)
        shared = {
            "identifiers": identifiers,
            "entities": [{"type": type_, "key": key} for type_, key in entities],
        }
        properties = self._properties(cells, result)
        row_key = self._row_key(cells, row.number, result)
        for place, wanted in enumerate(self._mapping.events):
            if wanted.when and as_text(cells.get(wanted.when.column, "")) not in wanted.when.values:
                continue
            at = self._time(wanted, cells, result)
            if result.rejected:
                return RowResult(faults=result.faults)
            result.events.append(
                {
                    "message_id": str(uuid5(NAMESPACE_IMPORT, f"{row_key}/{place}")),
                    "event": wanted.event,
                    "occurred_at": at,
                    **shared,
                    "properties": {**self._planned_keys(wanted.event, entities), **properties},
                    **({"profile": {"set": profile}} if profile and identifiers else {}),
                }
            )
            profile = {}
        return result

    def _of(self, kind: type[Any], cells: Dict[str, Value]) -> Iterator[tuple[str, Any, Value]]:
        for header, column in self._mapping.columns.items():
            if isinstance(column, kind) and header in cells:
                yield header, column, cells[header]

    def _person(
        self, cells: Dict[str, Value], result: RowResult
    ) -> tuple[list[dict[str, str]], dict[str, Any]]:
        identifiers = []
        for header, column, value in self._of(IdentifierColumn, cells):
            text = as_text(value)
            try:
                self._catalogue.identifiers.normalise(
                    RawIdentifier(column.type, text, column.namespace)
                )
            except InvalidIdentifier as error:
                result.faults.append(CellFault(header, error.code))
                continue
            identifiers.append({"type": column.type, "value": text, "namespace": column.namespace})
        profile: dict[str, Any] = {}
        for header, column, value in self._of(ProfileColumn, cells):
            self._typed(header, column, value, column.field, profile, result)
        return identifiers, profile

    def _entities(self, cells: Dict[str, Value], result: RowResult) -> list[tuple[str, str]]:
        found = []
        for header, column, value in self._of(EntityColumn, cells):
            kind = self._catalogue.entity_types[column.type].key
            key = as_text(value)
            try:
                if kind is not None:
                    key = self._catalogue.identifiers.normalise(RawIdentifier(kind, key, "-")).value
            except InvalidIdentifier as error:
                result.faults.append(CellFault(header, error.code))
                continue
            found.append((column.type, key))
        return found

    def _properties(self, cells: Dict[str, Value], result: RowResult) -> dict[str, Any]:
        properties: dict[str, Any] = dict(self._mapping.constants)
        for header, column, value in self._of(PropertyColumn, cells):
            self._typed(header, column, value, column.name, properties, result)
        return properties

    def _planned_keys(self, event: str, entities: list[tuple[str, str]]) -> dict[str, str]:
        """Entity keys under the property names that the event's plan has for them."""
        plan = self._catalogue.event_types.get(event)
        keys = dict(entities)
        return {
            planned.name: keys[planned.entity]
            for planned in (plan.properties if plan else ())
            if planned.entity in keys
        }

    def _typed(
        self,
        header: str,
        column: ProfileColumn | PropertyColumn,
        value: Value,
        name: str,
        into: dict[str, Any],
        result: RowResult,
    ) -> None:
        try:
            into[name] = as_type(value, column.type, column.format, self._zone)
        except BadValue as bad:
            result.faults.append(CellFault(header, bad.args[0]))

    def _time(self, wanted: EventOfRow, cells: Dict[str, Value], result: RowResult) -> int:
        chosen = [t for t in self._times if wanted.time_column in (None, t[0])]
        if not chosen:
            return self._default_ms
        header, column = chosen[0]
        if header not in cells:
            result.faults.append(CellFault(header, "missing_timestamp", fatal=True))
            return 0
        try:
            return time_ms(cells[header], column.format, self._zone)
        except BadValue as bad:
            result.faults.append(CellFault(header, bad.args[0], fatal=True))
            return 0

    def _row_key(self, cells: Dict[str, Value], number: int, result: RowResult) -> str:
        if not self._mapping.key:
            return f"{self._base}/{number}"
        parts = [as_text(cells.get(header, "")) for header in self._mapping.key]
        if not any(parts):
            result.faults.append(CellFault(self._mapping.key[0], "missing_key", fatal=True))
        return "\x1f".join((self._base, *parts))


def _invalid(message: str, path: str) -> InvalidInput:
    return InvalidInput(message, code="mapping_invalid", path=path)
