"""The event store over ClickHouse's client; ``chdb`` and ``http`` differ in how they connect."""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from carloop.core.scope import Scope
from carloop.kit.errors import Unavailable
from carloop.sql import Query, ident
from carloop.sql.lock import setting
from carloop.stores.clickhouse.errors import translated
from carloop.stores.clickhouse.migrate import migrate, render
from carloop.stores.clickhouse.statements import require_single

Client = Any
CLIENTS_PER_THREAD = 16
SCOPED_TABLES = ("events", "fragments", "attributes", "grants")
_DICTIONARY = """
CREATE DICTIONARY IF NOT EXISTS person_of_{tenant} {{on_cluster}}
(fragment UInt64, person UInt32)
PRIMARY KEY fragment
SOURCE(CLICKHOUSE({source} QUERY 'SELECT fragment, person FROM {database}.fragments FINAL
  WHERE tenant = {tenant} AND deleted = 0 AND fragment != person'))
LAYOUT(FLAT(MAX_ARRAY_SIZE 200000000))
LIFETIME(0)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use.

    Attributes:
        memory_bytes: the most one query may hold.
        spill_bytes: a GROUP BY or ORDER BY that holds more goes to disk.
        threads: threads of one query; ``None`` leaves it to the engine (all cores).
    """

    memory_bytes: int
    spill_bytes: int
    threads: int | None = None

    @classmethod
    def of_this_machine(cls, memory_mb: int = 0) -> Limits:
        """``memory_mb`` MiB for one query, at most and by default half of the memory there is.

        What holds more than half of that spills to disk.
        """
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        memory = min(memory_mb << 20, most) if memory_mb > 0 else most
        return cls(memory_bytes=memory, spill_bytes=memory // 2)

    def settings(self) -> dict[str, str]:
        """As ClickHouse settings."""
        settings = {
            "max_memory_usage": str(self.memory_bytes),
            "max_bytes_before_external_group_by": str(self.spill_bytes),
            "max_bytes_before_external_sort": str(self.spill_bytes),
        }
        if self.threads is not None:
            settings["max_threads"] = str(self.threads)
        return settings


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one answer."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def dicts(self) -> list[dict[str, Any]]:
        """One dict per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class ClickHouseStore(ABC):
    """``core.ports.event_store.EventStore`` over ``clickhouse_connect``.

    One client per (thread, scope, timeout) for reads and one per thread for writes; a client's
    settings cannot change once it is read-only, so they are all given when it opens.
    """

    cluster: str | None = None
    database: str = "default"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits.of_this_machine()
        self._local = threading.local()
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    @abstractmethod
    def connect(self, settings: Mapping[str, str]) -> Client:
        """A new client whose every query has these settings, applied in this order."""

    @abstractmethod
    def dictionary_source(self) -> str:
        """How a dictionary of this store reads its own tables."""

    def query(self, query: Query, scope: Scope, *, timeout_seconds: float = 30) -> Answer:
        """Run one read on a read-only handle; see the port."""
        require_single(query.text)
        with translated():
            client = self._reader(scope, timeout_seconds)
            result = client.query(query.text, parameters=dict(query.params))
            return Answer(tuple(result.column_names), result.result_rows)

    def query_numbers(
        self, query: Query, scope: Scope, *, timeout_seconds: float = 30
    ) -> npt.NDArray[np.uint32]:
        """Run one read whose only column is ``UInt32``; see the port."""
        require_single(query.text)
        with translated():
            client = self._reader(scope, timeout_seconds)
            raw = client.raw_query(query.text, parameters=dict(query.params), fmt="RowBinary")
        return np.frombuffer(raw, dtype="<u4")

    def insert(self, table: str, rows: bytes) -> None:
        """Insert rows given as newline-separated JSON; durable when it returns."""
        if not rows:
            return
        with translated():
            self.writer().raw_insert(ident(table), insert_block=rows, fmt="JSONEachRow")

    def insert_file(self, table: str, path: Path) -> None:
        """Insert a zstd file in Native format, as :mod:`archive` wrote it."""
        unpack = zstandard.ZstdDecompressor()
        with translated(), path.open("rb") as file, unpack.stream_reader(file) as rows:
            self.writer().raw_insert(ident(table), insert_block=rows, fmt="Native")

    def delete_after(self, table: str, seq: int) -> int:
        """Delete rows with ``seq`` above the cursor; returns how many there were."""
        name, bound = ident(table), int(seq)
        with translated():
            writer = self.writer()
            count = writer.query(f"SELECT count() FROM {name} WHERE seq > {bound}").result_rows[0][
                0
            ]
        if count:
            self.delete(table, f"seq > {bound}")
        return int(count)

    def delete(self, table: str, where: str, params: Mapping[str, Any] | None = None) -> None:
        """Delete rows on every node; they are in no part that is read when this returns."""
        text = f"ALTER TABLE {ident(table)} {{on_cluster}} DELETE WHERE {where}"
        (statement,) = render(text, self.cluster)
        with translated():
            self.writer().command(statement, parameters=dict(params or {}))

    def command(self, query: Query) -> None:
        """Run one write or DDL statement of our own (never user text)."""
        require_single(query.text)
        with translated():
            self.writer().command(query.text, parameters=dict(query.params))

    def migrate(self) -> Sequence[str]:
        """Apply numbered migrations that are not applied yet; returns their names.

        Raises:
            Conflict: ``event_store_newer``: a newer version has been here.
        """
        with translated():
            writer = self.writer()

            def applied() -> set[str]:
                rows = writer.query("SELECT name FROM schema_migrations").result_rows
                return {name for (name,) in rows}

            return migrate(lambda text: writer.command(text), applied, self.cluster)

    def ensure_tenant(self, tenant: int) -> None:
        """Create the dictionary ``person_of_<tenant>``; nothing happens when it is there."""
        text = _DICTIONARY.format(
            tenant=int(tenant), source=self.dictionary_source(), database=ident(self.database)
        )
        with translated():
            self.writer().command(render(text, self.cluster)[0])

    def reload_persons(self, tenant: int) -> None:
        """Load the newest fragment → person mapping; returns when reads see it."""
        name = f"{ident(self.database)}.person_of_{int(tenant)}"
        text = f"SYSTEM RELOAD DICTIONARY {{on_cluster}} {name}"
        with translated():
            self.writer().command(render(text, self.cluster)[0])

    def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        with translated():
            if not self.writer().ping():
                raise Unavailable("the event store does not answer", code="event_store_unavailable")

    def close(self) -> None:
        """Release the handles of every thread."""
        with self._lock:
            self._closed = True
            clients = list(self._clients)
        for client in clients:
            client.close()

    def _reader(self, scope: Scope, timeout_seconds: float) -> Client:
        filters = setting(scope)
        return self._client(
            (filters, timeout_seconds),
            {
                "additional_table_filters": filters,
                **self._limits.settings(),
                "max_execution_time": f"{timeout_seconds:g}",
                "readonly": "1",
            },
        )

    def writer(self) -> Client:
        """This thread's client for writes and DDL."""
        settings = {
            "async_insert": "0",
            "type_json_skip_duplicated_paths": "1",
            "input_format_try_infer_dates": "0",
            "input_format_try_infer_datetimes": "0",
            "mutations_sync": "2",
            "alter_sync": "2",
            **self._limits.settings(),
        }
        return self._client("writer", settings)

    def _client(self, key: object, settings: Mapping[str, str]) -> Client:
        clients: OrderedDict[object, Client] | None = getattr(self._local, "clients", None)
        if clients is None:
            clients = self._local.clients = OrderedDict()
        if self._closed:
            raise Unavailable("the event store is closed", code="event_store_unavailable")
        client = clients.get(key)
        if client is None:
            client = clients[key] = self.connect(settings)
            with self._lock:
                self._clients.add(client)
            if len(clients) > CLIENTS_PER_THREAD:
                clients.popitem(last=False)[1].close()
        clients.move_to_end(key)
        return client
