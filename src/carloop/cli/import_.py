"""``carloop import``: a file of customers, leads, orders or vehicles into a source."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from carloop.cli.connect import Api, Data, Refused, connect
from carloop.core.ports.jobs import JobState
from carloop.kit.errors import InvalidInput, NotFound

POLL_SECONDS = 0.3


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines, Parquet or Excel.")],
    data: Data = None,
    source: Annotated[str, typer.Option(help="Source to file it under; made where new.")] = "files",
    event: Annotated[str, typer.Option(help="Event that each row becomes.")] = "",
    mapping: Annotated[
        str, typer.Option(help="Saved mapping, or a JSON file; none: suggested.")
    ] = "",
    save_mapping: Annotated[str, typer.Option(help="Save the mapping under this name.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of times without offset.")] = "Asia/Shanghai",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count; keep nothing.")] = False,
    show_mapping: Annotated[
        bool, typer.Option("--show-mapping", help="Print the mapping and stop.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(help="Refused rows; FILE.errors.csv unless told.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read a file again that was imported.")
    ] = False,
) -> None:
    """Import a file; safe to repeat. Refused rows go to FILE.errors.csv with their reasons."""
    if not file.is_file():
        raise NotFound(f"no file {file}", code="file_unknown")
    form = {"event": event, "zone": zone, **_mapping_form(mapping)}
    with connect(data) as api:
        if show_mapping or save_mapping:
            preview = api.upload("/api/imports/preview", file, form)
            if show_mapping:
                typer.echo(json.dumps(preview["mapping"], ensure_ascii=False, indent=2))
                return
            api.call("PUT", f"/api/imports/mappings/{save_mapping}", preview["mapping"])
            form = {"mapping_name": save_mapping}
        if api.engine is not None:
            api.engine.start()
        form |= {"source": source, "dry_run": str(dry_run), "again": str(again)}
        job = _finished(api, api.upload("/api/imports", file, form))
        errors = errors or Path(f"{file}.errors.csv")
        _keep_errors(api, job, errors)
        if not dry_run and api.engine is not None:
            _wait_until_loaded(api)
    if job["state"] != JobState.DONE:
        raise Refused(f"the import {job['state']}: {job['message']}", code="import_failed")
    _print(job["result"], errors)


def _mapping_form(mapping: str) -> dict[str, str]:
    """A saved name, or the text of a JSON file."""
    if mapping.endswith(".json"):
        path = Path(mapping)
        if not path.is_file():
            raise InvalidInput(f"no mapping file {path}", code="mapping_unknown")
        return {"mapping": path.read_text("utf-8")}
    return {"mapping_name": mapping} if mapping else {}


def _finished(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    """Watch a job to its end; an interrupt cancels it, and a repeat goes on from there."""
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rows", total=None)
        try:
            while not JobState(job["state"]).final:
                time.sleep(POLL_SECONDS)
                job = api.call("GET", f"/api/jobs/{job['id']}")
                progress.update(task, completed=job["progress"], total=job["total"])
        except KeyboardInterrupt:
            api.call("POST", f"/api/jobs/{job['id']}/cancel")
            raise
        rows = (job["result"] or {}).get("rows", 0)
        progress.update(task, completed=rows, total=rows)
    return job


def _keep_errors(api: Api, job: dict[str, Any], path: Path) -> None:
    if job["result"] and job["result"]["errors"]:
        path.write_bytes(api.download(f"/api/imports/{job['id']}/errors"))


def _wait_until_loaded(api: Api) -> None:
    """Let the loader pass what was just written, where no server runs that would."""
    engine = api.engine
    while engine is not None and engine.lag().batches:
        time.sleep(POLL_SECONDS)


def _print(report: dict[str, Any], errors: Path) -> None:
    from carloop.app.imports.report import REASONS

    if report["repeated"]:
        typer.echo("this file had been imported with this mapping; nothing was sent again")
    verb = "would send" if report["dry_run"] else "sent"
    typer.echo(
        f"{report['rows']} rows: {report['imported']} imported, {report['rejected']} rejected,"
        f" {report['unused']} unused; {verb} {report['events']} events"
    )
    typer.echo(f"rows that name a person: {report['persons']}")
    for type_, rows in sorted(report["entities"].items()):
        typer.echo(f"rows that name a {type_}: {rows}")
    for fault, count in sorted(report["faults"].items()):
        column, _, code = fault.rpartition("/")
        where = f" in {column}" if column else ""
        typer.echo(f"{count} x {code}{where}: {REASONS.get(code, 'the event cannot be taken')}")
    if report["errors"]:
        typer.echo(f"every row: {errors}")
