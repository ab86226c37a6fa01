"""``carloop audit``: is the log whole?"""

from __future__ import annotations

import typer

from carloop.app.audit import AuditLog
from carloop.bootstrap.files import HeadInFile
from carloop.bootstrap.settings import Settings
from carloop.cli.connect import Data
from carloop.kit.clock import SystemClock

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command("verify")
def verify(data: Data = None) -> None:
    """Walk the log; edits, removals, re-orderings and truncations are found. Exit code 1 if any."""
    from carloop.bootstrap.stores import load_master, state_url
    from carloop.stores.state.store import SqlState

    settings = Settings.from_env(data=data)
    state = SqlState(state_url(settings))
    try:
        audit = AuditLog(
            state,
            SystemClock(),
            load_master(settings).derive("audit chain"),
            HeadInFile(settings.data / "secret" / "audit.head"),
        )
        verdict = audit.verify()
    finally:
        state.close()
    if verdict.problem:
        typer.echo(f"audit log broken at entry {verdict.at}: {verdict.problem}", err=True)
        raise typer.Exit(1)
    typer.echo(f"audit log whole: {verdict.entries} entries")
