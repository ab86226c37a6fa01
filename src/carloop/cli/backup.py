"""``carloop backup``, ``restore`` and ``verify``."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from carloop.bootstrap.settings import Settings
from carloop.cli.connect import Api, Data, connect
from carloop.kit.errors import Conflict, Permanent

Target = Annotated[Path, typer.Argument(help="Directory of the backup.", metavar="BACKUP")]
WithKey = Annotated[
    bool,
    typer.Option(
        "--with-key",
        help="Put the master key in too: whoever holds the backup can then read all of it.",
    ),
]
POLL_SECONDS = 0.5


def backup(target: Target, with_key: WithKey = False, data: Data = None) -> None:
    """Write a backup, also while the server runs; without its master key nobody can read it."""
    if target.exists() and any(target.iterdir()):
        raise Conflict("the backup directory is not empty", code="not_empty")
    with connect(data) as api:
        job = api.call("POST", "/api/backups", {"with_key": with_key})
        result = _finished(api, job["id"])["result"]
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rmdir()
    shutil.move(result["directory"], target)
    typer.echo(f"{result['events']} events and everything else in {target}")
    if not with_key:
        typer.echo(f"keep the master key {result['key_id']} (secret/master.key) elsewhere")


def restore(source: Target, data: Data = None) -> None:
    """Read a backup into an empty data directory; serve then replays what came after its cut."""
    from carloop.bootstrap import backup as backups

    manifest = backups.restore(Settings.from_env(data=data), source)
    typer.echo(f"restored the backup of {manifest.created_at}")


def verify(source: Target, data: Data = None) -> None:
    """Compare a data directory with a backup just restored into it. Exit code 1 if they differ."""
    from carloop.bootstrap import backup as backups

    differences = backups.verify(Settings.from_env(data=data), source)
    for found in differences:
        typer.echo(f"{found.store}.{found.table}: {found.expected} in the backup, {found.found}")
    if differences:
        raise typer.Exit(1)
    typer.echo("the stores hold what the backup holds")


def _finished(api: Api, id_: str) -> dict[str, Any]:
    while True:
        if api.engine is not None:
            api.engine.services.jobs.run_once()
        job: dict[str, Any] = api.call("GET", f"/api/jobs/{id_}")
        if job["state"] == "done":
            return job
        if job["state"] in ("failed", "cancelled"):
            raise Permanent("the backup was not written", code=job["message"])
        time.sleep(POLL_SECONDS)
