"""``python -m tests.support.aged DIR DAYS DUMP``: a stopped server's data, as old as ``DAYS``.

Runs retention as if that time had passed, then writes every row of both stores, unpacked, to
``DUMP``. A process of its own, because a process can open one event store.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from carloop.app.pipeline import DAY_MS, Pipeline
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import open_stores
from carloop.connectors import PROTOCOLS
from carloop.core.scope import Scope
from carloop.kit.clock import SystemClock, to_ms
from carloop.sql import Query
from carloop.stores.state.schema import metadata

TABLES = ("events", "fragments", "attributes", "grants")


def main(data: Path, days: int, dump: Path) -> None:
    settings = Settings.from_env(data=data)
    stores = open_stores(settings)
    pipeline = Pipeline(
        journal=stores.journal,
        state=stores.state,
        event_store=stores.event_store,
        seen=stores.seen,
        catalogue=load_catalogue(settings.packs),
        cipher=stores.cipher,
        keys=stores.day_keys,
        protocols=PROTOCOLS,
    )
    pipeline.recover()
    pipeline.expire(to_ms(SystemClock().now()) + days * DAY_MS, settings.journal_days)
    with dump.open("wb") as out:
        for table in TABLES:
            for row in stores.event_store.query(Query(f"SELECT * FROM {table}"), Scope(1)).rows:
                out.write(f"{table}\t{row}\n".encode())
    with dump.open("ab") as out, stores.state.reader.connect() as connection:
        for kept in metadata.sorted_tables:
            for record in connection.execute(select(kept)):
                _write(kept.name, record, out)
    stores.close()
    with dump.open("ab") as out, closing(sqlite3.connect(data / "journal.db")) as db:
        for record in db.execute("SELECT * FROM batch"):
            _write("batch", record, out)


def _write(table: str, record: Iterable[object], out: BinaryIO) -> None:
    for cell in record:
        raw = cell if isinstance(cell, bytes) else str(cell).encode()
        out.write(table.encode() + b"\t" + raw + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
