"""Persons put straight into the event store, for tests of what is computed from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from carloop.core.ports.event_store import EventStore
from carloop.kit.clock import from_ms


@dataclass
class People:
    """Collects rows of one tenant; :meth:`write` inserts them and loads the aliases."""

    store: EventStore
    tenant: int
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seq: int = 0

    def person(self, person: int, fragments: Sequence[int] = ()) -> None:
        """A person of one or more fragments."""
        for fragment in {person, *fragments}:
            self._add("fragments", fragment=fragment, person=person, version=self._next())

    def event(
        self,
        event: str,
        fragment: int,
        occurred_at: int | datetime,
        properties: Mapping[str, Any] | None = None,
        entities: Mapping[str, int] | None = None,
        **columns: Any,
    ) -> None:
        """One event of a fragment; ``occurred_at`` in ms or as an instant."""
        at = from_ms(occurred_at) if isinstance(occurred_at, int) else occurred_at
        seq = self._next()
        row = {
            "event": event,
            "fragment": fragment,
            "occurred_at": _time(at),
            "received_at": _time(at),
            "seq": seq,
            "source": 1,
            "event_id": str(uuid5(NAMESPACE_OID, f"{self.tenant}/{seq}")),
            "message_id": f"m{seq}",
            "historical": 0,
            "entities": dict(entities or {}),
            "properties": dict(properties or {}),
        }
        self._add("events", **(row | columns))

    def attribute(self, fragment: int, name: str, value: Any, at: int = 0, rank: int = 0) -> None:
        """One field of a fragment."""
        columns: dict[str, Any] = {"text": None, "number": None, "date": None, "list": []}
        if isinstance(value, bool):
            columns |= {"number": float(value), "text": "true" if value else "false"}
        elif isinstance(value, int | float):
            columns |= {"number": float(value), "text": f"{value:.15g}"}
        elif isinstance(value, datetime):
            columns["date"] = _time(value)
        elif isinstance(value, str):
            columns["text"] = value
        elif value is not None:
            columns["list"] = list(value)
        version = self._next()
        self._add(
            "attributes",
            field=name,
            fragment=fragment,
            rank=rank,
            occurred_at=_time(from_ms(at)),
            message_id=f"m{version}",
            version=version,
            **columns,
        )

    def grant(self, dimension: str, entity: int, fragment: int) -> None:
        """Callers limited to ``entity`` may see the fragment's person."""
        self._add(
            "grants", dimension=dimension, entity=entity, fragment=fragment, version=self._next()
        )

    def write(self) -> None:
        """Insert everything."""
        self.store.ensure_tenant(self.tenant)
        for table, rows in self.rows.items():
            self.store.insert(table, _lines(rows))
        self.rows.clear()
        self.store.reload_persons(self.tenant)

    def _add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append({"tenant": self.tenant, **row})

    def _next(self) -> int:
        self.seq += 1
        return self.seq


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
