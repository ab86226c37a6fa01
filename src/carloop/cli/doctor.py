"""``carloop doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from carloop.app.operation.doctor import Check, Status, healthy, machine_checks, probe
from carloop.bootstrap.files import is_owned
from carloop.bootstrap.packs import load_packs
from carloop.bootstrap.settings import Settings
from carloop.cli.connect import Api, Data
from carloop.core.scope import Scope
from carloop.kit.clock import SystemClock
from carloop.sql import Query

MARKS = {Status.OK: "✓", Status.WARNING: "!", Status.FAILED: "✗"}


def doctor(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Port that serve will use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Check machine, settings and stores; exit code 1 when something must be repaired."""
    settings = Settings.from_env(data=data, port=port)
    serving = is_owned(settings.lock_file)
    now = SystemClock().now()
    checks = [
        *machine_checks(settings.data, settings.host, settings.port, now, serving=serving),
        probe("packs", lambda: _packs(settings), "set CARLOOP_PACKS to installed packs"),
        probe(
            "stores",
            lambda: _server(settings) if serving else _stores(settings),
            "see the server's log; restore a backup if a file is damaged",
        ),
    ]
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            typer.echo(_line(check))
    if not healthy(checks):
        raise typer.Exit(1)


def _line(check: Check) -> str:
    fix = f"\n    → {check.fix}" if check.fix else ""
    return f"{MARKS[check.status]} {check.name}: {check.found}{fix}"


def _packs(settings: Settings) -> str:
    return ", ".join(pack.name for pack in load_packs(settings.packs)) or "none"


def _server(settings: Settings) -> str:
    """Ask the running server for its parts."""
    parts = Api(settings, None).call("GET", "/readyz")["parts"]
    return f"the running server is ready: {', '.join(parts)}"


def _stores(settings: Settings) -> str:
    """Open both stores as the server would; write to one and read from both."""
    from carloop.bootstrap.engine import build_engine

    engine = build_engine(settings)
    try:
        stores = engine.stores
        with stores.state.write() as tx:
            tx.settings.put("doctor", "written")
        with stores.state.read() as tx:
            written = tx.settings.get("doctor")
        stores.event_store.query(Query("SELECT 1"), Scope(1))
    finally:
        engine.close()
    return f"state store {written} and read, event store read"
